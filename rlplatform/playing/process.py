"""Jobs with environments and graphics in a process of their own, with limits."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from rlplatform.environments import environment_modules
from rlplatform.errors import EngineError, error_from
from rlplatform.settings import EpisodeSettings

_WORKER = "import sys; sys.path[:] = {path}; from rlplatform.playing.worker import main; main()"
_HEADLESS = ("MUJOCO_GL=egl", "SDL_VIDEODRIVER=dummy", "SDL_AUDIODRIVER=dummy", "PYGAME_HIDE_SUPPORT_PROMPT=1")
"""Variables with which graphics libraries draw without a screen."""
_LOGS = {"MUJOCO_LOG.TXT"}
_NEEDS_GL = "OpenGL"
NICE = 15
_LEAST_NICE, _LONGEST_S = 19, 86400
_LENGTHS = struct.Struct(">II")
MAX_ANSWER = 8 << 20


def command(folder: Path) -> list[str]:
    """Return the command line of a worker for the job in ``folder``."""
    path = [str(Path(entry).absolute()) for entry in sys.path]  # the worker's folder is another one
    return ["env", *_HEADLESS, sys.executable, "-c", _WORKER.format(path=path), str(folder)]


def write_job(
    folder: Path,
    name: str,
    job: Mapping[str, Any],
    limits: EpisodeSettings,
    *,
    nice: int = NICE,
    cpu_s: float | None = None,
) -> None:
    """Write the job into ``folder``. ``cpu_s`` None: the limit of settings."""
    whole = {
        **job,
        "job": name,
        "modules": environment_modules.configured(),
        "memory_mib": limits.process_memory_mib,
        "cpu_s": cpu_s or limits.process_wall_s,
        "nice": nice,
    }
    (folder / "job.json").write_text(json.dumps(whole))


def run_job(
    name: str, job: Mapping[str, Any], prepare: Callable[[Path], None], limits: EpisodeSettings
) -> dict[str, bytes]:
    """Do a job, and return the files that it wrote, by name. Blocking.

    Args:
        name: Name of the job.
        job: What the job is about, as JSON.
        prepare: Writes the job's files into the folder that is given.
        limits: Limits on time and memory.

    Raises:
        PlatformError: the job's own error.
        EngineError: the process ended without a result, or was ended at a limit.
    """
    with tempfile.TemporaryDirectory(prefix="rlp-play-") as directory:
        folder = Path(directory)
        write_job(folder, name, job, limits)
        prepare(folder)
        given = {path.name for path in folder.iterdir()}
        process = subprocess.Popen(
            command(folder),
            cwd=folder,  # MuJoCo leaves a log there
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, errors = process.communicate(timeout=limits.process_wall_s)
        except subprocess.TimeoutExpired:
            raise EngineError(
                f"it took longer than {limits.process_wall_s:g} s (RLP_EPISODES__PROCESS_WALL_S)"
            ) from None
        finally:
            end(process)
        if (refused := folder / "problem.json").exists():
            raise error_from(json.loads(refused.read_text()))
        made = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in given | _LOGS}
        if not made:
            raise EngineError(_why(process.returncode, errors.decode("utf-8", "replace")))
        return made


class Worker:
    """A process that answers requests until it is ended, behind everything else that wants the CPU. Blocking."""

    def __init__(self, name: str, job: Mapping[str, Any], folder: Path, limits: EpisodeSettings) -> None:
        """Start the process. It works in ``folder``, which it shares with its owner."""
        write_job(folder, name, job, limits, nice=_LEAST_NICE, cpu_s=_LONGEST_S)
        self._folder = folder
        self._process = subprocess.Popen(
            command(folder),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Send a request; return its answer: a description and a file.

        Raises:
            PlatformError: the job's own error.
            EngineError: the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            said, content = _LENGTHS.unpack(self._process.stdout.read(_LENGTHS.size))
            if said + content > MAX_ANSWER:
                raise EngineError(f"a picture has more than {MAX_ANSWER} bytes")
            described = json.loads(self._process.stdout.read(said))
            return described, self._process.stdout.read(content)
        except (OSError, ValueError, struct.error):
            self._process.wait()
            if (refused := self._folder / "problem.json").exists():
                raise error_from(json.loads(refused.read_text())) from None
            raise EngineError(_why(self._process.returncode, "")) from None

    def end(self) -> None:
        """End the process; a request that waits fails."""
        end(self._process)


def answer(out: IO[bytes], described: Mapping[str, Any], content: bytes) -> None:
    """Write the answer to a request, as :meth:`Worker.ask` reads it."""
    said = json.dumps(described).encode()
    out.write(_LENGTHS.pack(len(said), len(content)) + said + content)
    out.flush()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a worker with all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with suppress(OSError):  # what was not read by the process is lost
            if pipe is not None:
                pipe.close()


def _why(status: int, errors: str) -> str:
    if _NEEDS_GL in errors:
        return (
            "the environment draws with OpenGL, which this machine lacks; install it on the nodes of the API: "
            "apt-get install libegl1 libgl1-mesa-dri"
        )
    if status == -signal.SIGXCPU:
        return "it took more CPU time than RLP_EPISODES__PROCESS_WALL_S"
    said = errors.strip()[-500:]
    return f"the process ended with status {status}{': ' + said if said else ''}"
