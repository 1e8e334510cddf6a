"""The process that makes environments to learn about them: warm, with a fork for each probe.

Started by :class:`rlplatform.probing.prober.Prober` with one end of a socket pair. Each request is a line of JSON, and
so is each answer. A probe runs in a child with limits on CPU time, wall time and memory, so whatever the environment's
code does there (crash, hang, ``sys.exit``, print, allocate) ends that child and becomes an answer. The parent imports
once and runs no environment; it is single-threaded, so forking is safe.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rlplatform.errors import InvalidRequest, PlatformError, problem

MAX_ANSWER_BYTES = 60_000  # less than a pipe holds: a child that has answered never waits for its reader
_POLL_S = 0.05
_PACKAGES = ("gymnasium", "envpool", "numpy")
_GRADERS = "rlplatform.evaluation.graders"
_FILE_BYTES = 64 << 20


def probe_facts(env: str, env_config: dict[str, Any], options: list[Any]) -> dict[str, Any]:
    """Make the environment of a training; its facts."""
    from rlplatform.environments.options import EnvOptions
    from rlplatform.environments.probe import facts_of

    return facts_of(env, env_config, EnvOptions(*options)).model_dump()


def probe_known(env: str, *_: Any) -> dict[str, Any]:
    """Check that somebody has the environment."""
    from rlplatform.environments.probe import check_known

    check_known(env)
    return {}


def probe_episode(env: str, *_: Any) -> dict[str, Any]:
    """Make the environment of an ``episode`` grader."""
    from rlplatform.evaluation.graders.episode import EpisodeGrader

    EpisodeGrader(env=env).check_environment()
    return {}


PROBES: dict[str, Callable[[str, dict[str, Any], list[Any]], dict[str, Any]]] = {
    "facts": probe_facts,
    "known": probe_known,
    "episode": probe_episode,
}


@dataclass
class Child:
    """A probe at work: its process, and what it has answered so far."""

    request: dict[str, Any]
    pid: int
    pidfd: int
    pipe: int
    deadline: float
    answer: bytes = b""
    overdue: bool = False


class ProbeServer:
    """Forks a child for every request that arrives on ``connection``, until that is closed."""

    def __init__(self, connection: socket.socket, *, cpu_s: int, wall_s: float, memory_mib: int) -> None:
        self._connection = connection
        self._cpu_s = cpu_s
        self._wall_s = wall_s
        self._memory_mib = memory_mib
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Child] = {}
        self._received = b""

    def serve(self) -> None:
        """Answer until the other end is closed, then end every probe that is at work."""
        self._selector.register(self._connection, selectors.EVENT_READ, self._receive)
        self._send({"versions": _versions()})
        try:
            while True:
                timeout = _POLL_S if self._children else None
                for key, _ in self._selector.select(timeout):
                    key.data()
                now = time.monotonic()
                for child in self._children.values():
                    if now >= child.deadline and not child.overdue:
                        child.overdue = True
                        _kill(child.pid)
        except (EOFError, ConnectionError):
            for child in self._children.values():
                _kill(child.pid)

    def _receive(self) -> None:
        data = self._connection.recv(65536)
        if not data:
            raise EOFError
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._start(json.loads(line))

    def _start(self, request: dict[str, Any]) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            self._run(request, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        pidfd = os.pidfd_open(pid)
        child = Child(request, pid, pidfd, reading, time.monotonic() + self._wall_s)
        self._children[pid] = child
        self._selector.register(reading, selectors.EVENT_READ, lambda: self._read(child))
        self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._ended(child))

    def _read(self, child: Child) -> None:
        if child.pid not in self._children:  # it has ended in the same round
            return
        with suppress(BlockingIOError):
            data = os.read(child.pipe, 65536)
            child.answer += data[: MAX_ANSWER_BYTES + 1 - len(child.answer)]
            if not data:
                self._selector.unregister(child.pipe)

    def _ended(self, child: Child) -> None:
        with suppress(KeyError):
            self._selector.unregister(child.pipe)
        with suppress(BlockingIOError):
            while data := os.read(child.pipe, 65536):
                child.answer += data[: MAX_ANSWER_BYTES + 1 - len(child.answer)]
        self._selector.unregister(child.pidfd)
        _kill(child.pid)  # whatever it has started
        _, status = os.waitpid(child.pid, 0)
        os.close(child.pipe)
        os.close(child.pidfd)
        del self._children[child.pid]
        self._send({"id": child.request["id"], **self._answer(child, status)})

    def _answer(self, child: Child, status: int) -> dict[str, Any]:
        if child.answer and os.WIFEXITED(status) and len(child.answer) <= MAX_ANSWER_BYTES:
            with suppress(ValueError):
                answer: dict[str, Any] = json.loads(child.answer)
                return answer
        if child.overdue:
            why = f"making it took longer than {self._wall_s:g} s"
        elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            why = f"making it took more than {self._cpu_s} s of CPU time"
        elif os.WIFSIGNALED(status):
            why = f"making it crashed the process ({signal.Signals(os.WTERMSIG(status)).name})"
        else:
            why = f"making it ended the process with exit status {os.waitstatus_to_exitcode(status)}"
        return {"error": problem(_blame(child.request, why))}

    def _send(self, answer: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(answer).encode() + b"\n")

    def _run(self, request: dict[str, Any], writing: int) -> None:
        """Work as the child: never returns."""
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in range(3):
                os.dup2(nothing, standard)
            os.closerange(3, writing)
            os.closerange(writing + 1, 65536)
            self._limit()
            os.write(writing, json.dumps(_probe(request, self._memory_mib)).encode()[: MAX_ANSWER_BYTES + 1])
        finally:
            os._exit(0)

    def _limit(self) -> None:
        os.nice(10)
        limits = {
            resource.RLIMIT_CPU: (self._cpu_s, self._cpu_s + 1),
            resource.RLIMIT_DATA: (_data_bytes() + (self._memory_mib << 20),) * 2,
            resource.RLIMIT_FSIZE: (_FILE_BYTES, _FILE_BYTES),
            resource.RLIMIT_CORE: (0, 0),
        }
        for name, (soft, hard) in limits.items():
            resource.setrlimit(name, (soft, hard))


def _probe(request: dict[str, Any], memory_mib: int) -> dict[str, Any]:
    try:
        return {"facts": PROBES[request["probe"]](request["env"], request["env_config"], request["options"])}
    except PlatformError as error:
        if isinstance(error.__cause__, MemoryError):
            return {"error": problem(_blame(request, f"making it needs more than {memory_mib} MiB of memory"))}
        return {"error": problem(error)}
    except MemoryError:
        return {"error": problem(_blame(request, f"making it needs more than {memory_mib} MiB of memory"))}
    except BaseException as error:
        return {"error": problem(_blame(request, f"making it raised {type(error).__name__}: {error}"[:2000]))}


def _blame(request: dict[str, Any], why: str) -> InvalidRequest:
    if request["probe"] == "episode":
        return InvalidRequest(f"grader.env: {request['env']} cannot be used here: {why}", field="grader.env")
    field = "env_config" if request["env_config"] else "env"
    told = " with this env_config" if request["env_config"] else ""
    return InvalidRequest(f"{field}: {request['env']} cannot be used here{told}: {why}", field=field)


def _kill(pid: int) -> None:
    """End the process group of ``pid``, or at least ``pid`` where it has none yet."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _data_bytes() -> int:
    """Bytes of memory that this process may write to, as RLIMIT_DATA counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _preload() -> None:
    """Import what most probes need: a child then begins with it."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.putenv(name, "1")  # read by C libraries as they are loaded: no threads, so that forking is safe
    for module in ("gymnasium.envs.classic_control", "gymnasium.envs.toy_text", f"{_GRADERS}.episode"):
        importlib.import_module(module)
    from rlplatform.environments.probe import known_environments

    known_environments()


def _use_modules(names: str) -> None:
    """Import the packages of environments that the operator names."""
    from rlplatform.environments import environment_modules

    environment_modules.configure([name for name in names.split(",") if name])
    environment_modules.import_all()


def main() -> None:
    """Serve the socket whose descriptor is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("descriptor", type=int)
    parser.add_argument("--cpu-s", type=int, required=True)
    parser.add_argument("--wall-s", type=float, required=True)
    parser.add_argument("--memory-mib", type=int, required=True)
    parser.add_argument("--modules", default="")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the platform, which closes the socket
    _use_modules(given.modules)
    _preload()
    connection = socket.socket(fileno=given.descriptor)
    ProbeServer(connection, cpu_s=given.cpu_s, wall_s=given.wall_s, memory_mib=given.memory_mib).serve()


if __name__ == "__main__":
    main()
