"""Owner of studies: keeps a controller on every study that has not ended."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial

from rlplatform.clock import Clock
from rlplatform.errors import Fenced, NotFound, PlatformError
from rlplatform.retries import Backoff, retry, with_timeout
from rlplatform.store import Store
from rlplatform.studies.models import StudyState
from rlplatform.studies.record import StudyRun
from rlplatform.training.ports import TrainingCommands

log = logging.getLogger(__name__)

LOOK_S = 10.0
_PAGE = 100


class StudyOwner:
    """Finds unfinished studies in the store, and runs a controller for each.

    A controller that fails is replaced by a new one, which continues from the log. So is one whose process was lost.
    """

    def __init__(self, store: Store, trainings: TrainingCommands, clock: Clock) -> None:
        self._store = store
        self._trainings = trainings
        self._clock = clock
        self._wake = asyncio.Event()
        self._owned: dict[str, asyncio.Task[None]] = {}

    async def wake(self) -> None:
        """Look for new studies now."""
        self._wake.set()

    async def run(self) -> None:
        """Own studies until cancelled."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._adopt()
                except PlatformError as error:
                    log.warning("cannot look for studies; trying again: %s", error)
                with suppress(TimeoutError):
                    await with_timeout(self._clock, LOOK_S, self._wake.wait())
        finally:
            for task in self._owned.values():
                task.cancel()

    async def _adopt(self) -> None:
        before = None
        while page := await self._store.summaries("study", states=StudyState.unfinished(), before=before, limit=_PAGE):
            for run in page:
                if run.id not in self._owned:
                    task = self._owned[run.id] = asyncio.get_running_loop().create_task(self._own(run.id))
                    task.add_done_callback(partial(self._forget, run.id))
            before = page[-1].id

    def _forget(self, study_id: str, _: asyncio.Task[None]) -> None:
        self._owned.pop(study_id, None)

    async def _own(self, study_id: str) -> None:
        """Control a study to its end, whatever fails meanwhile."""
        from actors.studies.controller import StudyController  # imports Optuna, which only this process needs

        backoff = Backoff(self._clock, most_s=30.0)
        while True:
            try:
                epoch = await retry(self._clock, partial(self._store.acquire, study_id))
                run = await retry(self._clock, partial(self._store.get, study_id))
                assert isinstance(run, StudyRun)
                if not run.final:
                    await StudyController(run, epoch, self._store, self._trainings, self._clock).run()
                return
            except (Fenced, NotFound) as error:
                log.info("%s is left: %s", study_id, error)
                return
            except Exception as error:
                unknown = not isinstance(error, PlatformError)
                log.error("controlling %s failed; trying again: %s", study_id, error, exc_info=unknown)
                await backoff.wait()
