"""A real Redis server for tests: on a free port, gone with its context."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlplatform.free_ports import free_ports


def installed() -> bool:
    """Return True if there is a ``redis-server`` to start."""
    return shutil.which("redis-server") is not None


class RedisServer:
    """A server in ``directory`` that can be killed and started again. ``durable``: with an append-only file, flushed at
    every command, so that it comes back with all that it answered."""

    def __init__(self, directory: Path, *, host: str = "127.0.0.1", durable: bool = False) -> None:
        (self._port,) = free_ports(1)
        self._host = host
        self._directory = directory
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{self._host}:{self._port}/0"

    def start(self) -> None:
        """:raises RuntimeError: it did not start; the message holds its log."""
        options = {
            "bind": self._host,
            "port": str(self._port),
            "protected-mode": "no",
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "always",
            "dir": str(self._directory),
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
        log = self._directory / "redis.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(["redis-server", *arguments], stdout=output, stderr=subprocess.STDOUT)
        _await_port(self._host, self._port, self._process, log)

    def kill(self) -> None:
        """SIGKILL. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)


@contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """The URL of a new, empty server that works in ``directory``.

    Raises:
        RuntimeError: it did not start; the message holds its log.
    """
    server = RedisServer(directory)
    try:
        server.start()
        yield server.url
    finally:
        server.kill()


def _await_port(host: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"redis-server did not start:\n{log.read_text(errors='replace')[-2000:]}")
