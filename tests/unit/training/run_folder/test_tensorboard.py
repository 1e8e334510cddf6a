"""Event files are what TensorBoard reads."""

from __future__ import annotations

from pathlib import Path

from tensorboardX.proto.event_pb2 import SessionLog

from rlplatform.training.run_folder.tensorboard import EventFile
from tests.tensorboard import read


def test_what_is_written_is_what_tensorboard_reads(tmp_path: Path) -> None:
    file = EventFile(tmp_path, 1234.5)
    values = {"rollout/episode_return_mean": 21.5, "train/loss": -1e300, "time/größe": 0.0}
    file.scalars(values, 2**40, 1235.25)
    file.restart(300, 1236.0)
    file.close()
    (path,) = tmp_path.glob("events.out.tfevents.0000001234.*")
    version, scalars, restart = read(path)
    assert (version.file_version, version.wall_time) == ("brain.Event:2", 1234.5)
    assert (scalars.step, scalars.wall_time) == (2**40, 1235.25)
    assert {value.tag: value.simple_value for value in scalars.summary.value} == {
        **values,
        "train/loss": float("-inf"),
    }
    assert (restart.step, restart.session_log.status) == (300, SessionLog.START)


def test_two_files_of_one_second_are_two(tmp_path: Path) -> None:
    for _ in range(2):
        EventFile(tmp_path, 1.0).close()
    assert len(list(tmp_path.iterdir())) == 2
