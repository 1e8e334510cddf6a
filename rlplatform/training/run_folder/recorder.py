"""Write a training's run folder in a separate thread, without slowing the training down."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from rlplatform.runs.events import Event
from rlplatform.training.events import TrainingRecovered, TrainingResumed
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.run_folder.monitor_file import Episode
from rlplatform.training.run_folder.writer import RunFolder

log = logging.getLogger(__name__)

FLUSH_S = 1.0
CLOSE_S = 10.0
PAGE = 500

History = Callable[[int, int], Sequence[Event]]
"""Returns events of the training after a sequence number, at most the given number of them; blocking."""


class RunRecorder:
    """Takes events from any thread, and writes them to the folder about a second later.

    A failure, for example a full disk, is logged once. Nothing is written after it, and the training continues.
    """

    def __init__(self, path: Path, checkpoints: CheckpointStore, history: History) -> None:
        """Start the thread.

        ``history`` is read if a recovered training finds a folder that is missing or incomplete.
        """
        self._path = path
        self._checkpoints = checkpoints
        self._history = history
        self._events: queue.SimpleQueue[tuple[Event, Sequence[Episode]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="run-folder", daemon=True)
        self._closing = threading.Event()
        self._given_up = False
        self._thread.start()

    def take(self, event: Event, episodes: Sequence[Episode] = ()) -> None:
        """Take one event that is already in the log, and the episodes of its iteration. Never blocks, never raises."""
        if not self._given_up:
            self._events.put((event, episodes))

    def close(self) -> None:
        """Wait until all taken events are written, at most ``CLOSE_S`` seconds. Idempotent."""
        self._events.put(None)
        self._closing.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            self._record()
        except Exception as error:
            self._given_up = True
            log.warning("the run folder %s is written no further: %s: %s", self._path, type(error).__name__, error)

    def _record(self) -> None:
        taken = self._events.get()
        if taken is None:
            return
        folder = RunFolder(self._path, self._checkpoints)
        try:
            while taken is not None:
                event, episodes = taken
                if folder.iteration < _continues_from(event):
                    self._catch_up(folder, event)
                folder.write(event, episodes)
                try:
                    taken = self._events.get_nowait()
                except queue.Empty:
                    folder.flush()
                    self._closing.wait(FLUSH_S)
                    taken = self._events.get()
        finally:
            folder.close()

    def _catch_up(self, folder: RunFolder, until: Event) -> None:
        """Write the folder again from the log, up to the event ``until``."""
        folder.clear()
        after = 0
        while page := self._history(after, PAGE):
            for event in page:
                if event.id == until.id:
                    return
                folder.write(event)
            after = page[-1].seq
            folder.flush()


def _continues_from(event: Event) -> int:
    """Return the iteration that a new trainer continues from; 0 for events that do not start a trainer."""
    match event:
        case TrainingRecovered():
            return event.iteration
        case TrainingResumed():
            return event.progress.iteration
        case _:
            return 0
