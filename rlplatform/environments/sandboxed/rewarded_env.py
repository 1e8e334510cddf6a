"""Vector environment whose rewards a user's function computes, in a sandbox. Its own rewards become the scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rlplatform.environments.sandboxed.faults import Fault, FaultLog
from rlplatform.environments.sandboxed.guest.memory import MALFORMED, OK
from rlplatform.environments.sandboxed.space_descriptions import array_of, leaves
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.worker import STEP_S, OpenSandbox, Worker
from rlplatform.environments.vector_env import Array, Step, VectorEnv
from rlplatform.environments.wrapped_env import WrappedEnv
from rlplatform.environments.wrapped_state import pack, unpack
from rlplatform.errors import EngineError


class RewardedVectorEnv(WrappedEnv):
    """Wrapper of a vector environment: rewards are those of a function, ``scores`` the environment's own.

    The function gets observation, action, next observation, the environment's reward, terminated and truncated of one
    step, and returns a number. Where it fails, the reward is 0.
    """

    def __init__(
        self, env: VectorEnv, open_sandbox: OpenSandbox, code: UserCode, faults: FaultLog, *, step_s: float = STEP_S
    ) -> None:
        """Wrap ``env``; the function's process starts with the first reset."""
        super().__init__(env)
        self._open, self._code, self._faults, self._step_s = open_sandbox, code, faults, step_s
        self._parts = list(leaves(self.single_observation_space))
        self._done = np.zeros(env.num_envs, np.bool_)
        self._worker: Worker | None = None

    def describe(self) -> dict[str, Any]:
        return self._env.describe() | {"reward": {"entry": self._code.entry, "files_sha256": self._code.sha256}}

    def reset(self) -> Any:
        """Reset all copies.

        Raises:
            EngineError: the function cannot be started.
            SandboxUnavailable: there is no sandbox on this machine.
        """
        if self._worker is None:
            self._worker = Worker(self._open, self._code, self._plan(), self._faults, step_s=self._step_s)
        obs = self._env.reset()
        self._done[:] = False
        for before, value in self._split("obs", obs):
            before[:] = value
        return obs

    def step(self, actions: Array) -> Step:
        assert self._worker is not None
        arrays = self._worker.arrays
        arrays["actions"][:] = actions
        step = self._env.step(actions)
        for after, value in self._split("next", step.obs):
            after[:] = value
        if step.finals is not None:
            last, places = step.finals
            for after, value in self._split("next", last):
                after[places] = value
        own = np.array(step.rewards if step.scores is None else step.scores, np.float64)
        skipped = self._done if self.autoreset == "next_step" else np.zeros(self.num_envs, np.bool_)
        arrays["rewards"][:] = own
        arrays["terminated"][:] = step.terminated
        arrays["truncated"][:] = step.truncated
        arrays["reset"][:] = skipped
        rewards = self._rewards(~skipped)
        self._done = np.logical_or(step.terminated, step.truncated)
        for before, value in self._split("obs", step.obs):
            before[:] = value
        return step._replace(rewards=rewards, scores=own)

    def get_state(self) -> bytes | None:
        inner = self._env.get_state()
        if inner is None or self._worker is None:
            return None
        seen = {name: self._worker.arrays[name] for name in self._seen()}
        return pack(inner, done=self._done, **seen)

    def set_state(self, state: bytes) -> None:
        if self._worker is None:
            raise EngineError("the environments have to be reset before they are restored")
        inner, saved = unpack(state)
        self._env.set_state(inner)
        self._done = saved["done"]
        for name in self._seen():
            self._worker.arrays[name][:] = saved[name]

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        self._env.close()

    def _plan(self) -> dict[str, Any]:
        return {
            "mode": "reward",
            "entry": self._code.entry,
            "copies": self.num_envs,
            "action": array_of(self.single_action_space),
            "leaves": [{"path": list(path), **array_of(part)} for path, part in self._parts],
        }

    def _split(self, name: str, obs: Any) -> Iterator[tuple[Array, Array]]:
        """Yield each part's shared array, and the part of ``obs`` that belongs there."""
        assert self._worker is not None
        for index, (path, _) in enumerate(self._parts):
            value = obs
            for key in path:
                value = value[key]
            yield self._worker.arrays[f"{name}{index}"], np.asarray(value)

    def _seen(self) -> list[str]:
        """Return the names of the shared arrays with the observations before a step."""
        return [f"obs{index}" for index in range(len(self._parts))]

    def _rewards(self, asked: Array) -> Array:
        """Have the function compute the rewards of the copies ``asked``; those of the others are 0."""
        worker = self._worker
        assert worker is not None
        worker.begin()
        if not worker.finish(int(asked.sum())):
            return np.zeros(self.num_envs)
        arrays = worker.arrays
        status, rewards = arrays["status"].copy(), arrays["rewards"].copy()
        failed = (status != OK) & asked
        if failed.any():
            kinds = "malformed" if (status[failed] == MALFORMED).any() else "exception"
            self._faults.add(Fault(self._code.label, kinds, int(failed.sum()), worker.message()))  # type: ignore[arg-type]
        endless = ~np.isfinite(rewards) & asked & ~failed
        if endless.any():
            self._faults.add(Fault(self._code.label, "invalid", int(endless.sum()), "the reward is not finite"))
        return np.where(asked & ~failed & ~endless, rewards, 0.0)
