"""Recording of a policy evaluation: the log of its steps, of which the episodes worth keeping are cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.options import EnvOptions
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.episodes.models import EpisodeInfo, EpisodeRole
from rlplatform.episodes.recording import Origin, Recording
from rlplatform.ids import Kind, new_id

MAX_LOG_BYTES = 64 << 20
"""Size of the log of actions and rewards, over all copies. Steps after it are played, and not recorded."""
MAX_OBSERVATION_BYTES = 32 << 20
"""Size of the log of observations. A longer one is dropped: episodes then have actions and rewards alone."""
MAX_OBSERVATION = 4096
"""Numbers of an observation that is recorded. Larger ones are pictures."""
CUT = "it is longer than what is recorded of an evaluation"


@dataclass(frozen=True)
class RecordedFor:
    """Run that a recording belongs to, and the moment of its training."""

    run_id: str
    now: datetime
    iteration: int | None = None
    env_steps: int | None = None


class _Ended(NamedTuple):
    number: int
    place: int
    end: int
    episode_return: float
    length: int


class EpisodeRecorder:
    """Log of one policy evaluation. Appending a step copies some small arrays."""

    def __init__(self) -> None:
        self._origin: tuple[str, Mapping[str, Any], EnvOptions, Sequence[int], bool] | None = None
        self._actions: list[NDArray[Any]] = []
        self._rewards: list[NDArray[Any]] = []
        self._observations: list[NDArray[Any]] | None = []
        self._bytes = self._observation_bytes = 0
        self._steps = 0
        self._full = False
        self._count = 0
        self._kept: dict[EpisodeRole, _Ended] = {}

    def begin(
        self, env: str, env_config: Mapping[str, Any], options: EnvOptions, seeds: Sequence[int], envs: VectorEnv
    ) -> None:
        """Note the environments that the evaluation plays in, before their first reset."""
        self._origin = env, env_config, options, list(seeds), envs.independent

    def acted(self, obs: NDArray[Any], actions: NDArray[Any]) -> None:
        """Append the observations and the actions of all copies. :meth:`rewarded` follows."""
        self._steps += 1
        if self._full:
            return
        actions = np.array(actions)
        self._actions.append(actions)
        self._bytes += actions.nbytes + 8 * len(actions)
        if self._observations is None:
            return
        seen = np.array(obs, np.float32 if np.asarray(obs).dtype == np.float64 else None)
        self._observation_bytes += seen.nbytes
        if self._observation_bytes > MAX_OBSERVATION_BYTES or seen[0].size > MAX_OBSERVATION:
            self._observations = None
        else:
            self._observations.append(seen)

    def rewarded(self, rewards: NDArray[Any]) -> None:
        """Append the rewards of all copies for the last actions."""
        if not self._full:
            self._rewards.append(np.array(rewards, np.float64))
            self._full = self._bytes > MAX_LOG_BYTES

    def end(self, place: int, episode_return: float, length: int) -> None:
        """Note that the last step has ended an episode of the copy ``place``."""
        ended = _Ended(self._count, place, self._steps, episode_return, length)
        self._count += 1
        self._kept.setdefault("first", ended)
        self._kept["last"] = ended
        if "best" not in self._kept or episode_return > self._kept["best"].episode_return:
            self._kept["best"] = ended
        if "worst" not in self._kept or episode_return < self._kept["worst"].episode_return:
            self._kept["worst"] = ended

    def recordings(self, owner: RecordedFor) -> list[Recording]:
        """Return the first, the best, the worst and the last episode, in order of their ends."""
        roles: dict[_Ended, list[EpisodeRole]] = {}
        for role in ("first", "best", "worst", "last"):
            if (ended := self._kept.get(role)) is not None:
                roles.setdefault(ended, []).append(role)
        return [self._recording(ended, roles[ended], owner) for ended in sorted(roles)]

    def _recording(self, ended: _Ended, roles: list[EpisodeRole], owner: RecordedFor) -> Recording:
        assert self._origin is not None
        env, env_config, options, seeds, independent = self._origin
        start, end, place = ended.end - ended.length, min(ended.end, len(self._actions)), ended.place
        steps = max(0, end - start)
        whole = steps == ended.length
        info = EpisodeInfo(
            id=new_id(Kind.EPISODE),
            run_id=owner.run_id,
            env=env,
            roles=roles,
            number=ended.number,
            seed=int(seeds[place if independent else 0]),
            episode_return=ended.episode_return,
            length=ended.length,
            recorded_steps=steps,
            iteration=owner.iteration,
            env_steps=owner.env_steps,
            no_video=None if whole else CUT,
            created_at=owner.now,
        )
        copies = slice(place, place + 1) if independent or not whole else slice(None)
        begin = 0 if whole else start
        log = [step[copies] for step in self._actions[begin:end]]
        actions = np.stack(log) if log else np.empty((0, 1))
        rewards = np.array([step[place] for step in self._rewards[start:end]], np.float64)
        seen = None
        if self._observations is not None and steps:
            seen = np.stack([step[place] for step in self._observations[start:end]])
        origin = Origin(
            env=env,
            env_config=dict(env_config),
            options=options.as_json(),
            seeds=[int(seed) for seed in (seeds[copies] if independent else seeds)],
            place=0 if independent else place,
            start=start,
        )
        return Recording(info, origin if whole else None, actions, rewards, seen)
