"""Draw recorded episodes and play policies: each in a process of its own, a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rlplatform.episodes.ports import EpisodeStore, Video
from rlplatform.episodes.recording import Recording
from rlplatform.errors import CheckpointError, InvalidRequest
from rlplatform.playing.ports import PolicySource
from rlplatform.playing.process import run_job
from rlplatform.playing.renderers import Renderer, renderer_of
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.policies.ports import PolicyArchives
from rlplatform.settings import EpisodeSettings
from rlplatform.training.models import EvaluationReport
from rlplatform.training.ports import CheckpointStore

MAX_REFUSALS = 256

RunJob = Callable[[str, Mapping[str, Any], Callable[[Path], None], EpisodeSettings], dict[str, bytes]]


class LocalEpisodeService:
    """The ``EpisodeService`` port in this process, which starts the processes that do the work."""

    def __init__(
        self,
        episodes: EpisodeStore,
        checkpoints: CheckpointStore,
        policies: PolicyArchives,
        settings: EpisodeSettings,
        *,
        renderers: Callable[[str], Renderer] = renderer_of,
        run: RunJob = run_job,
    ) -> None:
        self._episodes = episodes
        self._checkpoints = checkpoints
        self._policies = policies
        self._settings = settings
        self._renderers = renderers
        self._run = run
        self._drawing: dict[str, asyncio.Task[Video]] = {}
        self._refused: OrderedDict[str, InvalidRequest] = OrderedDict()
        self._turns = asyncio.Semaphore(settings.processes)

    async def video(self, episode_id: str) -> Video:
        if (refusal := self._refused.get(episode_id)) is not None:
            raise refusal
        task = self._drawing.get(episode_id)
        if task is None:
            task = self._drawing[episode_id] = asyncio.get_running_loop().create_task(self._video(episode_id))
            task.add_done_callback(partial(self._drawn, episode_id))
        return await asyncio.shield(task)

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        async with self._turns:
            return await asyncio.to_thread(self._play, source, request)

    def _drawn(self, episode_id: str, task: asyncio.Task[Video]) -> None:
        self._drawing.pop(episode_id, None)
        if not task.cancelled():
            task.exception()  # seen, also if everybody who asked is gone

    async def _video(self, episode_id: str) -> Video:
        if (kept := await asyncio.to_thread(self._episodes.get_video, episode_id)) is not None:
            return kept
        recording = await asyncio.to_thread(self._episodes.get, episode_id)
        try:
            draw = self._renderers(recording.info.env)
            async with self._turns:
                video = await asyncio.to_thread(draw, recording, self._settings)
        except InvalidRequest as refusal:  # the same again, whenever it is asked for
            self._refused[episode_id] = refusal
            while len(self._refused) > MAX_REFUSALS:
                self._refused.popitem(last=False)
            raise
        await asyncio.to_thread(self._episodes.put_video, episode_id, video)
        return video

    def _play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        job = {**source._asdict(), **request.model_dump()}
        made = self._run("play", job, partial(self._fetch, source), self._settings)
        recordings = [Recording.unpack(made[name]) for name in sorted(made) if name.endswith(".npz")]
        report = EvaluationReport.model_validate_json(made["report.json"])
        return PolicyEvaluation(report=report, episodes=self._episodes.put(recordings))

    def _fetch(self, source: PolicySource, folder: Path) -> None:
        if source.policy_id is None:
            self._checkpoints.fetch(source.run_id, source.checkpoint_id, folder / "checkpoint")
            return
        archive = self._policies.get(source.policy_id)
        if hashlib.sha256(archive).hexdigest() != source.sha256:
            raise CheckpointError(f"the archive of {source.policy_id} is damaged: it is not what was published")
        (folder / "policy.tar").write_bytes(archive)
