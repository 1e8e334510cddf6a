"""Replay of a recorded episode: the same environment, seeds and actions, with pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.factory import make_registered, make_vector_env
from rlplatform.environments.faults import environment_errors
from rlplatform.episodes.recording import Recording
from rlplatform.errors import InvalidRequest

FRAMES_PER_S = 30.0
"""Pace of environments that do not say theirs."""


class Replay:
    """Plays a recording again. Iterating :meth:`frames` to its end makes the other properties final."""

    def __init__(self, recording: Recording) -> None:
        """Make the environments.

        Raises:
            InvalidRequest: the recording cannot be replayed, or its environment has no picture.
        """
        if recording.origin is None:
            raise InvalidRequest(f"the episode has no video: {recording.info.no_video or 'it cannot be replayed'}")
        self._recording = recording
        self._origin = origin = recording.origin
        with environment_errors():
            if origin.registered:
                self._envs = make_registered(origin.env, origin.seeds, origin.env_options, rendered=True)
            else:
                self._envs = make_vector_env(
                    origin.env,
                    origin.env_config,
                    origin.seeds,
                    options=origin.env_options,
                    training=False,
                    rendered=True,
                )
        self.frames_per_s = self._envs.frames_per_s or FRAMES_PER_S
        self.episode_return = 0.0
        self.difference: str | None = None

    def frames(self, steps_per_frame: int = 1) -> Iterator[NDArray[np.uint8]]:
        """Yield a picture of the beginning, of every ``steps_per_frame``-th step, and of the end.

        Raises:
            InvalidRequest: the environment has no picture.
            EngineError: the environment failed.
        """
        recorded, origin = self._recording, self._origin
        with environment_errors():
            try:
                self._envs.reset()
                for count, actions in enumerate(recorded.actions):
                    at = count - origin.start
                    if at >= 0 and at % steps_per_frame == 0:
                        yield self._frame()
                    step = self._envs.step(actions)
                    if at >= 0:
                        over = bool((step.terminated | step.truncated)[origin.place])
                        self._compare(at, float(step.rewards[origin.place]), over)
                if self._envs.autoreset == "next_step":  # else the next episode has begun
                    yield self._frame()
            finally:
                self._envs.close()

    def _compare(self, at: int, reward: float, over: bool) -> None:
        self.episode_return += reward
        if self.difference is not None:
            return
        rewards = self._recording.rewards
        if reward != rewards[at] and not (np.isnan(reward) and np.isnan(rewards[at])):
            self.difference = f"step {at + 1} gave a reward of {reward:g}; {rewards[at]:g} is recorded"
        elif over != (at == len(rewards) - 1):
            ends = "ended" if over else "did not end"
            self.difference = f"the replay {ends} at step {at + 1}; {len(rewards)} steps are recorded"

    def _frame(self) -> NDArray[np.uint8]:
        frame: Any = self._envs.frame(self._origin.place)
        if frame is None:
            raise InvalidRequest(f"{self._origin.env} has no picture: the episode can be read, not watched", field="id")
        return np.ascontiguousarray(frame, np.uint8)
