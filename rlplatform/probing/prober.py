"""Learning about environments without making them in this process: a client of :mod:`probe_worker`, with a cache.

Answers are kept by environment, configuration and package versions. Equal probes at the same time are one. A tenant has
at most ``PER_TENANT`` probes at work, so one that sends slow ones waits for itself.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from rlplatform.clock import Clock
from rlplatform.environments.facts import EnvironmentFacts, canonical, check_config
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.errors import InvalidRequest, PlatformError, Unavailable, error_from
from rlplatform.retries import with_timeout

MAX_CACHED = 512
REFUSAL_LIFE_S = 60.0
PER_TENANT = 2
START_S = 60.0
_WORKER = "import sys; sys.path[:] = {path}; from rlplatform.probing.worker import main; main()"


class Prober:
    """Asks a worker process, which is started by the first question and again after it has died."""

    def __init__(
        self,
        clock: Clock,
        *,
        cpu_s: int = 10,
        wall_s: float = 30.0,
        memory_mib: int = 1024,
        modules: Sequence[str] = (),
        worker: Sequence[str] = (),
    ) -> None:
        """``modules`` are imported by the worker: packages of environments.

        ``worker``: the program to start instead of :mod:`probe_worker`, which gets the same arguments.
        """
        worker = worker or (sys.executable, "-c", _WORKER.format(path=sys.path))
        self._clock = clock
        self._command = [*worker, "--cpu-s", str(cpu_s), "--wall-s", str(wall_s), "--memory-mib", str(memory_mib)]
        self._command += ["--modules", ",".join(modules)] if modules else []
        self._wall_s = wall_s
        self._worker: _Worker | None = None
        self._starting = asyncio.Lock()
        self._cache: OrderedDict[tuple[str, ...], tuple[dict[str, Any], float | None]] = OrderedDict()
        self._asked: dict[tuple[str, ...], asyncio.Task[dict[str, Any]]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @property
    def worker_pid(self) -> int | None:
        """The worker process; None while there is none."""
        return self._worker.pid if self._worker is not None else None

    async def facts(
        self, env: str, env_config: Mapping[str, Any], tenant: str = "", options: EnvOptions = DEFAULT_OPTIONS
    ) -> EnvironmentFacts:
        """Return the facts of an environment that a training asks for.

        Raises:
            UnknownName: nobody has the environment; says which are near.
            InvalidRequest: it cannot be made with ``env_config`` within the limits, or cannot be trained.
            Unavailable: the worker process does not answer.
        """
        config = canonical(env_config)
        check_config(env_config, len(config.encode()))
        return EnvironmentFacts.model_validate(await self._ask("facts", env, config, tenant, options))

    async def check_known(self, env: str, env_config: Mapping[str, Any], tenant: str = "") -> None:
        """Check that somebody has ``env``, without making it. Raises as :meth:`facts` does."""
        check_config(env_config, len(canonical(env_config).encode()))
        await self._ask("known", env, "{}", tenant)

    async def check_episodes(self, env: str, tenant: str = "") -> None:
        """Check that an ``episode`` grader can play in ``env``.

        Raises:
            InvalidRequest: it cannot; ``field`` is ``grader.env``.
        """
        await self._ask("episode", env, "{}", tenant)

    async def warm_up(self) -> None:
        """Start the worker process, so that the first question need not wait for its imports."""
        with suppress(PlatformError):
            await self._running()

    async def close(self) -> None:
        """End the worker process. Idempotent."""
        for task in list(self._asked.values()):
            task.cancel()
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    async def _ask(
        self, probe: str, env: str, config: str, tenant: str, options: EnvOptions = DEFAULT_OPTIONS
    ) -> dict[str, Any]:
        worker = await self._running()
        key = (probe, env, config, worker.versions, json.dumps(options))
        known = self._cache.get(key)
        if known is not None and (known[1] is None or self._clock.monotonic() < known[1]):
            self._cache.move_to_end(key)
            return _facts_in(known[0])
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.get_running_loop().create_task(self._probe(key, tenant))
            task.add_done_callback(partial(self._answered, key))
        return _facts_in(await asyncio.shield(task))

    async def _probe(self, key: tuple[str, ...], tenant: str) -> dict[str, Any]:
        probe, env, config, _, options = key
        turns = self._turns.get(tenant) or self._turns.setdefault(tenant, asyncio.Semaphore(PER_TENANT))
        async with turns:
            request = {"probe": probe, "env": env, "env_config": json.loads(config), "options": json.loads(options)}
            answer = await (await self._running()).ask(request)
        expires = self._clock.monotonic() + REFUSAL_LIFE_S if "error" in answer else None
        self._cache[key] = (answer, expires)
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return answer

    def _answered(self, key: tuple[str, ...], task: asyncio.Task[dict[str, Any]]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen, also if everybody who asked is gone

    async def _running(self) -> _Worker:
        async with self._starting:
            if self._worker is None or self._worker.ended:
                if self._worker is not None:
                    await self._worker.close()
                self._worker = await _Worker.start(self._command, self._clock, self._wall_s)
            return self._worker


class _Worker:
    """A worker process, and the questions that it has not answered yet. A thread reads its answers."""

    def __init__(self, command: Sequence[str], clock: Clock, wall_s: float) -> None:
        """Start the process. Blocks for some milliseconds."""
        self.versions = ""
        self.ended = False
        self._clock = clock
        self._patience_s = wall_s + START_S
        self._ids = itertools.count()
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[str] = self._loop.create_future()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = _spawn(command, theirs.fileno())
        self.pid = self._process.pid
        threading.Thread(target=self._read, name="probe-answers", daemon=True).start()

    @classmethod
    async def start(cls, command: Sequence[str], clock: Clock, wall_s: float) -> _Worker:
        """Start a worker that is ready to answer. Raises ``Unavailable`` if it does not start."""
        worker = cls(command, clock, wall_s)
        try:
            worker.versions = await with_timeout(clock, START_S, asyncio.shield(worker._hello))
        except (TimeoutError, Unavailable):
            await worker.close()
            raise Unavailable("environments cannot be probed: the process that does it does not start") from None
        return worker

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer. Raises ``Unavailable`` if the process dies first."""
        number = next(self._ids)
        future = self._pending[number] = self._loop.create_future()
        try:
            self._socket.sendall(json.dumps({"id": number, **request}).encode() + b"\n")
            return await with_timeout(self._clock, self._patience_s, future)
        except (TimeoutError, OSError):
            self.ended = True
            raise Unavailable("the process that probes environments does not answer") from None
        finally:
            self._pending.pop(number, None)

    async def close(self) -> None:
        """End the process."""
        self.ended = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(_end, self._process)

    def _read(self) -> None:
        with self._socket, self._socket.makefile("rb") as answers, suppress(RuntimeError):  # the loop is closed
            with suppress(OSError, ValueError):
                for line in answers:
                    self._loop.call_soon_threadsafe(self._take, json.loads(line))
            self._loop.call_soon_threadsafe(self._lost)
        _end(self._process)

    def _take(self, answer: dict[str, Any]) -> None:
        if "versions" in answer:
            if not self._hello.done():
                self._hello.set_result(json.dumps(answer["versions"], sort_keys=True))
            return
        future = self._pending.get(answer["id"])
        if future is not None and not future.done():
            future.set_result(answer)

    def _lost(self) -> None:
        self.ended = True
        dead = Unavailable("the process that probes environments has died")
        for future in self._pending.values():
            if not future.done():
                future.set_exception(dead)
        if not self._hello.done():
            self._hello.set_exception(dead)


def _spawn(command: Sequence[str], descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*command, str(descriptor)], stdin=subprocess.DEVNULL, pass_fds=(descriptor,), start_new_session=True
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _facts_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        error = error_from(answer["error"])
        raise error if isinstance(error, InvalidRequest) else Unavailable(error.detail)
    facts: dict[str, Any] = answer["facts"]
    return facts
