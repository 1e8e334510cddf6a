"""Calls of an actor over a Unix socket, by processes of the same node.

A call through Ray wakes several threads of two processes in turn (``python -m tests.benchmarks.calls`` measures both
ways). Messages are unpickled, so that only the actor's user may open its socket. Processes of other nodes call through
Ray, and so do those of this node if no socket can be made. A message of many megabytes delays the messages after it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import struct
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from actors.rpc.serialization import pack, pack_value, perform, unpack
from rlplatform.errors import PlatformError, ServiceError, Unavailable

log = logging.getLogger(__name__)

BACKLOG = 4096
BUFFER_BYTES = 1 << 20

_LENGTH = struct.Struct("!Q")


class Address(NamedTuple):
    """Socket address of an actor, plus the token that proves the listener is the expected one."""

    node: str
    path: str
    token: str


class UnixRpcServer:
    """Server that answers calls of ``plain``'s methods, each in a separate task."""

    def __init__(self, plain: object) -> None:
        self.token = secrets.token_hex(16)
        self._plain = plain
        self._server: asyncio.Server | None = None
        self._working: set[asyncio.Task[None]] = set()

    async def open(self, path: Path) -> str | None:
        """Listen at ``path``, and replace any earlier listener.

        Returns:
            The absolute path of the socket; None if no socket can be made.
        """
        try:
            path = path.absolute()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX)
            try:
                listening.bind(str(path))
                path.chmod(0o600)  # set before listening, so that no one else can connect
                self._server = await asyncio.start_unix_server(
                    self._serve, sock=listening, backlog=BACKLOG, limit=BUFFER_BYTES
                )
            except BaseException:
                listening.close()
                raise
        except OSError as error:
            log.warning("no socket at %s, calls go through Ray: %s", path, error)
            return None
        return str(path)

    def close(self) -> None:
        """Stop accepting connections; existing ones stay open."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _send(writer, self.token)
        try:
            while (call := await _receive(reader)) is not None:
                task = asyncio.get_running_loop().create_task(self._answer(writer, *call))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, number: int, method: str, packed: bytes) -> None:
        try:
            good, answer = True, await perform(self._plain, method, packed)
        except (Exception, asyncio.CancelledError) as error:
            good, answer = False, _packed(error, method)
        if not writer.is_closing():
            _send(writer, (number, good, answer))


class UnixRpcClient:
    """Connection to a :class:`UnixRpcServer`, for any number of concurrent calls. It belongs to one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Sequence[Any] | None]] = {}
        self._receiving = asyncio.get_running_loop().create_task(self._receive(reader))
        self._receiving.add_done_callback(self._end)

    @classmethod
    async def open(cls, address: Address) -> UnixRpcClient:
        """Connect to the listener at ``address``.

        Raises:
            OSError: nothing listens there, or a listener other than the expected one.
        """
        reader, writer = await asyncio.open_unix_connection(address.path, limit=BUFFER_BYTES)
        try:
            if await _receive(reader) != address.token:
                raise ConnectionRefusedError(f"nobody listens at {address.path}, or another")
        except BaseException:
            writer.close()
            raise
        return cls(reader, writer)

    @property
    def gone(self) -> bool:
        """True if the peer has closed the connection."""
        return self._receiving.done() or self._writer.is_closing()

    def close(self) -> None:
        """Close the connection. Calls that wait for an answer raise :class:`Unavailable`."""
        self._receiving.cancel()

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``plain.method(*args, **kwargs)`` and return its value. Cancelling the caller does not cancel the call.

        Raises:
            PlatformError: the method raised it.
            ServiceError: the method raised an error that is not one of the platform's.
            Unavailable: the actor is gone. The call may have been carried out.
        """
        number, arguments = next(self._numbers), pack(args, kwargs)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            answered = None
            if not self.gone:
                _send(self._writer, (number, method, arguments))
                answered = await answer
        finally:
            del self._waiting[number]
        if answered is None:
            raise Unavailable(f"{method}: the actor is gone")
        good, packed = answered
        returned = unpack(packed)
        if not good:
            raise returned
        return returned

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        while (answer := await _receive(reader)) is not None:
            number, *answered = answer
            if (waiting := self._waiting.get(number)) is not None and not waiting.done():
                waiting.set_result(answered)

    def _end(self, receiving: asyncio.Task[None]) -> None:
        if not receiving.cancelled() and (error := receiving.exception()):
            log.error("what came over a line makes no sense: %s", error)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
        self._writer.close()


def _packed(error: BaseException, method: str) -> bytes:
    """Pack the error of ``method``: an error of the platform unchanged, any other without its traceback, which is
    logged."""
    try:
        if isinstance(error, PlatformError):
            return pack_value(error)
        log.error("%s failed", method, exc_info=error)
        return pack_value(ServiceError(f"{method} failed: {type(error).__name__}: {error}"))
    except Exception:
        return pack_value(ServiceError(f"{method} failed: {type(error).__name__}"))


def _send(writer: asyncio.StreamWriter, message: Any) -> None:
    packed = pack_value(message)
    writer.write(_LENGTH.pack(len(packed)) + packed)


async def _receive(reader: asyncio.StreamReader) -> Any:
    """Return the next message; None if the peer has closed the connection."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return unpack(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        return None
