"""Episodes of a training's policy evaluations: which evaluations are recorded, and their storage."""

from __future__ import annotations

import logging

from rlplatform.clock import Clock
from rlplatform.episodes.models import EpisodeInfo
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.episodes.recorder import EpisodeRecorder, RecordedFor
from rlplatform.errors import PlatformError
from rlplatform.training.models import Progress

log = logging.getLogger(__name__)

ALL_OF_THE_FIRST = 128
"""Evaluations of which each is recorded. Of the next as many every second is, then every fourth, and so on."""


def is_recorded(earlier: int) -> bool:
    """Return True if the evaluation after ``earlier`` ones is recorded: about as many in each doubling of a run."""
    stride = 1
    while earlier >= ALL_OF_THE_FIRST * stride:
        stride *= 2
    return earlier % stride == 0


class EvaluationRecords:
    """Recorded episodes of one training. A failure to store them costs a line in the log, never the training."""

    def __init__(self, run_id: str, store: EpisodeStore | None, clock: Clock) -> None:
        self._run_id = run_id
        self._store = store
        self._clock = clock

    def recorder(self, earlier: int | None) -> EpisodeRecorder | None:
        """Return a recorder for an evaluation, or None if it is not recorded.

        ``earlier`` is the number of evaluations before it; None for the last one, which is always recorded.
        """
        recorded = self._store is not None and (earlier is None or is_recorded(earlier))
        return EpisodeRecorder() if recorded else None

    def store(self, recorder: EpisodeRecorder, progress: Progress) -> list[EpisodeInfo]:
        """Store what ``recorder`` holds, and return the stored episodes: none if that failed."""
        assert self._store is not None
        owner = RecordedFor(self._run_id, self._clock.now(), progress.iteration, progress.env_steps)
        try:
            return self._store.put(recorder.recordings(owner))
        except PlatformError as error:
            log.warning("%s: the episodes of an evaluation are not kept: %s", self._run_id, error)
            return []
