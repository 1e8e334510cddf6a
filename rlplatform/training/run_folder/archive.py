"""A run folder as one tar archive, made from the event log: the same bytes for the same log, on any node."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rlplatform.errors import CheckpointError, NotFound
from rlplatform.runs.ports import EncodedEvent
from rlplatform.training.events import (
    TrainingEvaluated,
    TrainingEvent,
    TrainingIterationCompleted,
    TrainingRecovered,
    TrainingStarted,
)
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun
from rlplatform.training.run_folder.writer import RunFolder

ReadLog = Callable[[int, int], Sequence[EncodedEvent]]
"""Returns events of a training after a sequence number, at most the given number of them; blocking."""

PAGE = 1000
_WRITTEN: dict[str, type[TrainingEvent]] = {
    event.model_fields["type"].default: event
    for event in (TrainingStarted, TrainingIterationCompleted, TrainingEvaluated, TrainingRecovered)
}


def write_archive(directory: Path, run: TrainingRun, read: ReadLog, checkpoints: CheckpointStore | None) -> Path:
    """Write ``ID.tar`` into ``directory``: the run folder, ``events.ndjson``, ``training.json``, kept checkpoints.

    It covers the events up to ``run.seq``. ``monitor.csv`` is left out: the log has no single episodes.
    """
    files = directory / run.id
    _write_folder(files, run, read)
    (files / "training.json").write_text(run.document.model_dump_json(indent=2) + "\n")
    (files / "monitor.csv").unlink(missing_ok=True)
    for number, board in enumerate(sorted(files.glob("events.out.tfevents.*"))):
        board.rename(files / f"events.out.tfevents.{board.name.split('.')[3]}.{run.id}.{number}")
    if checkpoints is not None:
        _copy_checkpoints(files / "checkpoints", run.id, checkpoints)
    archive = directory / f"{run.id}.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(files, arcname=run.id, filter=lambda entry: _plain(entry, int(run.document.created_at.timestamp())))
    shutil.rmtree(files)
    return archive


def _write_folder(path: Path, run: TrainingRun, read: ReadLog) -> None:
    folder = RunFolder(path)
    after = 0
    with (path / "events.ndjson").open("w") as lines:
        while after < run.seq and (page := read(after, PAGE)):
            for event in (each for each in page if each.seq <= run.seq):
                lines.write(event.data + "\n")
                if (kind := _WRITTEN.get(event.type)) is not None:
                    folder.write(kind.model_validate_json(event.data))
            after = page[-1].seq
            folder.flush()
    folder.close()


def _copy_checkpoints(folder: Path, training_id: str, checkpoints: CheckpointStore) -> None:
    for info in checkpoints.list(training_id):
        target = folder / f"{info.iteration:06d}_{info.id}"
        try:
            checkpoints.fetch(training_id, info.id, target)
        except (NotFound, CheckpointError):  # deleted meanwhile, or damaged: the others are still wanted
            shutil.rmtree(target, ignore_errors=True)


def _plain(entry: tarfile.TarInfo, time: int) -> tarfile.TarInfo:
    """Return an entry that is equal on every node and at every time."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    entry.mtime = time
    return entry
