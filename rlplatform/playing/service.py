"""Draw recorded episodes and play policies: each in a process of its own, a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rlplatform.clock import SystemClock
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.episodes.models import EpisodeInfo
from rlplatform.episodes.ports import EpisodeStore, Video
from rlplatform.episodes.recording import Recording
from rlplatform.errors import CheckpointError, InvalidRequest, Unavailable
from rlplatform.playing.ports import Frame, PolicySource, WatchedTraining
from rlplatform.playing.process import run_job
from rlplatform.playing.renderers import Renderer, draw
from rlplatform.playing.users_code import in_job
from rlplatform.playing.watching import WatchedTrainings
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.policies.ports import PolicyArchives
from rlplatform.settings import EpisodeSettings, SandboxSettings
from rlplatform.training.models import EvaluationReport
from rlplatform.training.ports import CheckpointStore

MAX_REFUSALS = 256

RunJob = Callable[[str, Mapping[str, Any], Callable[[Path], None], EpisodeSettings], dict[str, bytes]]
FindCode = Callable[[str, str], Awaitable[UserCode]]
"""Finds an uploaded environment by its id, for a run. Raises ``NotFound`` if it has been deleted."""


class LocalEpisodeService:
    """The ``EpisodeService`` port in this process, which starts the processes that do the work."""

    def __init__(
        self,
        episodes: EpisodeStore,
        checkpoints: CheckpointStore,
        policies: PolicyArchives,
        settings: EpisodeSettings,
        *,
        find_code: FindCode | None = None,
        sandbox: SandboxSettings | None = None,
        renderer: Renderer = draw,
        run: RunJob = run_job,
    ) -> None:
        """``find_code`` and ``sandbox`` are for uploaded environments; without them those cannot be played."""
        self._episodes = episodes
        self._checkpoints = checkpoints
        self._policies = policies
        self._settings = settings
        self._find_code = find_code
        self._sandbox = sandbox
        self._renderer = renderer
        self._run = run
        self._drawing: dict[str, asyncio.Task[Video]] = {}
        self._refused: OrderedDict[str, InvalidRequest] = OrderedDict()
        self._turns = asyncio.Semaphore(settings.processes)
        self._watched = WatchedTrainings(checkpoints, settings, SystemClock(), self._users_code)

    async def video(self, episode: EpisodeInfo) -> Video:
        episode_id = episode.id
        if (refusal := self._refused.get(episode_id)) is not None:
            raise refusal
        task = self._drawing.get(episode_id)
        if task is None:
            task = self._drawing[episode_id] = asyncio.get_running_loop().create_task(self._video(episode_id))
            task.add_done_callback(partial(self._drawn, episode_id))
        return await asyncio.shield(task)

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        users_code = await self._users_code(source.env, source.run_id)
        async with self._turns:
            return await asyncio.to_thread(self._play, source, request, users_code)

    async def frame(self, training: WatchedTraining, after: int) -> Frame:
        return await self._watched.frame(training, after)

    async def _users_code(self, env: str, run_id: str) -> dict[str, Any]:
        """Return the part of a job that holds users' code; empty for installed environments."""
        if not is_user_environment(env):
            return {}
        if self._find_code is None or self._sandbox is None:
            raise Unavailable("this deployment plays no uploaded environments")
        return {"users_code": in_job(await self._find_code(env, run_id), self._sandbox)}

    def _drawn(self, episode_id: str, task: asyncio.Task[Video]) -> None:
        self._drawing.pop(episode_id, None)
        if not task.cancelled():
            task.exception()  # seen, also if everybody who asked is gone

    async def _video(self, episode_id: str) -> Video:
        if (kept := await asyncio.to_thread(self._episodes.get_video, episode_id)) is not None:
            return kept
        recording = await asyncio.to_thread(self._episodes.get, episode_id)
        users_code = await self._users_code(recording.info.env, recording.info.run_id)
        try:
            async with self._turns:
                video = await asyncio.to_thread(self._renderer, recording, users_code, self._settings)
        except InvalidRequest as refusal:  # the same again, whenever it is asked for
            self._refused[episode_id] = refusal
            while len(self._refused) > MAX_REFUSALS:
                self._refused.popitem(last=False)
            raise
        await asyncio.to_thread(self._episodes.put_video, episode_id, video)
        return video

    def _play(
        self, source: PolicySource, request: EvaluatePolicyRequest, users_code: Mapping[str, Any]
    ) -> PolicyEvaluation:
        job = {**source._asdict(), **request.model_dump(), **users_code}
        made = self._run("play", job, partial(self._fetch, source), self._settings)
        recordings = [Recording.unpack(made[name]) for name in sorted(made) if name.endswith(".npz")]
        report = EvaluationReport.model_validate_json(made["report.json"])
        faults = json.loads(made["faults.json"])
        return PolicyEvaluation(report=report, episodes=self._episodes.put(recordings), environment_faults=faults)

    def _fetch(self, source: PolicySource, folder: Path) -> None:
        if source.policy_id is None:
            self._checkpoints.fetch(source.run_id, source.checkpoint_id, folder / "checkpoint")
            return
        archive = self._policies.get(source.policy_id)
        if hashlib.sha256(archive).hexdigest() != source.sha256:
            raise CheckpointError(f"the archive of {source.policy_id} is damaged: it is not what was published")
        (folder / "policy.tar").write_bytes(archive)
