"""Trainer: owns one training session. The engine runs in a separate thread, so that commands are always answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

from rlplatform.clock import Clock
from rlplatform.environments.faults import describe
from rlplatform.environments.sandboxed import registry
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import Conflict, EngineError, Fenced, NotFound, PlatformError
from rlplatform.maintenance.retention import resumed_from
from rlplatform.run_kinds import parse_event
from rlplatform.runs.event_writer import EventWriter
from rlplatform.runs.events import Event
from rlplatform.store import Store
from rlplatform.training.events import TrainingFailed, TrainingIterationCompleted, TrainingStarting
from rlplatform.training.manifest import RunManifest
from rlplatform.training.models import CheckpointInfo, TrainingState
from rlplatform.training.ports import CheckpointStore, EngineFactory, TrainingEngine
from rlplatform.training.record import TrainingRun
from rlplatform.training.run_folder.recorder import RunRecorder
from rlplatform.training.session import TrainingSession

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)


class Trainer:
    """Runs one session, new or recovered, and appends its events with the given epoch."""

    def __init__(
        self,
        run: TrainingRun,
        epoch: int,
        store: Store,
        checkpoints: CheckpointStore,
        make_engine: EngineFactory,
        clock: Clock,
        scratch: Path,
        run_folder: Path | None = None,
        episodes: EpisodeStore | None = None,
        prepare: Callable[[TrainingRun], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Prepare a session.

        ``run_folder`` is the folder for users of RL-Zoo, Tune and TensorBoard; None for no folder. ``episodes``
        receives recorded episodes; None: they are not recorded. ``prepare`` is awaited before the engine is made; a
        ``PlatformError`` that cannot be retried fails the training.
        """
        self._run = run
        self._checkpoints = checkpoints
        self._make_engine = make_engine
        self._clock = clock
        self._scratch = scratch
        self._run_folder = run_folder
        self._episodes = episodes
        self._prepare = prepare
        self._epoch = epoch
        self._store = store
        self._recorder: RunRecorder | None = None
        self._engine: TrainingEngine | None = None
        self._writer = EventWriter(store, run.stream, epoch, clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="train")
        self._session: TrainingSession | None = None
        self._commands: list[tuple[str, ...]] = []
        if run.desired == "stop":
            self._commands.append(("stop", *((run.stop_reason,) if run.stop_reason else ())))
        elif run.desired == "pause":
            self._commands.append(("pause",))
        self._work: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Train until the session has finished, is paused or suspended, or has another owner.

        A second call waits for the first one.

        Raises:
            PlatformError: the session was interrupted by a failure that a fresh trainer may not encounter.
        """
        self._work = self._work or asyncio.get_running_loop().create_task(self._run_session())
        await asyncio.shield(self._work)

    def command(self, *command: str) -> None:
        """Receive ``pause``, ``resume``, ``stop`` (with its reason) or ``suspend``.

        It takes effect between two iterations.
        """
        if self._session is None:
            self._commands.append(command)
        else:
            self._apply(self._session, *command)

    async def _run_session(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._writer.write(self._event(TrainingStarting, epoch=self._epoch))
            await loop.run_in_executor(self._thread, copy_context().run, self._train, loop)
            await self._writer.flush()
        except (Fenced, Conflict):
            log.info("%s has another owner or is over", self._run.id)
        finally:
            if self._recorder:
                await loop.run_in_executor(None, self._recorder.close)

    def _train(self, loop: asyncio.AbstractEventLoop) -> None:
        def emit(event: Event) -> None:
            asyncio.run_coroutine_threadsafe(self._writer.write(event), loop).result()
            if self._recorder:
                ended = (
                    self._engine.finished() if isinstance(event, TrainingIterationCompleted) and self._engine else ()
                )
                self._recorder.take(event, ended)

        def history(after: int, limit: int) -> list[Event]:
            reading = self._store.read(self._run.stream, after=after, limit=limit)
            return [parse_event(line.data) for line in asyncio.run_coroutine_threadsafe(reading, loop).result()]

        def needed() -> set[str]:
            return asyncio.run_coroutine_threadsafe(resumed_from(self._store), loop).result()

        def trained_on(training_id: str) -> str | None:
            try:
                run = asyncio.run_coroutine_threadsafe(self._store.get(training_id), loop).result()
            except NotFound:
                return None
            return run.document.request.env if isinstance(run, TrainingRun) else None

        if self._run_folder:
            self._recorder = RunRecorder(self._run_folder, self._checkpoints, history)

        try:
            if self._prepare is not None:
                asyncio.run_coroutine_threadsafe(self._prepare(self._run), loop).result()
            session = self._make_session(emit, needed, trained_on)
        except PlatformError as error:
            if error.retryable or isinstance(error, Fenced | Conflict):
                raise
            emit(self._failed(error.code, str(error)))
        except BaseException as error:  # includes the environment's SystemExit, which ends only this session
            log.exception("the session of %s could not be set up", self._run.id)
            emit(self._failed(EngineError.code, describe(error)))
        else:
            loop.call_soon_threadsafe(self._open, session)
            session.run()
        finally:
            registry.close()

    def _make_session(
        self,
        emit: Callable[[Event], None],
        needed: Callable[[], set[str]],
        trained_on: Callable[[str], str | None],
    ) -> TrainingSession:
        """Build the engine and the session, at the point that the training had reached."""
        request = self._run.document.request
        parent = self._parent()
        engine = self._engine = self._make_engine(request)
        try:
            parent_env = trained_on(parent.training_id) if parent is not None else None
            manifest = RunManifest.of(
                self._run.id,
                request,
                engine,
                parent=parent,
                parent_env=parent_env,
                user_code=registry.installed(),
            )
            session = TrainingSession(
                self._run.id,
                request,
                engine,
                self._checkpoints,
                self._clock,
                self._scratch,
                emit,
                manifest=manifest.model_dump(mode="json"),
                needed=needed,
                episodes=self._episodes,
                faults=registry.faults(),
            )
            if self._run.document.started_at is not None:
                document = self._run.document
                paused = document.state is TrainingState.PAUSED
                session.recover(document.progress, parent, paused=paused)
            elif parent is not None:
                session.restore(parent)
        except BaseException:
            engine.close()
            raise
        return session

    def _parent(self) -> CheckpointInfo | None:
        """Return the checkpoint that the session started from, if any.

        Raises:
            NotFound: that checkpoint is gone, and there is no later one.
        """
        wanted = self._run.document.request.resume_from
        try:
            return self._checkpoints.find(wanted) if wanted else None
        except NotFound:
            if not self._checkpoints.list(self._run.id):
                raise
            return None

    def _open(self, session: TrainingSession) -> None:
        self._session = session
        for command in self._commands:
            self._apply(session, *command)

    @staticmethod
    def _apply(session: TrainingSession, command: str, *details: str) -> None:
        wishes: dict[str, Callable[..., None]] = {
            "pause": session.pause,
            "resume": session.resume,
            "stop": session.stop,
            "suspend": session.suspend,
        }
        wishes[command](*details)

    def _failed(self, code: str, reason: str) -> TrainingFailed:
        return self._event(TrainingFailed, code=code, reason=reason, progress=self._run.document.progress)

    def _event(self, event: type[E], **fields: object) -> E:
        envelope = {"stream": self._run.stream, "time": self._clock.now(), "simulated": self._run.simulated}
        return event.model_validate(envelope | fields)
