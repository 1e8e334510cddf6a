"""Record and event log of one study, as its controller reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from rlplatform.clock import Clock
from rlplatform.retries import retry
from rlplatform.runs.ports import EncodedEvent
from rlplatform.store import Store
from rlplatform.studies.events import StudyEvent
from rlplatform.studies.models import Study, StudyRequest, Trial
from rlplatform.studies.record import StudyRun
from rlplatform.training.record import TrainingRun


class StudyLog:
    """Reads and writes with the fencing token ``epoch``. A call that fails for a while is repeated until it succeeds.

    ``run`` is the study after the last write or :meth:`refresh`.
    """

    def __init__(self, run: StudyRun, epoch: int, store: Store, clock: Clock) -> None:
        self.run = run
        self._epoch = epoch
        self._store = store
        self._clock = clock

    @property
    def document(self) -> Study:
        return self.run.document

    @property
    def request(self) -> StudyRequest:
        return self.run.document.request

    @property
    def unfinished(self) -> list[Trial]:
        """Trials that have not finished."""
        return [trial for trial in self.document.trials if trial.finished_at is None]

    async def append(self, event: type[StudyEvent], **fields: object) -> None:
        """Append an event of the class ``event`` with these fields.

        Raises:
            Fenced: another controller owns the study.
        """
        made = event.model_validate({"stream": self.run.stream, "time": self._clock.now(), **fields})
        await retry(self._clock, partial(self._store.append, self.run.stream, [made], epoch=self._epoch))
        await self.refresh()

    async def refresh(self) -> None:
        """Read the study again."""
        run = await retry(self._clock, partial(self._store.get, self.run.id))
        assert isinstance(run, StudyRun)
        self.run = run

    async def read(self, after: int, limit: int) -> Sequence[EncodedEvent]:
        """Return the study's next events after the number ``after``."""
        return await retry(self._clock, partial(self._store.read, self.run.stream, after=after, limit=limit))

    async def tail(self, cursors: Mapping[str, int], wait_s: float) -> Mapping[str, Sequence[EncodedEvent]]:
        """Wait for new events of the streams in ``cursors``, and return them.

        Raises:
            NotFound: one of the streams does not exist.
        """
        return await retry(self._clock, partial(self._store.tail, cursors, wait_s=wait_s))

    async def training(self, training_id: str) -> TrainingRun:
        """Return a training.

        Raises:
            NotFound: it does not exist.
        """
        run = await retry(self._clock, partial(self._store.get, training_id))
        assert isinstance(run, TrainingRun)
        return run
