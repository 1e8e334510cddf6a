"""An uploaded environment, stepped in a sandbox beside the agent's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.space_descriptions import space_of
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.environments.sandboxed.worker import OpenSandbox
from rlplatform.errors import EngineError
from rlplatform.evaluation.graders.played_environments import EnvironmentFailed, Stepped

_MAX_FAULTS = 10


class UploadedEnvironments:
    """Copies of an uploaded environment, all in one process of one sandbox."""

    def __init__(self, open_sandbox: OpenSandbox, code: UserCode, max_steps: int) -> None:
        assert code.spaces is not None
        self._open, self._code, self._limit = open_sandbox, code, code.max_episode_steps or max_steps
        self._faults = FaultLog(_MAX_FAULTS)
        self._envs: SandboxedVectorEnv | None = None
        self._live: list[int] = []
        self.action_space = space_of(code.spaces["action"])

    def reset(self, seeds: Sequence[int]) -> list[Any]:
        """Start the environment, and an episode in each copy.

        Raises:
            EnvironmentFailed: it cannot.
            SandboxFault: the sandbox failed.
        """
        self._envs = SandboxedVectorEnv(
            self._open, self._code, self._code.config, seeds, self._limit, self._faults, copies=len(seeds)
        )
        try:
            obs = self._envs.reset()
        except EngineError as error:
            raise EnvironmentFailed(str(error)) from error
        self._check("reset")
        self._live = list(range(len(seeds)))
        return [_only(self._envs.single_observation_space, obs, place) for place in self._live]

    def step(self, actions: Mapping[int, Any]) -> dict[int, Stepped]:
        """Take a step in the copies that ``actions`` names. Raises as :meth:`reset`."""
        envs = self._envs
        assert envs is not None
        for place in set(self._live) - set(actions):
            envs.retire(place)
        self._live = list(actions)
        given = np.zeros((envs.num_envs, *(self.action_space.shape or ())), self.action_space.dtype)
        for place, action in actions.items():
            given[place] = action
        try:
            step = envs.step(given)
        except EngineError as error:
            raise EnvironmentFailed(str(error)) from error
        self._check("step")
        return {
            place: Stepped(
                _only(envs.single_observation_space, step.obs, place),
                float(step.rewards[place]),
                bool(step.terminated[place]),
                bool(step.truncated[place]),
            )
            for place in actions
        }

    def close(self) -> None:
        """End its process. Idempotent."""
        if self._envs is not None:
            self._envs.close()

    def _check(self, what: str) -> None:
        for fault in self._faults.pop():
            raise EnvironmentFailed(f"{self._code.label} failed in {what} ({fault.kind}): {fault.message}")


def _only(space: spaces.Space[Any], batch: Any, place: int) -> Any:
    """Return one observation of a batch, with Dict and Tuple parts as mappings and lists."""
    if isinstance(space, spaces.Dict):
        return {name: _only(part, batch[name], place) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return [_only(part, batch[index], place) for index, part in enumerate(space.spaces)]
    return batch[place]
