"""Users' code of the training in this process: what it may make, where it runs, and what went wrong.

A process trains for one session at a time, as with ``environment_modules``. An id that was not installed is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rlplatform.environments.action_masks import info_key
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.sandboxed.faults import Fault, FaultLog
from rlplatform.environments.sandboxed.rewarded_env import RewardedVectorEnv
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.environments.sandboxed.worker import SessionSource
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.errors import InvalidRequest, Unavailable, UnknownName
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.ports import SessionSandbox

_codes: dict[str, UserCode] = {}
_source: SessionSource | None = None
_faults = FaultLog(0)


def install(codes: Iterable[UserCode], source: SessionSource, *, budget: int, faults_before: int = 0) -> None:
    """Make ``codes`` available in this process, in place of those before. They run in sandboxes of ``source``."""
    global _source, _faults
    close()
    _codes.update({code.label: code for code in codes})
    _source = source
    _faults = FaultLog(budget)
    _faults.start_at(faults_before)


def installed() -> tuple[UserCode, ...]:
    """Return the code that is available."""
    return tuple(_codes.values())


def installed_for_others() -> tuple[tuple[UserCode, ...], SessionSource, int] | None:
    """Return the arguments with which another process installs the same; None if there is nothing."""
    if not _codes or _source is None:
        return None
    return tuple(_codes.values()), _source, _faults.budget


def faults() -> FaultLog:
    """Return the faults of the training in this process."""
    return _faults


def add_faults(found: Sequence[Fault]) -> None:
    """Note faults that another process had. Raises ``EngineError`` if there were too many."""
    for fault in found:
        _faults.add(fault)


def find(label: str, *, field: str) -> UserCode:
    """Return what was installed under ``label``. Raises ``UnknownName`` if nothing was."""
    if label not in _codes:
        raise UnknownName("environment" if field == "env" else field, label, tuple(_codes), field=field)
    return _codes[label]


def make(
    code: UserCode,
    config: Mapping[str, Any],
    seeds: Sequence[int],
    options: EnvOptions,
    *,
    rendered: bool = False,
) -> SandboxedVectorEnv:
    """Make copies of a user's environment, which give pictures if ``rendered``. They start with the first reset.

    Raises:
        InvalidRequest: it has no contract, or cannot have these spaces.
    """
    if code.spaces is None:
        raise InvalidRequest(f"env: {code.label} has not passed its contract", field="env")
    config = {**code.config, **config}
    limit, mask = options.max_episode_steps, info_key(options.wrappers)
    return SandboxedVectorEnv(open_sandbox, code, config, seeds, limit, _faults, rendered=rendered, mask=mask)


def rewarded(env: VectorEnv) -> VectorEnv:
    """Return ``env`` with the rewards of the function that was installed; ``env`` itself if there is none."""
    code = next((code for code in _codes.values() if code.kind == "reward"), None)
    return env if code is None else RewardedVectorEnv(env, open_sandbox, code, _faults)


def open_sandbox(program: Program, limits: Limits, image: str | None) -> SessionSandbox:
    """Open a sandbox for users' code, as ``worker.OpenSandbox`` says."""
    if _source is None:
        raise Unavailable("users' code cannot run in this process")
    return _source.open(program, limits, image)


def close() -> None:
    """Remove what was installed, and its sandboxes. Idempotent."""
    global _source
    _codes.clear()
    if _source is not None:
        _source.close()
    _source = None
