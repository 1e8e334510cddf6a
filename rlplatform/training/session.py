"""A training session: the state machine that drives an engine from its first iteration to its final event.

Plain and synchronous: one thread calls :meth:`TrainingSession.run`, others :meth:`~TrainingSession.pause`,
:meth:`~TrainingSession.resume` and :meth:`~TrainingSession.stop`, which take effect between two iterations; nothing
interrupts an iteration. What is not done here: appending events to a log, fencing, restarting after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rlplatform import events
from rlplatform.errors import EngineError, Fenced, PlatformError, ServiceError
from rlplatform.events import EventBase, stream_of
from rlplatform.ports import CheckpointStore, Clock, TrainingEngine
from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import CheckpointInfo, Progress, StopCriteria, TrainingRequest, TrainingState
from rlplatform.training.saving import Saving, Snapshot

MIN_EPISODES = 20
"""Episodes that must have ended before ``episode_return_mean`` can stop a session: a mean of fewer says little."""


class _Failed(Exception):
    """The session cannot go on, and trying again elsewhere would not help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class TrainingSession:
    """One training, from a fresh engine or a checkpoint to ``succeeded``, ``stopped`` or ``failed``.

    ``emit`` gets every event in order (``seq`` 0, the log gives it) and blocks until it is taken. What it raises leaves
    :meth:`run` as it is, :class:`~rlplatform.errors.Fenced` above all. So does a *retryable* failure of engine or
    checkpoint store: the session can be recovered elsewhere. Any other failure of theirs becomes ``training.failed``.
    """

    def __init__(
        self,
        run_id: str,
        request: TrainingRequest,
        engine: TrainingEngine,
        checkpoints: CheckpointStore,
        clock: Clock,
        scratch: Path,
        emit: Callable[[EventBase], None],
        *,
        manifest: dict[str, object] | None = None,
        needed: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """``manifest`` goes into ``training.started``; ``scratch`` is a local folder for checkpoints in the making.

        :param needed: tells the ids of checkpoints that stay, whatever the plan says: other sessions begin from them.
        """
        self.run_id = run_id
        self._request = request
        self._engine = engine
        self._saving = Saving(run_id, request.checkpoint, engine, checkpoints, clock, scratch)
        self._clock = clock
        self._emit_event = emit
        self._manifest = manifest or {}
        self._needed = needed
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

        The engine is closed and its resources are free. Another session continues from the checkpoint.
        """
        self._pause_wished = True

    def resume(self) -> None:
        """Withdraw a pause that has not begun. Idempotent."""
        self._pause_wished = False

    def stop(self, reason: str = "stop_requested") -> None:
        """End as ``stopped`` before the next iteration, with a checkpoint. The first reason stands."""
        self._stop_reason = self._stop_reason or reason

    def suspend(self) -> None:
        """Leave :meth:`run` before the next iteration with a checkpoint and no final event: to be recovered later."""
        self._suspend_wished = True

    # -- before run ----------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: CheckpointInfo) -> None:
        """Begin from ``checkpoint``, usually another run's; its counters go on, and stop criteria count them.

        :raises NotFound: there is none such.
        :raises CheckpointError: it is damaged, or does not fit the engine.
        """
        self._go_on_from(checkpoint, self._saving.restore(checkpoint))

    def recover(
        self,
        lost: Progress,
        parent: CheckpointInfo | None = None,
        saved: CheckpointInfo | None = None,
        *,
        paused: bool = False,
    ) -> None:
        """Continue from the newest checkpoint that verifies, else from ``parent``, else from the beginning.

        :param lost: how far the run had come, as the log has it, and ``saved`` its last checkpoint there. One that is
            further is left: what came before it was never told.
        :param paused: the session was paused, not lost: it begins with ``training.resumed`` if nothing is redone.
        :raises CheckpointError: the checkpoint verifies but does not fit the engine.
        """
        self._lost, self._was_paused = lost, paused
        reached = max(lost.iteration, saved.iteration if saved is not None else 0)
        if (found := self._saving.restore_newest(reached)) is not None:
            self._go_on_from(*found)
            self._saved_at = self._progress.iteration
        elif parent is not None:
            self.restore(parent)

    def _go_on_from(self, checkpoint: CheckpointInfo, snapshot: Snapshot) -> None:
        self._progress, self._metrics, self._restored = snapshot.progress, snapshot.metrics, checkpoint

    # -- the loop ------------------------------------------------------------------------------------------------------

    def run(self) -> EventBase | None:
        """Train until the end and return the final event; None if the session was paused or suspended.

        Closes the engine, also when it raises.
        """
        try:
            while (final := self.advance()) is None:
                if self._suspended or self._state is TrainingState.PAUSED:
                    return None
            return final
        finally:
            self._engine.close()

    def advance(self) -> EventBase | None:
        """Make one turn of :meth:`run`, a transition or an iteration; return the final event at the end."""
        try:
            if self._state is TrainingState.STARTING:
                self._start()
                return None
            if self._stop_reason is not None:
                return self._finish(self._stop_reason, TrainingState.STOPPED)
            if (met := self._met(self._request.stop)) is not None:
                return self._finish(met, TrainingState.SUCCEEDED)
            if self._suspend_wished:
                self._save()
                self._suspended = True
            elif self._pause_wished:
                self._save()
                self._state = TrainingState.PAUSED
                self._emit(events.TrainingPaused, progress=self._progress)
            else:
                self._iterate()
            return None
        except _Failed as failure:
            self._state = TrainingState.FAILED
            return self._emit(events.TrainingFailed, code=failure.code, reason=str(failure), progress=self._progress)

    def _start(self) -> None:
        self._state = TrainingState.RUNNING
        if self._lost is None:
            self._emit(events.TrainingStarted, manifest=self._manifest)
            return
        if self._was_paused and self._progress.iteration == self._lost.iteration:
            self._emit(events.TrainingResumed, progress=self._progress)
            return
        self._emit(
            events.TrainingRecovered,
            checkpoint_id=self._restored.id if self._restored else None,
            iteration=self._progress.iteration,
            env_steps=self._progress.env_steps,
            redone_iterations=max(0, self._lost.iteration - self._progress.iteration),
            redone_env_steps=max(0, self._lost.env_steps - self._progress.env_steps),
        )

    def _iterate(self) -> None:
        began = self._clock.monotonic()
        with self._failures():
            report = self._engine.train_iteration()
        train_wall_s = self._progress.train_wall_s + (self._clock.monotonic() - began)
        self._progress = Progress(
            iteration=report.iteration, env_steps=report.env_steps, episodes=report.episodes, train_wall_s=train_wall_s
        )
        self._metrics = report.metrics
        self._emit(events.TrainingIterationCompleted, **self._progress.model_dump(), metrics=self._metrics)
        plans = self._request.evaluation.every_iterations, self._request.checkpoint.every_iterations
        evaluate, save = (every > 0 and report.iteration % every == 0 for every in plans)
        if evaluate:
            self._evaluate()
        if save:
            self._save()

    def _met(self, criteria: StopCriteria) -> str | None:
        """The first criterion met. ``wall_time_s`` counts training alone: no pauses, evaluations or checkpoints."""
        progress, mean = self._progress, self._metrics.get(EPISODE_RETURN_MEAN)
        checks = {
            "env_steps": criteria.env_steps is not None and progress.env_steps >= criteria.env_steps,
            "episode_return_mean": criteria.episode_return_mean is not None
            and mean is not None
            and progress.episodes >= MIN_EPISODES
            and mean >= criteria.episode_return_mean,
            "iterations": criteria.iterations is not None and progress.iteration >= criteria.iterations,
            "wall_time_s": criteria.wall_time_s is not None and progress.train_wall_s >= criteria.wall_time_s,
        }
        return next((name for name, met in checks.items() if met), None)

    def _finish(self, reason: str, state: TrainingState) -> EventBase:
        """The last checkpoint; and, of a session that was not stopped by someone, the last evaluation."""
        if state is TrainingState.SUCCEEDED:
            self._evaluate()
        self._save()
        self._state = state
        event = events.TrainingSucceeded if state is TrainingState.SUCCEEDED else events.TrainingStopped
        return self._emit(event, stop_reason=reason, progress=self._progress)

    def _evaluate(self) -> None:
        """Evaluate, unless this very iteration has been; always on the same episodes, so that reports compare.

        Where that fails, of episodes that never end for one, what was trained is saved before the session fails.
        """
        progress = self._progress
        if self._evaluated_at == progress.iteration:
            return
        try:
            with self._failures():
                report = self._engine.evaluate(self._request.evaluation.episodes, self._request.seed)
        except _Failed:
            with suppress(_Failed):
                self._save()
            raise
        self._evaluated_at = progress.iteration
        self._emit(events.TrainingEvaluated, iteration=progress.iteration, env_steps=progress.env_steps, report=report)

    def _save(self) -> None:
        """Commit a checkpoint, unless this very iteration has one, and delete those that the plan does not keep."""
        if self._saved_at == self._progress.iteration:
            return
        with self._failures():
            info = self._saving.save(Snapshot(progress=self._progress, metrics=self._metrics))
        try:
            self._emit(events.TrainingCheckpointSaved, checkpoint=info)
        except Fenced:
            self._saving.discard(info)
            raise
        self._saved_at = self._progress.iteration
        with self._failures(), suppress(ServiceError):  # the next one tidies up
            self._saving.tidy(self._needed)

    # -- helpers -------------------------------------------------------------------------------------------------------

    def _emit(self, event: type[events.TrainingEvent], **fields: object) -> events.TrainingEvent:
        envelope = {"stream": stream_of(self.run_id), "time": self._clock.now(), "simulated": self._engine.simulated}
        made = event.model_validate(envelope | fields)
        self._emit_event(made)
        return made

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Sorts what engine and checkpoint store raise: fenced or retryable, as it is; all else, ``_Failed``."""
        try:
            yield
        except Fenced:
            raise
        except PlatformError as error:
            if error.retryable:
                raise
            raise _Failed(error.code, str(error)) from error
        except Exception as error:
            raise _Failed(EngineError.code, f"{type(error).__name__}: {error}") from error
