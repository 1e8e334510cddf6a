"""Training session: the state machine that drives an engine from its first iteration to its final event.

The session is synchronous. One thread calls :meth:`TrainingSession.run`; other threads call
:meth:`~TrainingSession.pause`, :meth:`~TrainingSession.resume` and :meth:`~TrainingSession.stop`, which take effect
between two iterations. A stop also interrupts an evaluation at once, and a rollout that takes long. Appending events
to a log, fencing, and restarts after a crash are the work of other modules.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from rlplatform.clock import Clock
from rlplatform.environments.faults import describe
from rlplatform.environments.pulse import CutShort
from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import EngineError, Fenced, PlatformError, ServiceError
from rlplatform.runs.events import Event, stream_of
from rlplatform.spans import span
from rlplatform.training.checkpoints.checkpointer import Checkpointer, SessionState
from rlplatform.training.evaluation_records import EvaluationRecords
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEnvironmentFault,
    TrainingEvaluated,
    TrainingEvaluationCutShort,
    TrainingEvent,
    TrainingFailed,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingProgressed,
    TrainingRecovered,
    TrainingResumed,
    TrainingStarted,
    TrainingStopped,
    TrainingSucceeded,
)
from rlplatform.training.models import CheckpointInfo, Progress, TrainingRequest, TrainingState
from rlplatform.training.phase import Phase
from rlplatform.training.ports import CheckpointStore, TrainingEngine
from rlplatform.training.stop_criteria import met

log = logging.getLogger(__name__)


class _Failed(Exception):
    """The session cannot continue, and a retry elsewhere would not help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class TrainingSession:
    """One training, from a fresh engine or a checkpoint to ``succeeded``, ``stopped`` or ``failed``.

    ``emit`` receives every event in order (``seq`` 0; the log assigns it) and blocks until the event is appended. Its
    exceptions, for example :class:`~rlplatform.errors.Fenced`, leave :meth:`run` unchanged. So does a *retryable*
    failure of engine or checkpoint store: the session can be recovered elsewhere. Their other failures become
    ``training.failed``.
    """

    def __init__(
        self,
        run_id: str,
        request: TrainingRequest,
        engine: TrainingEngine,
        checkpoints: CheckpointStore,
        clock: Clock,
        scratch: Path,
        emit: Callable[[Event], None],
        *,
        manifest: dict[str, object] | None = None,
        needed: Callable[[], Collection[str]] = frozenset,
        episodes: EpisodeStore | None = None,
        faults: FaultLog | None = None,
    ) -> None:
        """Prepare a session; :meth:`run` starts it.

        Args:
            run_id: Id of the training.
            request: The training's request.
            engine: Engine to drive; :meth:`run` closes it.
            checkpoints: Store of committed checkpoints.
            clock: Source of time.
            scratch: Local folder for checkpoints that are being written or read.
            emit: Called with every event.
            manifest: Part of ``training.started``.
            needed: Returns the ids of checkpoints that other sessions start from; these are kept, whatever the plan
                says.
            episodes: Receives recorded episodes of policy evaluations; None: they are not recorded.
            faults: Faults of users' code, which become events.
        """
        self.run_id = run_id
        self._request = request
        self._engine = engine
        self._saving = Checkpointer(run_id, request.checkpoint, engine, checkpoints, clock, scratch)
        self._clock = clock
        self._emit_event = emit
        self._manifest = manifest or {}
        self._needed = needed
        self._episodes = EvaluationRecords(run_id, episodes, clock)
        self._faults = faults
        self._pause_wished = False
        self._suspend_wished = self._suspended = False
        self._stop_reason: str | None = None
        self._state = TrainingState.STARTING
        self._progress = Progress()
        self._metrics: dict[str, float] = {}
        self._lost: Progress | None = None
        self._was_paused = False
        self._restored: CheckpointInfo | None = None
        self._evaluated_at: int | None = None
        self._saved_at: int | None = None
        self._saved_time = clock.monotonic()
        self._emitting_s = 0.0
        self._phase = Phase("rollout", request, clock.monotonic(), 0.0)
        self._leaving_since: float | None = None
        engine.watch(self._pulse)

    # -- for any thread ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> TrainingState:
        """``starting``, ``running``, ``paused`` or a final state."""
        return self._state

    @property
    def progress(self) -> Progress:
        """Lifetime counters after the last completed iteration."""
        return self._progress

    def pause(self) -> None:
        """Leave :meth:`run` before the next iteration, with a checkpoint and ``training.paused``. Idempotent.

        The engine is closed, which frees its resources. Another session continues from the checkpoint.
        """
        self._pause_wished = True

    def resume(self) -> None:
        """Withdraw a pause that has not begun. Idempotent."""
        self._pause_wished = False

    def stop(self, reason: str = "stop_requested") -> None:
        """End as ``stopped`` before the next iteration, with a checkpoint. Only the first call's reason is recorded."""
        self._leaving_since = self._leaving_since or self._clock.monotonic()
        self._stop_reason = self._stop_reason or reason

    def suspend(self) -> None:
        """Leave :meth:`run` before the next iteration, with a checkpoint but no final event, so that it can be
        recovered later."""
        self._leaving_since = self._leaving_since or self._clock.monotonic()
        self._suspend_wished = True

    # -- before run ----------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: CheckpointInfo) -> None:
        """Start from ``checkpoint``, usually another run's. Its counters continue, and stop criteria include them.

        Raises:
            NotFound: there is no such checkpoint.
            CheckpointError: it is damaged, or does not fit the engine.
        """
        self._go_on_from(checkpoint, self._saving.restore(checkpoint))

    def recover(
        self,
        lost: Progress,
        parent: CheckpointInfo | None = None,
        *,
        paused: bool = False,
    ) -> None:
        """Continue from the newest checkpoint that verifies, else from ``parent``, else from the beginning.

        A checkpoint may be newer than the log, after the store was restored from a back-up. The iterations before it
        are not repeated; the log then has a gap in its iterations.

        Args:
            lost: Progress of the run according to the log.
            parent: Checkpoint that the run started from.
            paused: True if the session was paused, not lost; it starts with ``training.resumed`` if nothing is redone.

        Raises:
            CheckpointError: the checkpoint verifies but does not fit the engine.
        """
        self._lost, self._was_paused = lost, paused
        if (found := self._saving.restore_newest()) is not None:
            self._go_on_from(*found)
            self._saved_at = self._progress.iteration
        elif parent is not None:
            self.restore(parent)

    def _go_on_from(self, checkpoint: CheckpointInfo, snapshot: SessionState) -> None:
        self._progress, self._metrics, self._restored = snapshot.progress, snapshot.metrics, checkpoint

    # -- the loop ------------------------------------------------------------------------------------------------------

    def run(self) -> Event | None:
        """Train until the end.

        Closes the engine, also when an exception is raised.

        Returns:
            The final event; None if the session was paused or suspended.
        """
        try:
            while (final := self.advance()) is None:
                if self._suspended or self._state is TrainingState.PAUSED:
                    return None
            return final
        finally:
            self._engine.close()

    def advance(self) -> Event | None:
        """Take one step of :meth:`run`: a transition or an iteration. Return the final event at the end, else None."""
        try:
            if self._state is TrainingState.STARTING:
                self._start()
                return None
            if self._stop_reason is not None:
                return self._finish(self._stop_reason, TrainingState.STOPPED)
            if (criterion := self._criterion_met()) is not None:
                return self._finish(criterion, TrainingState.SUCCEEDED)
            if self._suspend_wished:
                self._save()
                self._suspended = True
            elif self._pause_wished:
                self._save()
                self._state = TrainingState.PAUSED
                self._emit(TrainingPaused, progress=self._progress)
            else:
                self._iterate()
            return None
        except _Failed as failure:
            self._rescue()
            self._state = TrainingState.FAILED
            return self._emit(TrainingFailed, code=failure.code, reason=str(failure), progress=self._progress)

    def _start(self) -> None:
        self._state = TrainingState.RUNNING
        if self._lost is None:
            self._emit(TrainingStarted, manifest=self._manifest)
            return
        if self._was_paused and self._progress.iteration == self._lost.iteration:
            self._emit(TrainingResumed, progress=self._progress)
            return
        self._emit(
            TrainingRecovered,
            checkpoint_id=self._restored.id if self._restored else None,
            iteration=self._progress.iteration,
            env_steps=self._progress.env_steps,
            redone_iterations=max(0, self._lost.iteration - self._progress.iteration),
            redone_env_steps=max(0, self._lost.env_steps - self._progress.env_steps),
        )

    def _iterate(self) -> None:
        began = self._begin("rollout")
        try:
            with self._failures(), span("iteration") as iteration:
                report = self._engine.train_iteration()
                iteration.set(iteration=report.iteration, env_steps=report.env_steps)
        except CutShort as cut:
            log.info("%s: a rollout was abandoned: %s", self.run_id, cut)
            elapsed_s = self._clock.monotonic() - began
            train_wall_s = self._progress.train_wall_s + elapsed_s
            self._progress = self._progress.model_copy(update={"train_wall_s": train_wall_s})
            return
        train_wall_s = self._progress.train_wall_s + (self._clock.monotonic() - began) + self._emitting_s
        self._progress = Progress(
            iteration=report.iteration, env_steps=report.env_steps, episodes=report.episodes, train_wall_s=train_wall_s
        )
        self._metrics = report.metrics
        told = self._clock.monotonic()
        parameters = self._engine.parameter_hash()
        self._emit(
            TrainingIterationCompleted,
            **self._progress.model_dump(),
            metrics=self._metrics,
            parameters_sha256=parameters,
        )
        self._emitting_s = self._clock.monotonic() - told
        if self._is_due(report.iteration):
            self._save()
        every = self._request.evaluation.every_iterations
        if every > 0 and report.iteration % every == 0 and self._criterion_met() is None:
            self._evaluate()  # the last evaluation comes after the last checkpoint

    def _is_due(self, iteration: int) -> bool:
        """Return True if the plan requires a checkpoint of this iteration."""
        plan = self._request.checkpoint
        by_count = plan.every_iterations > 0 and iteration % plan.every_iterations == 0
        return by_count or 0 < plan.every_s <= self._clock.monotonic() - self._saved_time

    def _begin(self, kind: Literal["rollout", "evaluation"]) -> float:
        self._phase = Phase(kind, self._request, self._clock.monotonic(), self._progress.train_wall_s)
        return self._phase.began

    def _pulse(self, env_steps: int) -> None:
        """Handle a progress report of the engine during a rollout or an evaluation.

        Raises:
            CutShort: the rollout or evaluation has to end.
        """
        self._tell_faults()
        now, phase = self._clock.monotonic(), self._phase
        if (why := phase.ends(now, env_steps, self._leaving_since)) is not None:
            raise CutShort(why)
        if phase.progress_is_due(now):
            iteration = self._progress.iteration + (phase.kind == "rollout")
            self._emit(TrainingProgressed, phase=phase.kind, iteration=iteration, env_steps=env_steps)

    def _criterion_met(self) -> str | None:
        return met(self._request.stop, self._progress, self._metrics)

    def _finish(self, reason: str, state: TrainingState) -> Event | None:
        """Save the last checkpoint, evaluate unless the session was stopped, and end the session.

        Returns:
            The final event; None if the session was suspended during the evaluation, which a recovery repeats.
        """
        self._save()
        if state is TrainingState.SUCCEEDED:
            self._evaluate()
            if self._stop_reason is not None:
                reason, state = self._stop_reason, TrainingState.STOPPED
            elif self._suspend_wished:
                self._suspended = True
                return None
        self._state = state
        event = TrainingSucceeded if state is TrainingState.SUCCEEDED else TrainingStopped
        return self._emit(event, stop_reason=reason, progress=self._progress)

    def _evaluate(self) -> None:
        """Evaluate, unless this iteration was evaluated already.

        All evaluations use the same episodes, so that reports compare.

        An interrupted evaluation becomes an event. A failed evaluation fails the session, after a checkpoint.
        """
        progress = self._progress
        if self._evaluated_at == progress.iteration:
            return
        self._begin("evaluation")
        at = {"iteration": progress.iteration, "env_steps": progress.env_steps}
        try:
            recorder = self._episodes.recorder(self._evaluations(progress.iteration))
            with self._failures(), span("policy evaluation", iteration=progress.iteration):
                report = self._engine.evaluate(self._request.evaluation.episodes, self._request.seed, recorder)
        except CutShort as cut:
            self._emit(TrainingEvaluationCutShort, **at, reason=str(cut), report=cut.report)
        else:
            recorded = self._episodes.store(recorder, progress) if recorder is not None else []
            self._emit(TrainingEvaluated, **at, report=report, episodes=recorded)
        self._evaluated_at = progress.iteration

    def _evaluations(self, iteration: int) -> int | None:
        """Return the number of evaluations before the one of ``iteration``; None: it is the last one."""
        every = self._request.evaluation.every_iterations
        planned = every > 0 and iteration % every == 0
        return iteration // every - 1 if planned and self._criterion_met() is None else None

    def _rescue(self) -> None:
        """Save a checkpoint before the session fails, if the parameters are finite."""
        try:
            if self._progress.iteration and self._engine.sound():
                self._save()
        except Fenced:
            raise
        except Exception as error:
            log.warning("%s: nothing is saved of a session that fails: %s", self.run_id, error)

    def _save(self) -> None:
        """Commit a checkpoint, unless this iteration has one, and delete those that the plan does not keep."""
        if self._saved_at == self._progress.iteration:
            return
        with self._failures(), span("checkpoint", iteration=self._progress.iteration):
            info = self._saving.save(SessionState(progress=self._progress, metrics=self._metrics))
        try:
            self._emit(TrainingCheckpointSaved, checkpoint=info)
        except Fenced:
            self._saving.discard(info)
            raise
        self._saved_at, self._saved_time = self._progress.iteration, self._clock.monotonic()
        with self._failures(), suppress(ServiceError):  # the next checkpoint deletes them
            self._saving.delete_unkept(self._needed)

    def _tell_faults(self) -> None:
        for fault in self._faults.pop() if self._faults is not None else ():
            assert self._faults is not None
            self._emit(
                TrainingEnvironmentFault,
                iteration=self._progress.iteration,
                **fault.fields(),
                total=self._faults.total,
            )

    # -- helpers -------------------------------------------------------------------------------------------------------

    def _emit(self, event: type[TrainingEvent], **fields: object) -> TrainingEvent:
        envelope = {"stream": stream_of(self.run_id), "time": self._clock.now(), "simulated": self._engine.simulated}
        made = event.model_validate(envelope | fields)
        self._emit_event(made)
        return made

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Sort exceptions of engine and checkpoint store.

        ``CutShort``, ``Fenced`` and retryable errors pass through; all others become ``_Failed``. These include
        exceptions that only an environment can raise here: ``SystemExit``, ``KeyboardInterrupt``, ``GeneratorExit``.
        """
        try:
            try:
                yield
            finally:
                self._tell_faults()
        except (CutShort, Fenced):
            raise
        except PlatformError as error:
            if error.retryable:
                raise
            raise _Failed(error.code, str(error)) from error
        except BaseException as error:
            log.warning("the engine of %s failed", self.run_id, exc_info=error)
            raise _Failed(EngineError.code, describe(error)) from error
