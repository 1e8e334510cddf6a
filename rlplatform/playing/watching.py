"""Trainings that are watched live: a process plays the newest policy of each, and draws a picture when it is asked for.

Nothing is drawn in advance, so there is no queue: a slow viewer sees fewer pictures of the same game. The
trainer takes no part: policies come from its checkpoints.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from rlplatform.clock import Clock
from rlplatform.errors import CheckpointError, EngineError, NotFound, NotReady, TooManyRequests
from rlplatform.playing.ports import Frame, WatchedTraining
from rlplatform.playing.process import Worker
from rlplatform.settings import EpisodeSettings
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import CheckpointStore

IDLE_S = 15.0
"""Seconds without a request after which a process is ended."""
LOOK_S = 2.0
"""Seconds between two looks for a newer checkpoint."""
FRAME_S = 120.0
"""Seconds that a picture may take; the first one waits for the process to start."""

StartWorker = Callable[[str, Mapping[str, Any], Path, EpisodeSettings], Worker]
UsersCode = Callable[[str, str], Awaitable[dict[str, Any]]]
"""Finds the part of a job that holds users' code, by environment and run."""


class WatchedTrainings:
    """Trainings that are being watched: a process for each, shared by its viewers."""

    def __init__(
        self,
        checkpoints: CheckpointStore,
        settings: EpisodeSettings,
        clock: Clock,
        users_code: UsersCode,
        start: StartWorker = Worker,
    ) -> None:
        self._checkpoints = checkpoints
        self._settings = settings
        self._clock = clock
        self._users_code = users_code
        self._start = start
        self._shows: dict[str, _Show] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._shows)

    async def frame(self, training: WatchedTraining, after: int) -> Frame:
        """Return the newest picture unless its number is ``after``: then the next one.

        Raises:
            NotReady: the training has no checkpoint yet.
            TooManyRequests: too many trainings are watched, of this tenant or altogether.
            EngineError: the environment failed.
        """
        show = self._shows.get(training.run_id)
        if show is None:
            self._check_room(training.tenant)
            show = _Show(training, self._checkpoints, self._settings, self._clock, self._users_code, self._start)
            self._shows[training.run_id] = show
            task = asyncio.get_running_loop().create_task(self._end_when_idle(training.run_id, show))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await show.frame(after)

    def _check_room(self, tenant: str) -> None:
        own = sum(show.training.tenant == tenant for show in self._shows.values())
        if own >= self._settings.watched_per_tenant:
            raise TooManyRequests(
                f"{own} trainings of this tenant are watched already, and {self._settings.watched_per_tenant} may be "
                "(RLP_EPISODES__WATCHED_PER_TENANT); close another one",
                retry_after_s=IDLE_S,
            )
        if len(self._shows) >= self._settings.watched:
            raise TooManyRequests(
                f"{len(self._shows)} trainings are watched, which is the most (RLP_EPISODES__WATCHED)",
                retry_after_s=IDLE_S,
            )

    async def _end_when_idle(self, run_id: str, show: _Show) -> None:
        try:
            while not show.failed and (show.drawing or self._clock.monotonic() < show.asked_at + IDLE_S):
                await self._clock.sleep(min(IDLE_S, 1.0))
        finally:
            del self._shows[run_id]
            await show.close()


class _Show:
    """One watched training."""

    def __init__(
        self,
        training: WatchedTraining,
        checkpoints: CheckpointStore,
        settings: EpisodeSettings,
        clock: Clock,
        users_code: UsersCode,
        start: StartWorker,
    ) -> None:
        self.training = training
        self.asked_at = clock.monotonic()
        self.failed = False
        self._checkpoints = checkpoints
        self._settings = settings
        self._clock = clock
        self._users_code = users_code
        self._start = start
        self._folder = Path(tempfile.mkdtemp(prefix="rlp-watch-"))
        self._worker: Worker | None = None
        self._policy: CheckpointInfo | None = None
        self._looked_at = float("-inf")
        self._newest: Frame | None = None
        self._drawing: asyncio.Task[Frame] | None = None

    @property
    def drawing(self) -> bool:
        """True while a picture is being drawn."""
        return self._drawing is not None and not self._drawing.done()

    async def frame(self, after: int) -> Frame:
        self.asked_at = self._clock.monotonic()
        if self._newest is not None and self._newest.number != after:
            return self._newest
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.get_running_loop().create_task(self._draw())
            self._drawing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._drawing)

    async def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            await asyncio.to_thread(self._worker.end)
        if self._drawing is not None:
            await asyncio.gather(self._drawing, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _draw(self) -> Frame:
        try:
            policy = await self._newest_policy()
            if self._worker is None:
                self._worker = await self._started()
            ask = asyncio.to_thread(self._worker.ask, {"checkpoint": policy.id})
            try:
                said, picture = await asyncio.wait_for(ask, FRAME_S)
            except TimeoutError:
                raise EngineError(f"the environment gave no picture within {FRAME_S:g} s") from None
        except NotReady:
            raise
        except BaseException:
            self.failed = True
            raise
        finally:
            self.asked_at = self._clock.monotonic()
        number = self._newest.number + 1 if self._newest is not None else 1
        about = {"checkpoint_id": policy.id, "iteration": policy.iteration, "env_steps": policy.env_steps}
        self._newest = Frame(number=number, picture=picture or None, **about, **said)
        return self._newest

    async def _newest_policy(self) -> CheckpointInfo:
        """Return the newest checkpoint, fetched into the folder."""
        now = self._clock.monotonic()
        if self._policy is not None and now < self._looked_at + LOOK_S:
            return self._policy
        self._looked_at = now
        try:
            self._policy = await asyncio.to_thread(self._fetch, self._policy)
        except (NotFound, CheckpointError):  # removed meanwhile: a newer one has taken its place
            if self._policy is None:
                raise NotReady("the checkpoint is being replaced; ask again") from None
        return self._policy

    def _fetch(self, known: CheckpointInfo | None) -> CheckpointInfo:
        found = self._checkpoints.list(self.training.run_id)
        if not found:
            if known is not None:
                return known
            raise NotReady("the training has no checkpoint yet; ask again", retry_after_s=LOOK_S)
        newest = max(found, key=lambda info: info.iteration)
        if known is None or newest.id != known.id:
            self._checkpoints.fetch(self.training.run_id, newest.id, self._folder / newest.id)
            if known is not None:
                shutil.rmtree(self._folder / known.id, ignore_errors=True)
        return newest

    async def _started(self) -> Worker:
        code = await self._users_code(self.training.env, self.training.run_id)
        job = {**self.training._asdict(), **code}
        return await asyncio.to_thread(self._start, "watch", job, self._folder, self._settings)
