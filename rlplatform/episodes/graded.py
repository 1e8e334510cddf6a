"""Episodes of one evaluation: collected test by test, stored once the judgement is final."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rlplatform.episodes.played import PlayedEpisode, worth_keeping
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.episodes.recorder import RecordedFor
from rlplatform.episodes.recording import Recording
from rlplatform.errors import PlatformError

log = logging.getLogger(__name__)

MOST = 96
"""Episodes that are kept of one evaluation; of each test at most three."""
MOST_BYTES = 48 << 20
"""Size of their actions and rewards."""


class GradedEpisodes:
    """Recorded episodes of one evaluation. A failure to store them costs a line in the log, never the verdict."""

    def __init__(self, store: EpisodeStore, owner: RecordedFor, env: str) -> None:
        self._store, self._owner, self._env = store, owner, env
        self._recordings: dict[str, list[Recording]] = {}
        self._count = self._bytes = 0

    def add(self, test: str, played: Sequence[PlayedEpisode], *, hidden: bool) -> None:
        """Keep the best, the median and the worst episode of a test, as long as there is room."""
        for episode, roles in worth_keeping(played):
            self._count += 1
            self._bytes += episode.nbytes
            if self._count > MOST or self._bytes > MOST_BYTES:
                return
            kept = episode.recording(self._env, roles, self._owner, test=test, hidden=hidden)
            self._recordings.setdefault(test, []).append(kept)

    def store(self) -> None:
        """Store what was kept, in place of what an earlier attempt at the evaluation has stored. Blocking."""
        try:
            self._store.clear(self._owner.run_id)
            for recordings in self._recordings.values():
                self._store.put(recordings)
        except PlatformError as error:
            log.warning("%s: its episodes are not kept: %s", self._owner.run_id, error)
