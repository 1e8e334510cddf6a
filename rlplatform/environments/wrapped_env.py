"""Bases of environments that wrap another one."""

from __future__ import annotations

from typing import Any

from rlplatform.environments.vector_env import Array, Step, VectorEnv


class WrappedEnv(VectorEnv):
    """Passes everything on to ``env``. A subclass changes observations or rewards."""

    def __init__(self, env: VectorEnv, *shown: str) -> None:
        """Wrap ``env``. ``shown`` names the wrapper in manifests."""
        super().__init__(env.num_envs)
        self._env = env
        self.backend, self.autoreset, self.time_limit = env.backend, env.autoreset, env.time_limit
        self.single_observation_space = env.single_observation_space
        self.single_action_space = env.single_action_space
        self.wrappers, self.notes = (*env.wrappers, *shown), env.notes

    def describe(self) -> dict[str, Any]:
        described = super().describe()
        own = ("max_episode_steps", "time_limit", "observation_space", "wrappers", "notes")
        return self._env.describe() | {name: described[name] for name in own}

    def reset(self) -> Array:
        return self._env.reset()

    def step(self, actions: Array) -> Step:
        return self._env.step(actions)

    @property
    def frames_per_s(self) -> float | None:
        return self._env.frames_per_s

    def frame(self, place: int) -> Array | None:
        return self._env.frame(place)

    def get_state(self) -> bytes | None:
        return self._env.get_state()

    def set_state(self, state: bytes) -> None:
        self._env.set_state(state)

    def close(self) -> None:
        self._env.close()


class ObservationEnv(WrappedEnv):
    """Changes each batch of observations by itself: :meth:`changed` of a subclass."""

    def reset(self) -> Array:
        return self.changed(self._env.reset())

    def step(self, actions: Array) -> Step:
        step = self._env.step(actions)
        finals = None if step.finals is None else (self.changed(step.finals[0]), step.finals[1])
        return step._replace(obs=self.changed(step.obs), finals=finals)

    def changed(self, obs: Any) -> Array:
        """Return the observations [B, *] that take the place of ``obs``."""
        raise NotImplementedError
