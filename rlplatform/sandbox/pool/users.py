"""Host users of containers: each living container has a user id of its own, as the kernel counts pipe buffers,
descriptors in flight, pending signals and more for each user of the host.

The engine arbitrates: a container's name holds its user id, and an engine gives a name once. An id is therefore free
again when its container is gone, also if its owner died, and pools of several processes never share one. Engines that
share a machine do not know of each other's names; ids are drawn at random from 120 million.
"""

from __future__ import annotations

import secrets

from rlplatform.errors import SandboxUnavailable

GROUP = 65534
DEFAULT_RANGE = "1880000000-1999999999"
"""Free on common systems: above the ids of systemd-nspawn, below those of dynamic and foreign users."""

REMAPPED_RANGE = "10000-59999"
"""For engines with a user namespace of their own (rootless, ``userns-remap``), which maps 65536 ids as a rule."""

_LOWEST, _HIGHEST = 1000, (1 << 31) - 1


class Users:
    """User ids from ``text``, such as ``1880000000-1999999999``.

    Raises:
        SandboxUnavailable: ``text`` cannot be read.
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
        """Return an id at random; the engine knows whether it is free."""
        return self._first + secrets.randbelow(self._count)
