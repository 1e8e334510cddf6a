"""Records: what a forked child says about itself, on its own pipe."""

from __future__ import annotations

import os

from . import protocol

RECORDS_FD = 3


def write_record(kind: bytes, payload: bytes = b"") -> None:
    """Write a record to the host."""
    write(protocol.record(kind, payload))


def write(data: bytes) -> None:
    """Write whole records, as bytes, to the host."""
    while data:
        data = data[os.write(RECORDS_FD, data) :]
