"""Input of a program that is piped into the command."""

from __future__ import annotations

import sys

from rlplatform.client import Client

_INLINE_BYTES = 64 << 10


def piped_input(client: Client) -> str | dict[str, str]:
    """Return what is piped into this process: as text, or uploaded if it is long or no text. Empty on a terminal."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    piped = sys.stdin.buffer.read()
    if len(piped) <= _INLINE_BYTES:
        try:
            return piped.decode()
        except UnicodeDecodeError:
            pass
    return {"file": client.upload_file(piped, name="stdin").id}
