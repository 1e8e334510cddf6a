"""The trainer: owns one training session. The engine works in a thread of its own: commands are always answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from rlplatform.errors import Conflict, EngineError, Fenced, PlatformError
from rlplatform.events import EventBase, TrainingFailed, TrainingStarting
from rlplatform.manifest import RunManifest
from rlplatform.outbox import Outbox
from rlplatform.ports import CheckpointStore, Clock, EngineFactory, EventLog
from rlplatform.runs import TrainingRun
from rlplatform.training.session import TrainingSession

log = logging.getLogger(__name__)

E = TypeVar("E", bound=EventBase)


class Trainer:
    """Runs one session, new or recovered, and appends its events with the epoch that it was given."""

    def __init__(
        self,
        run: TrainingRun,
        epoch: int,
        events: EventLog,
        checkpoints: CheckpointStore,
        make_engine: EngineFactory,
        clock: Clock,
        scratch: Path,
    ) -> None:
        self._run = run
        self._checkpoints = checkpoints
        self._make_engine = make_engine
        self._clock = clock
        self._scratch = scratch
        self._epoch = epoch
        self._outbox = Outbox(events, run.stream, epoch, clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="train")
        self._session: TrainingSession | None = None
        self._commands: list[str] = {"run": [], "pause": ["pause"], "stop": ["stop"]}[run.desired]
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Train until the session is over, suspended, or another owner's.

        :raises PlatformError: the session broke off by a failure that a fresh trainer may not meet.
        """
        loop = asyncio.get_running_loop()
        try:
            await self._outbox.send(self._event(TrainingStarting, epoch=self._epoch))
            await loop.run_in_executor(self._thread, self._train, loop)
            await self._outbox.flush()
        except (Fenced, Conflict):
            log.info("%s has another owner or is over", self._run.id)
        finally:
            self._over.set()

    async def join(self) -> None:
        """Until :meth:`run` has ended."""
        await self._over.wait()

    def command(self, command: str) -> None:
        """``pause``, ``resume``, ``stop`` or ``suspend``: takes effect between two iterations."""
        if self._session is None:
            self._commands.append(command)
        else:
            self._apply(self._session, command)

    def _train(self, loop: asyncio.AbstractEventLoop) -> None:
        def emit(event: EventBase) -> None:
            asyncio.run_coroutine_threadsafe(self._outbox.send(event), loop).result()

        request = self._run.document.request
        try:
            engine = self._make_engine(request)
        except PlatformError as error:
            if error.retryable:
                raise
            return emit(self._failed(error.code, str(error)))
        except Exception as error:
            log.exception("the engine of %s could not be built", self._run.id)
            return emit(self._failed(EngineError.code, f"{type(error).__name__}: {error}"))
        parent = self._checkpoints.find(request.resume_from) if request.resume_from else None
        manifest = RunManifest.of(self._run.id, request, engine, parent=parent)
        session = TrainingSession(
            self._run.id,
            request,
            engine,
            self._checkpoints,
            self._clock,
            self._scratch,
            emit,
            manifest=manifest.model_dump(mode="json"),
        )
        try:
            if self._run.document.started_at is not None:
                session.recover(self._run.document.progress, parent)
            elif parent is not None:
                session.restore(parent)
        except PlatformError as error:
            engine.close()
            return emit(self._failed(error.code, str(error)))
        loop.call_soon_threadsafe(self._open, session)
        session.run()
        return None

    def _open(self, session: TrainingSession) -> None:
        self._session = session
        for command in self._commands:
            self._apply(session, command)

    @staticmethod
    def _apply(session: TrainingSession, command: str) -> None:
        wishes: dict[str, Callable[[], None]] = {
            "pause": session.pause,
            "resume": session.resume,
            "stop": session.stop,
            "suspend": session.suspend,
        }
        wishes[command]()

    def _failed(self, code: str, reason: str) -> TrainingFailed:
        return self._event(TrainingFailed, code=code, reason=reason, progress=self._run.document.progress)

    def _event(self, event: type[E], **fields: object) -> E:
        envelope = {"stream": self._run.stream, "time": self._clock.now(), "simulated": self._run.simulated}
        return event.model_validate(envelope | fields)
