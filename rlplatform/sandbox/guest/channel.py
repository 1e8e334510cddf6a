"""The guest's end of the control socket."""

from __future__ import annotations

import array
import json
import os
import select
import socket
import time
from typing import Any

from .protocol import MAX_MESSAGE

_MAX_DESCRIPTORS = 6
_NO_MARKERS: dict[int, Any] | None = None
_encode = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    _NO_MARKERS, str, json.encoder.encode_basestring_ascii, None, ": ", ", ", False, False, False
)
_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Closed(Exception):
    """The host is gone or has let the lease run out."""


class Channel:
    """Commands in, answers out. Every command renews the lease; a run may lengthen it, nothing shortens it."""

    def __init__(self, path: str, lease_s: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(path)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._lease_s = lease_s
        self._deadline = time.monotonic() + lease_s

    def close(self) -> None:
        self._socket.close()

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.send("".join(_encode(message, 0)).encode())
        except OSError:
            raise Closed from None

    def receive(self, other: int | None = None) -> tuple[dict[str, Any], list[int]] | None:
        """The next command with its descriptors; None if there is none and the descriptor ``other`` can be read.

        :raises Closed: the host is gone.
        """
        if other is not None:
            self._poll.register(other, select.POLLIN)
        ready = self._poll.poll(max(0.0, self._deadline - time.monotonic()) * 1000)
        if other is not None:
            self._poll.unregister(other)
        if not ready:
            raise Closed
        if ready[0][0] == other and len(ready) == 1:
            return None
        data, ancillary, _, _ = self._socket.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(4 * _MAX_DESCRIPTORS))
        if not data:
            raise Closed
        descriptors = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(payload[: len(payload) // 4 * 4])
        self.renew()
        return _decode(data.decode(), 0)[0], list(descriptors)

    def renew(self) -> None:
        """The host was heard, here or by another process of the guest. A longer lease of a run stays."""
        self.extend(self._lease_s)

    def extend(self, seconds: float) -> None:
        """The lease lasts at least ``seconds`` more: a run is on."""
        self._deadline = max(self._deadline, time.monotonic() + seconds)


def read_all(descriptor: int) -> bytes:
    """Everything that can be read from ``descriptor``, which is closed."""
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()
