"""Choice of TCP ports for servers that start a while later."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 20_000
"""Above the ports of well-known services, and of Ray's workers (10002 to 19999)."""


def free_ports(count: int, ephemeral: Path = _EPHEMERAL) -> list[int]:
    """Return ``count`` different ports of this machine on which nobody listens.

    They lie below the kernel's ephemeral ports: any process may get one of those for a connection of its own, before
    the server has started. Where there is no room below them, the kernel chooses.

    Args:
        count: how many.
        ephemeral: the file with the first and the last ephemeral port.

    Raises:
        OSError: there are not so many.
    """
    found: list[int] = []
    with ExitStack() as bound:
        for port in _candidates(ephemeral):
            if len(found) == count:
                break
            probe = bound.enter_context(socket.socket())
            try:
                probe.bind(("", port))
            except OSError:
                if port == 0:
                    raise
                continue
            found.append(probe.getsockname()[1])
    return found


def _candidates(ephemeral: Path) -> Iterator[int]:
    """Yield ports below the ephemeral ones in random order, then 0 without end."""
    try:
        end = int(ephemeral.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        end = _FIRST
    below = range(_FIRST, end)
    yield from random.SystemRandom().sample(below, len(below))
    while True:
        yield 0
