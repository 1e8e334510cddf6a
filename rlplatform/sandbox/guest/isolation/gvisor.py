"""Tier *gvisor*: what the kernel of gVisor does not do for PID 1, done here.

Linux drops every signal from inside to PID 1 that has no handler, even SIGKILL; gVisor delivers them. The runner
therefore ignores what can be ignored, and the filter of the submission's processes lets no signal name PID 1. Docker's
seccomp profile does not reach into gVisor: the same filter puts it in place there.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import json
import os

from .seccomp_filter import assemble

CPU_LIMIT_S = 3600
"""Of a child: more than it may use. gVisor counts waiting for a core as CPU time; the host, which watches, does not."""

_SIGNALLING = ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"]
_LEFT = frozenset({_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGCHLD, _signal.SIGPIPE, _signal.SIGXFSZ})


def load_filter() -> bytes:
    """The profile of single-use containers as a filter, less signals to PID 1."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seccomp-sandbox.json")
    with open(path) as stream:
        profile = json.load(stream)
    to_runner = [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]
    refused = {"names": _SIGNALLING, "args": to_runner, "action": "SCMP_ACT_ERRNO"}
    return assemble({"syscalls": [refused, *profile["syscalls"]]})


def ignore_signals() -> None:
    """In the runner."""
    _set_all(_signal.SIG_IGN)


def restore_signals() -> None:
    """In a child."""
    _set_all(_signal.SIG_DFL)


def _set_all(handler: object) -> None:
    for number in _signal.valid_signals() - _LEFT:
        _signal.signal(number, handler)
