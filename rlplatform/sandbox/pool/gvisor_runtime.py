"""Docker runtime of tier *gvisor*, and the flags with which ``runsc`` must be registered.

In ``/etc/docker/daemon.json`` (``make gvisor`` writes it on Debian)::

    {"runtimes": {"runsc": {"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none", "--host-uds=open"]}}}

Without ``--network=none``, a container without a network fails to start, and ``runsc`` leaves its own processes behind.
``--host-uds=open`` lets the guest connect to the one socket that is mounted, and receive pipes over it.
"""

from __future__ import annotations

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.docker_engine import Engine

_NEEDED = {
    "--network=none": ("network=none",),
    "--host-uds=open": ("host-uds=open", "host-uds=all", "fsgofer-host-uds", "fsgofer-host-uds=true"),
}


def require_gvisor(engine: Engine, runtime: str) -> None:
    """Check the runtime's flags. Its kernel is checked when a container starts.

    Raises:
        SandboxUnavailable: the engine does not have ``runtime`` with the required flags.
    """
    given = {argument.lstrip("-") for argument in engine.runtime_arguments(runtime)}
    missing = [flag for flag, accepted in _NEEDED.items() if not given.intersection(accepted)]
    if missing:
        raise SandboxUnavailable(
            f"the Docker runtime {runtime!r} lacks {' and '.join(missing)} in its runtimeArgs (/etc/docker/daemon.json)"
        )
