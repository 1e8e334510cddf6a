"""Event files, read back with tensorboardX's own messages and checksums."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event, SessionLog

from rlplatform.training.run_folder.tensorboard import EventFile


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read(path: Path) -> list[Any]:
    """The messages of an event file; every checksum is checked."""
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack_from("<Q", data)
        assert struct.unpack_from("<I", data, 8) == (masked(data[:8]),)
        message = data[12 : 12 + length]
        assert struct.unpack_from("<I", data, 12 + length) == (masked(message),)
        event = Event()
        event.ParseFromString(message)
        found.append(event)
        data = data[16 + length :]
    return found


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
