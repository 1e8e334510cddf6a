"""Log of an episode that a grader plays by itself, step by step, and the choice of those worth keeping."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.options import EnvOptions
from rlplatform.episodes.models import EpisodeInfo, EpisodeRole
from rlplatform.episodes.recorder import CUT, MAX_OBSERVATION, RecordedFor
from rlplatform.episodes.recording import Origin, Recording
from rlplatform.ids import Kind, new_id

MAX_BYTES = 16 << 20
"""Size of the logs of one test: of actions and rewards, and of observations. Steps after it are not recorded."""


class Budget:
    """Bytes that the episodes of one test may still record."""

    def __init__(self, log: int = MAX_BYTES, observations: int = MAX_BYTES) -> None:
        self.log = log
        self.observations = observations


class _Rows:
    """Arrays of one shape and type, end to end."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._like: NDArray[Any] | None = None

    def append(self, row: NDArray[Any]) -> bool:
        """Add an array; return False if it is of another shape or type than those before."""
        if self._like is None:
            self._like = np.zeros_like(row)
        if row.shape != self._like.shape or row.dtype != self._like.dtype:
            return False
        self._bytes += row.tobytes()
        return True

    def array(self, most: int) -> NDArray[Any]:
        """Return the first ``most`` rows: [rows, *shape]."""
        like = self._like if self._like is not None else np.zeros(1)
        rows: NDArray[Any] = np.frombuffer(bytes(self._bytes), like.dtype).reshape(-1, *like.shape)
        return rows[:most]


class PlayedEpisode:
    """Seed, actions, rewards and observations of one episode in one copy of an environment.

    Each step is noted by :meth:`acted` before the environment takes it, and by :meth:`rewarded` after.
    """

    def __init__(self, number: int, seed: int, budget: Budget) -> None:
        self.number, self.seed = number, seed
        self.episode_return = 0.0
        self.length = 0
        self._terminated = False
        self._budget = budget
        self._actions, self._rewards = _Rows(), array("d")
        self._observations: _Rows | None = _Rows()
        self._full = False

    def acted(self, observation: Any, action: Any) -> None:
        """Note what the agent saw, and its action."""
        if self._full:
            return
        row = np.asarray(action)
        self._budget.log -= row.nbytes + 8
        if self._budget.log < 0 or not self._actions.append(row):
            self._full = True
            return
        if self._observations is not None and not self._see(observation, self._observations):
            self._observations = None

    def _see(self, observation: Any, rows: _Rows) -> bool:
        if not isinstance(observation, np.ndarray | np.generic | int | float):
            return False
        seen = np.asarray(observation)
        if seen.dtype == np.float64:
            seen = seen.astype(np.float32)
        self._budget.observations -= seen.nbytes
        return self._budget.observations >= 0 and seen.size <= MAX_OBSERVATION and rows.append(seen)

    def rewarded(self, reward: float, *, terminated: bool) -> None:
        """Note the reward of the last action, and whether the environment ended the episode."""
        self.episode_return += reward
        self.length += 1
        self._terminated = terminated
        if not self._full:
            self._rewards.append(reward)

    @property
    def nbytes(self) -> int:
        """Size of the recording before it is packed, about."""
        return self._actions.array(len(self._rewards)).nbytes + 8 * len(self._rewards)

    def recording(
        self, env: str, roles: list[EpisodeRole], owner: RecordedFor, *, test: str, hidden: bool
    ) -> Recording:
        """Return the episode as it is stored."""
        steps = len(self._rewards)
        whole = steps == self.length
        info = EpisodeInfo(
            id=new_id(Kind.EPISODE),
            run_id=owner.run_id,
            env=env,
            roles=roles,
            number=self.number,
            seed=self.seed,
            episode_return=self.episode_return,
            length=self.length,
            recorded_steps=steps,
            no_video=None if whole else CUT,
            created_at=owner.now,
            test=test,
            hidden=hidden,
        )
        # An episode that its environment did not terminate ends in the replay where it ended here.
        options = EnvOptions(max_episode_steps=self.length + self._terminated)
        origin = Origin(env=env, options=options.as_json(), seeds=[self.seed], place=0, start=0, registered=True)
        seen = self._observations.array(steps) if self._observations is not None else None
        actions = self._actions.array(steps)[:, None]
        rewards = np.frombuffer(self._rewards.tobytes(), np.float64)
        return Recording(info, origin if whole else None, actions, rewards, seen)


def worth_keeping(played: Sequence[PlayedEpisode]) -> list[tuple[PlayedEpisode, list[EpisodeRole]]]:
    """Return the best, the median and the worst of the episodes that have begun, with their roles."""
    ranked = sorted((one for one in played if one.length), key=lambda one: one.episode_return)
    if not ranked:
        return []
    places: tuple[tuple[EpisodeRole, int], ...] = (("best", -1), ("median", (len(ranked) - 1) // 2), ("worst", 0))
    roles: dict[int, list[EpisodeRole]] = {}
    for role, place in places:
        roles.setdefault(range(len(ranked))[place], []).append(role)
    return [(ranked[place], found) for place, found in roles.items()]
