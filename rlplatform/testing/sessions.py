"""Sessions without containers: the program runs in a process of this machine, for tests of what steps users' code."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.guest.protocol import MEMORY_FD
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.ports import SessionEnd, SessionEnded


class LocalSession:
    """A program in a process; nothing of it is confined but its address space."""

    def __init__(self, folder: Path, entry: str, memory: int) -> None:
        os.set_inheritable(memory, True)
        command = f"import os, runpy, sys; os.dup2({memory}, {MEMORY_FD}) if {memory} != {MEMORY_FD} else None; "
        command += f"sys.path.insert(0, '.'); runpy.run_path({entry!r}, run_name='__main__')"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(memory,),
            bufsize=0,
        )

    def send(self, command: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command)
        except BrokenPipeError:
            return

    def wait(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            self.close()
            raise SessionEnded(SessionEnd.HUNG, f"no answer within {timeout_s:g} s")
        answer = os.read(self._process.stdout.fileno(), 4096)
        if answer:
            return answer
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode("utf-8", "replace").strip()
        self.close()
        raise SessionEnded(SessionEnd.CRASHED, f"it ended with exit status {self._process.returncode}\n{said}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


class LocalSandbox:
    """A folder with the files of a program."""

    def __init__(self, program: Program) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rlp-session-")
        self._entry = program.entry
        for path, content in program.files.items():
            target = Path(self._folder.name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self._session: LocalSession | None = None

    def open_session(self, memory: int, limits: Limits) -> LocalSession:  # noqa: ARG002
        self._session = LocalSession(Path(self._folder.name), self._entry, memory)
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._folder.cleanup()


class LocalSessions:
    """Source of :class:`LocalSandbox`; ``unavailable`` is a reason to have none. Counts those that it opened."""

    def __init__(self, unavailable: str | None = None) -> None:
        self._unavailable = unavailable
        self.opened: list[LocalSandbox] = []
        self.images: list[str | None] = []

    def open(self, program: Program, limits: Limits, image: str | None) -> LocalSandbox:  # noqa: ARG002
        if self._unavailable is not None:
            raise SandboxUnavailable(self._unavailable)
        self.images.append(image)
        self.opened.append(LocalSandbox(program))
        return self.opened[-1]

    def close(self) -> None:
        for sandbox in self.opened:
            sandbox.close()
