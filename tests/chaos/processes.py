"""Processes by a mark in their environment, which all that they start inherit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "RLP_TEST_MARK"


class Process(NamedTuple):
    """A living process, and what it holds at this moment."""

    pid: int
    command: str
    memory_bytes: int
    descriptors: int
    sockets: int


def marked(mark: str) -> set[int]:
    """The living processes whose environment carries ``mark``."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return {pid for pid in found if alive(pid)}


def alive(pid: int) -> bool:
    """Return True if the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command(pid: int) -> str:
    """Return the command of a process, as ``ps`` shows it; empty when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def holds(pid: int, part: str) -> bool:
    """Return True if the process has a file open that has ``part`` in its path."""
    with suppress(OSError):
        return any(part in str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
    return False


def environment(pid: int, prefix: str) -> dict[str, str]:
    """The variables of a process that begin with ``prefix``."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair.startswith(prefix) and "=" in pair)


def sample(pids: Iterable[int]) -> list[Process]:
    """Return those of ``pids`` that live; memory is their own (proportional set size where the kernel reports it)."""
    found = []
    for pid in pids:
        with suppress(OSError):
            links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
            sockets = sum(link.startswith("socket:") for link in links)
            found.append(Process(pid, command(pid), _memory(pid), len(links), sockets))
    return found


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def kill(pids: Iterable[int]) -> None:
    """SIGKILL, all at once. :raises AssertionError: one is no process's (0 is our own group)."""
    pids = list(pids)
    assert all(pid > 1 for pid in pids), f"there is no such process: {pids}"
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def await_gone(pids: Iterable[int], timeout_s: float = 20.0) -> set[int]:
    """Return those of ``pids`` that are still there after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    left = {pid for pid in pids if alive(pid)}
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = {pid for pid in left if alive(pid)}
    return left
