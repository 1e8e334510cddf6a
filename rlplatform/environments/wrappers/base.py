"""Base of the wrappers."""

from __future__ import annotations

from typing import Any

from rlplatform.environments.vector_env import Array, Step, VectorEnv


class Wrapped(VectorEnv):
    """Passes everything on to ``env``. A subclass changes observations or rewards."""

    def __init__(self, env: VectorEnv, shown: str) -> None:
        """``shown`` is the wrapper in manifests."""
        super().__init__(env.num_envs)
        self._env = env
        self.backend, self.autoreset, self.time_limit = env.backend, env.autoreset, env.time_limit
        self.single_observation_space = env.single_observation_space
        self.single_action_space = env.single_action_space
        self.wrappers, self.notes = (*env.wrappers, shown), env.notes

    def describe(self) -> dict[str, Any]:
        described = super().describe()
        return self._env.describe() | {name: described[name] for name in ("observation_space", "wrappers", "notes")}

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
