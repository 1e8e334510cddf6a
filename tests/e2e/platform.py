"""A platform of its own for a test: the real ``rlp serve`` in a process, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from rlplatform.free_ports import free_ports

RLP = str(Path(sys.executable).with_name("rlp"))
START_TIMEOUT_S = 240
NOT_NICE = {"RAY_worker_niceness": "0"}
"""Ray's workers give way to everything else on a machine, by default; a busy one would hardly run them."""


class RunningPlatform:
    """``http`` speaks to it with the local key."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
        self.process = process
        self.folder = folder
        self.log = log
        self.local: dict[str, Any] = {}
        self.http = httpx.Client()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            if (file := self.folder / ".rlp" / "local.json").exists():
                assert file.stat().st_mode & 0o777 == 0o600
                self.local = json.loads(file.read_text())
                headers = {"Authorization": f"Bearer {self.local['api_key']}"}
                self.http = httpx.Client(base_url=self.local["url"], headers=headers, timeout=60)
                return
            time.sleep(0.1)
        raise AssertionError(f"not ready within {START_TIMEOUT_S} s:\n{self.log.read_text()}")

    def rlp(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """The command line, in the platform's folder: it finds address and key by itself."""
        return subprocess.run(
            [RLP, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False
        )

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)


def launch(
    folder: Path, environment: Mapping[str, str], port: int | None = None, with_timeout: Sequence[str] = ()
) -> RunningPlatform:
    """A platform in ``folder``, being started; on a free port if none is given; by the command ``with_timeout``."""
    log = folder / "platform.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RLP_", "RAY_"))}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*with_timeout, RLP, "serve", "--port", str(port or free_ports(1)[0])],
            cwd=folder,
            env={**inherited, **NOT_NICE, "RLP_SANDBOX__STATE_DIR": str(folder / "sandbox"), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return RunningPlatform(process, folder, log)


@contextmanager
def running_platform(folder: Path, environment: Mapping[str, str]) -> Iterator[RunningPlatform]:
    """A platform in ``folder``, up and ready; ended at the end, whatever happened."""
    platform = launch(folder, environment)
    try:
        platform.wait_until_ready()
        yield platform
    finally:
        platform.stop()


def descendants(pid: int) -> set[int]:
    """The processes below ``pid``, at this moment."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found
