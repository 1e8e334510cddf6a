"""Host users of containers. Each living container has a user id of its own.

The kernel counts pipe buffers, descriptors in flight, pending signals and more for each user of the host. The engine
arbitrates: a container's name contains its user id, and an engine gives a name only once. An id is therefore free again
when its container is gone, even if its owner died, and pools of several processes never share one. Engines on one
machine do not know each other's names, so ids are drawn at random from 120 million.
"""

from __future__ import annotations

import secrets

from rlplatform.errors import SandboxUnavailable

GROUP = 65534
DEFAULT_RANGE = "1880000000-1999999999"
"""Unused ids on common systems: above those of systemd-nspawn, below those of dynamic and foreign users."""

REMAPPED_RANGE = "10000-59999"
"""Range for engines with a user namespace (rootless, ``userns-remap``), which usually maps 65536 ids."""

_LOWEST, _HIGHEST = 1000, (1 << 31) - 1


class Users:
    """Range of user ids, given as text such as ``1880000000-1999999999``.

    Raises:
        SandboxUnavailable: ``text`` is not such a range.
    """

    def __init__(self, text: str) -> None:
        first, _, last = text.partition("-")
        if not (first.isdecimal() and last.isdecimal() and _LOWEST <= int(first) <= int(last) <= _HIGHEST):
            raise SandboxUnavailable(
                f"RLP_SANDBOX__UIDS is {text!r}; give a range of user ids between {_LOWEST} and {_HIGHEST} that "
                f"nothing else on this machine uses, for example {DEFAULT_RANGE}"
            )
        self._first, self._count = int(first), int(last) - int(first) + 1

    def draw(self) -> int:
        """Return a random id. The engine decides whether it is free."""
        return self._first + secrets.randbelow(self._count)
