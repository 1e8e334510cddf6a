"""The recorder writes events in the background; whatever becomes of it, the training continues."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from rlplatform.runs.events import Event
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvaluated,
    TrainingIterationCompleted,
    TrainingRecovered,
)
from rlplatform.training.models import EvaluationReport
from rlplatform.training.run_folder.recorder import RunRecorder
from rlplatform.training.run_folder.writer import RunFolder

STREAM = "trainings/train_01jd0000000000000000000000"
NOW = FakeClock().now()


def iteration(number: int, mean: float = 0.0) -> Event:
    return TrainingIterationCompleted(
        stream=STREAM, seq=number, time=NOW, simulated=False, iteration=number, env_steps=100 * number, episodes=number,
        train_wall_s=0.1 * number, metrics={"rollout/episode_return_mean": mean},
    )  # fmt: skip


def evaluated(number: int) -> Event:
    report = EvaluationReport(
        episodes=1, episode_return_mean=7.0, episode_return_std=0.0, episode_return_min=7.0, episode_return_max=7.0,
        episode_length_mean=1.0,
    )  # fmt: skip
    return TrainingEvaluated(
        stream=STREAM, time=NOW, simulated=False, iteration=number, env_steps=100 * number, report=report
    )


def recovered(number: int, seq: int = 0) -> Event:
    return TrainingRecovered(
        stream=STREAM, seq=seq, time=NOW, simulated=False, checkpoint_id=None, iteration=number, env_steps=100 * number,
        redone_iterations=0, redone_env_steps=0,
    )  # fmt: skip


def no_history(after: int, limit: int) -> Sequence[Event]:
    raise AssertionError("nobody needs the log")


def record(path: Path, *happened: Event, history=no_history) -> RunRecorder:
    recorder = RunRecorder(path, MemoryCheckpoints(), history)
    for event in happened:
        recorder.take(event)
    recorder.close()
    return recorder


def rows(path: Path) -> list[tuple[int, float]]:
    with (path / "progress.csv").open() as file:
        return [(int(row["iteration"]), float(row["rollout/episode_return_mean"])) for row in csv.DictReader(file)]


def test_is_in_the_folder_soon_and_at_the_end(tmp_path: Path) -> None:
    recorder = RunRecorder(tmp_path, MemoryCheckpoints(), no_history)
    recorder.take(iteration(1))
    while not (tmp_path / "progress.csv").exists():
        time.sleep(0.01)
    recorder.take(iteration(2))
    recorder.close()
    recorder.close()
    assert [row[0] for row in rows(tmp_path)] == [1, 2]


def test_the_next_writer_goes_on_where_the_last_was_lost(tmp_path: Path) -> None:
    record(tmp_path, *(iteration(number) for number in range(1, 7)))
    with (tmp_path / "result.json").open("a") as file:
        file.write('{"iteration": 7, "env_st')  # the process was killed
    record(tmp_path, recovered(4), evaluated(4), iteration(5, 1.0), iteration(6, 1.0))
    assert rows(tmp_path) == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (6, 1)]
    assert (tmp_path / "result.json").read_text().count("\n") == 6
    with (tmp_path / "progress.csv").open() as file:
        assert [row["eval/episode_return_mean"] for row in csv.DictReader(file)] == ["", "", "", "7.0", "", ""]


@pytest.mark.parametrize("had", [0, 3])
def test_a_folder_that_lacks_rows_is_written_from_the_log(tmp_path: Path, had: int) -> None:
    record(tmp_path, *(iteration(number, 9.0) for number in range(1, had + 1)))
    back = recovered(4, seq=6)
    log = [*(iteration(number) for number in range(1, 6)), back, iteration(7, 5.0)]

    def history(after: int, limit: int) -> Sequence[Event]:
        return [event for event in log if event.seq > after][:2]

    record(tmp_path, back, iteration(5, 1.0), history=history)
    assert rows(tmp_path) == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1)]


def test_a_checkpoint_that_was_copied_before_the_rows_were_written_is_no_obstacle(tmp_path: Path) -> None:
    checkpoints = MemoryCheckpoints()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "session.json").write_text("{}")
    info = checkpoints.commit(
        samples.checkpoint(STREAM.rpartition("/")[2], 2),
        tmp_path / "source",
    )  # fmt: skip
    path = tmp_path / "run"
    saved = TrainingCheckpointSaved(stream=STREAM, seq=3, time=NOW, simulated=False, checkpoint=info)
    RunFolder(path, checkpoints).write(saved)  # and there the process was killed
    (path / "checkpoints" / "part").mkdir()
    back = recovered(2, seq=4)
    log = [iteration(1), iteration(2), saved, back]
    recorder = RunRecorder(path, checkpoints, lambda after, _: [event for event in log if event.seq > after])
    for event in (back, iteration(3, 1.0)):
        recorder.take(event)
    recorder.close()
    assert rows(path) == [(1, 0), (2, 0), (3, 1)]
    (copy,) = (path / "checkpoints").iterdir()
    assert copy.name == f"000002_{info.id}"
    assert (copy / "session.json").read_text() == "{}"


def test_an_evaluation_goes_into_a_row_that_is_written_already(tmp_path: Path) -> None:
    recorder = RunRecorder(tmp_path, MemoryCheckpoints(), no_history)
    for number in (1, 2):
        recorder.take(iteration(number))
    while not (tmp_path / "progress.csv").exists():
        time.sleep(0.01)
    recorder.take(evaluated(2))
    recorder.take(iteration(3))
    recorder.close()
    with (tmp_path / "progress.csv").open() as file:
        assert [row["eval/episode_return_mean"] for row in csv.DictReader(file)] == ["", "7.0", ""]
    assert (tmp_path / "result.json").read_text().count("\n") == 3


def test_a_folder_that_cannot_be_written_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        recorder = record(tmp_path / "file", iteration(1), iteration(2))
        recorder.take(iteration(3))
        recorder.close()
    assert len(caplog.records) == 1
    assert "is written no further" in caplog.text
