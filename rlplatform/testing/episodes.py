"""Recorded episodes in memory, a small recording, and a service that draws without an environment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rlplatform.environments.options import DEFAULT_OPTIONS
from rlplatform.episodes.models import EpisodeInfo, EpisodeRole, VideoInfo
from rlplatform.episodes.ports import EpisodeStore, Video
from rlplatform.episodes.recording import Origin, Recording
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, new_id
from rlplatform.playing.ports import Frame, PolicySource, WatchedTraining
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.storage.blobs import LocalBlobs
from rlplatform.storage.episodes import BlobEpisodes
from rlplatform.training.models import EvaluationReport


def local_episodes(folder: Path) -> BlobEpisodes:
    """Return a store of episodes in ``folder``."""
    return BlobEpisodes(LocalBlobs(folder))


def recording(run_id: str, *, steps: int = 3, roles: Sequence[EpisodeRole] = ("first",), **info: Any) -> Recording:
    """Return an episode of CartPole-v1 with a reward of 1 at each step."""
    fields: dict[str, Any] = {
        "id": new_id(Kind.EPISODE),
        "run_id": run_id,
        "env": "CartPole-v1",
        "roles": list(roles),
        "number": 0,
        "seed": 7,
        "episode_return": float(steps),
        "length": steps,
        "recorded_steps": steps,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    origin = Origin(env="CartPole-v1", options=DEFAULT_OPTIONS.as_json(), seeds=[7], place=0, start=0)
    observations = np.arange(4 * steps, dtype=np.float32).reshape(steps, 4)
    actions = np.ones((steps, 1), np.int64)
    return Recording(EpisodeInfo.model_validate(fields | info), origin, actions, np.ones(steps), observations)


class FakeEpisodes:
    """The ``EpisodeService`` port without processes: a video is ``b"video of <id>"``.

    Episodes with more than 100 steps are refused, as those of an environment without pictures are. Videos are drawn
    while ``ready`` is set.
    """

    def __init__(self, store: EpisodeStore) -> None:
        self.store = store
        self.drawn: list[str] = []
        self.watched: list[str] = []
        self.ready = asyncio.Event()
        self.ready.set()

    async def video(self, episode: EpisodeInfo) -> Video:
        episode_id = episode.id
        if (kept := self.store.get_video(episode_id)) is not None:
            return kept
        info = self.store.get(episode_id).info
        if info.length > 100:
            raise InvalidRequest(f"{info.env} has no picture: the episode can be read, not watched", field="id")
        await self.ready.wait()
        self.drawn.append(episode_id)
        content = f"video of {episode_id}".encode()
        about = VideoInfo(
            frames=info.length + 1,
            frames_per_s=30.0,
            steps_per_frame=1,
            width=600,
            height=400,
            size_bytes=len(content),
            replay_return=info.episode_return,
            exact=True,
        )
        self.store.put_video(episode_id, Video(about, content))
        return Video(about, content)

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        roles: tuple[EpisodeRole, ...] = ("first", "best", "worst", "last")
        played = recording(source.run_id, roles=roles, iteration=source.iteration, env_steps=source.env_steps)
        report = EvaluationReport(
            episodes=request.episodes,
            episode_return_mean=3.0,
            episode_return_std=0.0,
            episode_return_min=3.0,
            episode_return_max=3.0,
            episode_length_mean=3.0,
        )
        return PolicyEvaluation(report=report, episodes=self.store.put([played]))

    async def frame(self, training: WatchedTraining, after: int) -> Frame:
        """Return a picture ``b"picture <number>"``, while ``ready`` is set."""
        self.watched.append(training.run_id)
        await self.ready.wait()
        return Frame(
            number=after + 1,
            checkpoint_id="ckpt_1",
            iteration=1,
            env_steps=100,
            episode=1,
            step=after,
            episode_return=float(after),
            reward=1.0,
            action=[0.0],
            observation=[],
            over=False,
            picture=f"picture {after + 1}".encode(),
        )
