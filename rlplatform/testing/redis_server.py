"""A real Redis server for tests: on a free loopback port, without persistence, gone with its context."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def installed() -> bool:
    """Whether there is a ``redis-server`` to start."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """The URL of a new, empty server that works in ``directory``.

    :raises RuntimeError: it did not start; the message holds its log.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = directory / "redis.log"
    arguments = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(directory),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(["redis-server", *arguments], stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_port(port, process, log)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(timeout=10)


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"redis-server did not start:\n{log.read_text(errors='replace')[-2000:]}")
