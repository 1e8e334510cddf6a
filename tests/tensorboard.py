"""Event files, read back with tensorboardX's own messages and checksums."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event


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


def scalars(path: Path) -> list[tuple[str, int, float]]:
    """The scalars of an event file, in order: tag, step and value."""
    return [(value.tag, event.step, value.simple_value) for event in read(path) for value in event.summary.value]
