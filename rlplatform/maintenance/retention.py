"""Retention: delete finished runs after the configured number of days, with their events, checkpoints and run
folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from rlplatform.clock import Clock
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import Conflict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import Kind, least_id
from rlplatform.runs.ports import RunStore
from rlplatform.runs.records import Run, RunSummary
from rlplatform.settings import RetentionSettings
from rlplatform.store import Store
from rlplatform.studies.models import StudyState
from rlplatform.training.checkpoints.retention import superseded
from rlplatform.training.models import CheckpointInfo, TrainingState
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun, TrainingSummary

_PAGE = 100
_OVER = {
    Kind.EVALUATION: ("finished", "cancelled", "failed"),
    Kind.TRAINING: TrainingState.ended(),
    Kind.STUDY: StudyState.ended(),
}


def outlived(run: Run | RunSummary, settings: RetentionSettings, now: datetime) -> bool:
    """Return True if ``run`` finished longer ago than its kind is kept. Policies are kept until they are deleted."""
    days = {
        "evaluation": settings.evaluation_days,
        "training": settings.training_days,
        "study": settings.training_days,
    }.get(run.kind)
    ended = getattr(run.document, "finished_at", None)
    return days is not None and ended is not None and now - ended >= timedelta(days=days)


async def resumed_from(store: RunStore) -> set[str]:
    """Return the ids of the checkpoints that unfinished trainings resume from."""
    found: set[str] = set()
    before = None
    while page := await store.summaries("training", states=TrainingState.unfinished(), before=before, limit=_PAGE):
        before = page[-1].id
        parents = (run.document.request.resume_from for run in page if isinstance(run, TrainingSummary))
        found |= {parent for parent in parents if parent is not None}
    return found


class Retention:
    """Deletes what has outlived its time.

    Of a training the files go first, the record last: an interrupted sweep is completed by the next.

    Args:
        remove_folders: removes the run folders of these trainings, wherever they are.
        episodes: recorded episodes, which are removed with their run; None: there are none.
    """

    def __init__(
        self,
        store: Store,
        checkpoints: CheckpointStore,
        settings: RetentionSettings,
        clock: Clock,
        remove_folders: Callable[[Sequence[str]], Awaitable[None]],
        episodes: EpisodeStore | None = None,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._settings = settings
        self._clock = clock
        self._remove_folders = remove_folders
        self._episodes = episodes
        self.removing = asyncio.Lock()
        """While it is held, no checkpoint goes: for who makes a training of one."""

    async def sweep(self) -> int:
        """Delete what is due; return how many runs that were."""
        swept = 0
        if self._settings.evaluation_days is not None:
            async for page in self._due(Kind.EVALUATION, self._settings.evaluation_days):
                await asyncio.gather(*(self._remove_evaluation(run.id) for run in page))
                swept += len(page)
        if self._settings.training_days is not None:
            async for page in self._due(Kind.STUDY, self._settings.training_days):
                await asyncio.gather(*(self._store.remove(run.id) for run in page))
                swept += len(page)
            async for page in self._due(Kind.TRAINING, self._settings.training_days):
                swept += await self._remove_trainings([run.id for run in page])
        return swept

    async def delete_run(self, run: Run) -> None:
        """Delete a finished run before its time.

        Raises:
            Conflict: it has not finished, or an unfinished training starts from one of its checkpoints.
        """
        if not run.final:
            raise Conflict(
                f"{run.id} is {run.state}: stop it first; only a finished run can be deleted", state=run.state
            )
        if isinstance(run, EvaluationRun):
            await self._remove_evaluation(run.id)
        elif not isinstance(run, TrainingRun):
            await self._store.remove(run.id)
        elif not await self._remove_trainings([run.id]):
            why = f"a training that has not finished starts from a checkpoint of {run.id}; stop it first"
            raise Conflict(why, state=run.state)

    async def delete(self, checkpoint: CheckpointInfo, owner: TrainingRun) -> None:
        """Delete one of the checkpoints of ``owner`` before its time.

        Raises:
            Conflict: an unfinished training would be recovered from it, or begins from it.
        """
        async with self.removing:
            if not owner.final and not await asyncio.to_thread(superseded, checkpoint, self._checkpoints):
                why = f"{owner.id} would be recovered from {checkpoint.id}; stop it, or wait for its next checkpoint"
                raise Conflict(why, state=owner.state)
            if checkpoint.id in await resumed_from(self._store):
                raise Conflict(f"a training that is not over begins from {checkpoint.id}", state=owner.state)
            await asyncio.to_thread(self._checkpoints.delete, owner.id, checkpoint.id)

    async def _due(self, kind: Kind, days: float) -> AsyncIterator[list[RunSummary]]:
        """Yield runs that have outlived ``days``, page by page: they are among those that were made that long ago."""
        now = self._clock.now()
        before = least_id(kind, now - timedelta(days=days) + timedelta(milliseconds=1))
        while page := await self._store.summaries(kind.name.lower(), states=_OVER[kind], before=before, limit=_PAGE):
            before = page[-1].id
            if due := [run for run in page if outlived(run, self._settings, now)]:
                yield due

    async def _remove_evaluation(self, run_id: str) -> None:
        if self._episodes is not None:
            await asyncio.to_thread(self._episodes.clear, run_id)
        await self._store.remove(run_id)

    async def _remove_trainings(self, ids: Sequence[str]) -> int:
        free = [run_id for run_id in ids if not await self._wanted(run_id)]
        await self._remove_folders(free)
        removed = 0
        for run_id in free:
            async with self.removing:
                if not await self._wanted(run_id):
                    await asyncio.to_thread(self._checkpoints.clear, run_id)
                    if self._episodes is not None:
                        await asyncio.to_thread(self._episodes.clear, run_id)
                    await self._store.remove(run_id)
                    removed += 1
        return removed

    async def _wanted(self, training_id: str) -> bool:
        """Return True if an unfinished training resumes from a checkpoint of this one."""
        parents = await resumed_from(self._store)
        return bool(parents) and not parents.isdisjoint(await asyncio.to_thread(self._saved, training_id))

    def _saved(self, training_id: str) -> set[str]:
        return {info.id for info in self._checkpoints.list(training_id)}
