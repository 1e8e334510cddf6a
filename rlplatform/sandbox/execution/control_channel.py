"""Host side of the control socket. Every message is validated as if a hostile program had sent it.

Protocol: :mod:`rlplatform.sandbox.guest.protocol`.
"""

from __future__ import annotations

import array
import json
import os
import secrets
import shutil
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.reachable import make_reachable
from rlplatform.sandbox.guest import protocol
from rlplatform.sandbox.guest.protocol import FEW, MANY, NONE

_PEER_CREDENTIALS = struct.Struct("3i")
_ASK_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """Report about the child process of one run.

    It has the child's wait status, the number of other processes that had to be killed, True if all files are removed,
    and how many traces the run left in the kernel's counters (``guest.isolation.view``).
    """

    status: int
    strays: int
    clean: bool
    traces: int = 0


class Channel:
    """Connection to one guest. Every failure is a :class:`SandboxFault`.

    ``kernel`` is the name of the guest's kernel, from its greeting.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.kernel: str | None = None
        self.peer_pid, self.peer_uid, _ = _PEER_CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        )

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a command. ``descriptors`` stay open in this process."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._socket.sendmsg([json.dumps(message).encode()], ancillary)
        except OSError as error:
            raise SandboxFault(f"the sandbox does not take commands: {error.strerror or error}") from error

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the next message as an object; None if the guest has closed. Descriptors sent with it are dropped."""
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(protocol.MAX_MESSAGE)
        except TimeoutError as error:
            raise SandboxFault(f"the sandbox said nothing for {timeout_s:g} s") from error
        except OSError:
            return None
        return parse_message(data) if data else None

    def expect(self, key: str, timeout_s: float) -> Any:
        """Return the value of ``key`` in the next message.

        Raises:
            SandboxFault: the guest has closed, reports a fault, or sends a message without ``key``.
        """
        message = self.receive(timeout_s)
        if message is None:
            raise SandboxFault(f"the sandbox closed where {key!r} was expected")
        if "fault" in message:
            raise SandboxFault(f"the sandbox reports: {message['fault']!s:.300}")
        if key not in message:
            raise SandboxFault(f"the sandbox sent {sorted(message)!r:.200} where {key!r} was expected")
        return message[key]

    def close(self) -> None:
        """Close the connection. The guest then exits, and its container ends."""
        self._socket.close()


def parse_message(data: bytes) -> dict[str, Any]:
    """Parse one packet as a JSON object.

    Raises:
        SandboxFault: the packet is not a JSON object.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SandboxFault("the sandbox sent no JSON") from error
    if not isinstance(message, dict):
        raise SandboxFault("the sandbox sent no JSON object")
    return message


def parse_report(message: Mapping[str, Any]) -> Report | None:
    """Parse the report of a run; None if the message says that the jail has ended instead.

    Raises:
        SandboxFault: the message is malformed.
    """
    if "closed" in message:
        return None
    status, strays, clean, traces = (message.get(name) for name in ("status", "strays", "clean", "traces"))
    if type(status) is not int or type(strays) is not int or type(clean) is not bool or not 0 <= status <= 0xFFFF:
        raise SandboxFault("the sandbox sent a malformed report")
    if type(traces) is not int or traces not in (NONE, FEW, MANY):
        raise SandboxFault("the sandbox sent a malformed report")
    return Report(status, strays, clean, traces)


class Rendezvous:
    """Fresh directory with one socket, mounted into one container. It accepts one connection, and is removed then."""

    def __init__(self, parent: Path) -> None:
        self.directory = parent / secrets.token_hex(8)
        make_reachable(self.directory, 0o755)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        try:
            self._listener.bind(f"/proc/self/fd/{folder}/s")  # the path of a socket has at most 107 bytes
            (self.directory / "s").chmod(0o666)
            self._listener.listen(1)
        except OSError:
            self.close()
            raise
        finally:
            os.close(folder)

    def accept(self, timeout_s: float, is_alive: Callable[[], bool]) -> Channel:
        """Wait until the guest has connected and reported that it is ready; return its channel.

        ``is_alive`` is called from time to time during the wait.

        Raises:
            SandboxFault: the guest does not connect, or has another version.
        """
        channel = Channel(self._await(timeout_s, is_alive))
        try:
            greeting = channel.expect("ready", timeout_s)
            version = greeting.get("version") if isinstance(greeting, dict) else greeting
            if version != protocol.VERSION:
                raise SandboxFault(
                    f"the image's guest speaks version {version!r:.32}, this host {protocol.VERSION}: rebuild the image"
                )
            channel.kernel = greeting.get("kernel")
        except SandboxFault:
            channel.close()
            raise
        return channel

    def _await(self, timeout_s: float, is_alive: Callable[[], bool]) -> socket.socket:
        deadline = time.monotonic() + timeout_s
        self._listener.settimeout(min(timeout_s, _ASK_AFTER_S))
        while True:
            try:
                return self._listener.accept()[0]
            except TimeoutError as error:
                if not is_alive():
                    raise SandboxFault("the sandbox ended before it answered") from error
                if time.monotonic() > deadline:
                    raise SandboxFault(f"the sandbox did not start within {timeout_s:g} s") from error

    def close(self) -> None:
        self._listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Rendezvous:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def memory_file(data: bytes) -> int:
    """Return a read-only descriptor of an anonymous file that contains ``data``. The caller has to close it."""
    writable = os.memfd_create("rlp")
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(writable, view) :]
        return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writable)


@dataclass(frozen=True, slots=True)
class RunCache:
    """Records that the forked child wrote during a run.

    ``started``, ``running`` and ``compile_fault`` can be trusted; the submission may have forged the rest.
    """

    started: bool = False
    running: bool = False
    compile_fault: str | None = None
    value: bytes | None = None
    memory_refused: bool = False
    describe_error: str | None = None


def parse_records(data: bytes, nonce: str) -> RunCache:
    """Parse the record stream of one run. Never raises: the submission may have written anything after ``RUNNING``."""
    started = running = refused = False
    fault = describe_error = None
    value: bytes | None = None
    at = 0
    while len(data) - at >= protocol.RECORD.size:
        kind, length = protocol.RECORD.unpack_from(data, at)
        at += protocol.RECORD.size
        if length > len(data) - at:
            break
        payload = data[at : at + length]
        at += length
        if not started:
            started = kind == protocol.COMPILING
            if not started:
                break
        elif not running:
            running = kind == protocol.RUNNING
            fault = _compile_fault(payload) if kind == protocol.COMPILE_FAILED else None
            if not running:
                break
        elif kind == protocol.VALUE and value is None and payload.startswith(nonce.encode()):
            value = payload[protocol.NONCE_LENGTH :]
        elif kind == protocol.MEMORY_REFUSED:
            refused = True
        elif kind == protocol.COMPLAINT and describe_error is None:
            describe_error = payload[:500].decode("utf-8", "replace")
    return RunCache(started, running, fault, value, refused, describe_error)


def _compile_fault(payload: bytes) -> str:
    try:
        fault = parse_message(payload)
    except SandboxFault:
        return payload[:500].decode("utf-8", "replace")
    where = f"{fault.get('file')}, line {fault['line']}" if fault.get("line") else str(fault.get("file"))
    return f"{where}: {fault.get('message')}"
