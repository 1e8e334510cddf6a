"""An uploaded environment for one episode, stepped in a sandbox beside the agent's."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.environments.sandboxed.worker import OpenSandbox
from rlplatform.errors import EngineError

_MAX_FAULTS = 10


class EnvironmentFailed(Exception):
    """The environment failed, which is not the agent's fault."""


class UploadedEnvironment:
    """One copy of an uploaded environment, with the methods of ``gymnasium.Env`` that an episode needs."""

    def __init__(self, open_sandbox: OpenSandbox, code: UserCode, max_steps: int) -> None:
        self._open, self._code, self._limit = open_sandbox, code, code.max_episode_steps or max_steps
        self._faults = FaultLog(_MAX_FAULTS)
        self._envs: SandboxedVectorEnv | None = None

    @property
    def action_space(self) -> spaces.Space[Any]:
        assert self._envs is not None
        return self._envs.single_action_space

    def reset(self, *, seed: int) -> tuple[Any, dict[str, Any]]:
        """Start the environment, and its episode.

        Raises:
            EnvironmentFailed: it cannot.
            SandboxFault: the sandbox failed.
        """
        self._envs = SandboxedVectorEnv(
            self._open, self._code, self._code.config, [seed], self._limit, self._faults, copies=1
        )
        try:
            obs = self._envs.reset()
        except EngineError as error:
            raise EnvironmentFailed(str(error)) from error
        self._check("reset")
        return _only(self._envs.single_observation_space, obs), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step. Raises as :meth:`reset`."""
        assert self._envs is not None
        try:
            step = self._envs.step(np.asarray([action], self._envs.single_action_space.dtype))
        except EngineError as error:
            raise EnvironmentFailed(str(error)) from error
        self._check("step")
        obs = _only(self._envs.single_observation_space, step.obs)
        return obs, float(step.rewards[0]), bool(step.terminated[0]), bool(step.truncated[0]), {}

    def close(self) -> None:
        """End its process. Idempotent."""
        if self._envs is not None:
            self._envs.close()

    def _check(self, what: str) -> None:
        for fault in self._faults.pop():
            raise EnvironmentFailed(f"{self._code.label} failed in {what} ({fault.kind}): {fault.message}")


def _only(space: spaces.Space[Any], batch: Any) -> Any:
    """Return the one observation of a batch, with Dict and Tuple parts as mappings and lists."""
    if isinstance(space, spaces.Dict):
        return {name: _only(part, batch[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return [_only(part, batch[index]) for index, part in enumerate(space.spaces)]
    return batch[0]
