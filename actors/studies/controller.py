"""Controller of a study: chooses trials, starts their trainings, follows them, prunes and ends them.

It knows only what the log also has: a new controller continues where the last one was lost. A trial is logged before
its trainings start, and each training starts under an idempotency key of its own, so that none starts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.studies.followed_trainings import FollowedTraining, FollowedTrainings
from actors.studies.study_log import StudyLog
from actors.studies.trial_chooser import TrialChooser
from actors.studies.trial_results import TrialResults
from actors.studies.trial_starter import TrialStarter
from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.errors import NotFound, PlatformError
from rlplatform.run_kinds import parse_event
from rlplatform.runs.events import stream_of
from rlplatform.store import Store
from rlplatform.studies.events import (
    StudyEvent,
    StudyFailed,
    StudyPaused,
    StudyResumed,
    StudyStarted,
    StudyStopped,
    StudySucceeded,
    StudyTrialSuggested,
    StudyWaiting,
)
from rlplatform.studies.models import StudyState, Trial, TrialState
from rlplatform.studies.optimizer import Optimizer
from rlplatform.studies.record import StudyRun
from rlplatform.studies.trial_requests import next_place
from rlplatform.training.ports import TrainingCommands

LISTEN_S = 5.0
BATCH_S = 0.1
"""Pause between two readings of the log, so that many iterations are read at once."""
RETRY_S = 1.0
MAX_RETRY_S = 30.0
MAX_FAILURES = 5
"""Trials in a row that may fail before the study does: something is wrong with all of them."""
_PAGE = 500


class StudyController:
    """Owner of one study, with the fencing token ``epoch``."""

    def __init__(self, run: StudyRun, epoch: int, store: Store, trainings: TrainingCommands, clock: Clock) -> None:
        request = run.document.request
        high = {Scope.ADMIN} if request.training.priority == "high" else set()
        scopes = frozenset({Scope.TRAIN, Scope.READ, *high})
        principal = Principal(id=run.created_by, tenant=run.tenant, scopes=scopes)
        optimizer = Optimizer(request, run.id)
        self._epoch = epoch
        self._clock = clock
        self._log = StudyLog(run, epoch, store, clock)
        self._followed = FollowedTrainings(trainings, principal)
        self._chooser = TrialChooser(request, optimizer, clock)
        self._starter = TrialStarter(self._log, self._followed, trainings, principal)
        self._results = TrialResults(self._log, self._followed, optimizer)
        self._cursor = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Serve the study until it has ended.

        Raises:
            Fenced: another controller owns the study now.
            PlatformError: a call failed for good; a new controller may continue.
        """
        await self._rebuild()
        await self._log.append(StudyStarted, epoch=self._epoch)
        while not self._log.run.final:
            await self._advance()
            if not self._log.run.final:
                await self._listen()

    async def _rebuild(self) -> None:
        """Repeat the study's events for the optimizer, and follow the trainings of unfinished trials from their
        beginning."""
        while lines := await self._log.read(self._cursor, _PAGE):
            for line in lines:
                self._results.replay(parse_event(line.data))
            self._cursor = lines[-1].seq
        await self._log.refresh()
        for trial in self._log.unfinished:
            for training in trial.trainings:
                self._followed.follow(trial.number, training.seed, training.training_id)

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def _advance(self) -> None:
        """Do all that can be done now."""
        await self._results.report()
        await self._results.prune()
        given_up = [trial for trial in self._log.unfinished if self._results.is_given_up(trial)]
        await self._command("stop", [each for trial in given_up for each in self._followed.of(trial)])
        await self._results.finish(all_trials=self._ending() is not None)
        if (ending := self._ending()) is not None:
            await self._end(*ending)
        elif self._log.run.desired == "pause":
            await self._pause()
        else:
            await self._continue()
            await self._fill()

    def _ending(self) -> tuple[type[StudyEvent], dict[str, Any]] | None:
        """Return the event that ends the study, once all trainings have ended; None: it continues."""
        document = self._log.document
        if self._log.run.desired == "stop":
            return StudyStopped, {}
        target, best = self._log.request.target_return, document.best_value
        if target is not None and best is not None and best >= target:
            return StudySucceeded, {"stop_reason": "target_return"}
        last = [trial for trial in document.trials if trial.finished_at is not None][-MAX_FAILURES:]
        if len(last) == MAX_FAILURES and all(trial.state is TrialState.FAILED for trial in last):
            reason = f"{MAX_FAILURES} trials in a row failed; the last: {last[-1].message}"
            return StudyFailed, {"code": "trials_failed", "reason": reason}
        return None

    async def _end(self, event: type[StudyEvent], fields: dict[str, Any]) -> None:
        """Stop all trainings; log the study's last event once they have ended."""
        await self._command("stop", self._followed.active)
        await self._results.finish(all_trials=True)
        if not self._log.unfinished:
            await self._log.append(event, **fields)

    async def _listen(self) -> None:
        """Wait for events of the study and of its trainings, and take them in."""
        active = self._followed.active
        study = self._log.run.stream
        cursors = {study: self._cursor} | {stream_of(each.training_id): each.cursor for each in active}
        wait_s = RETRY_S if self._retry_at or self._log.run.desired != "run" else LISTEN_S
        try:
            found = await self._log.tail(cursors, wait_s)
        except NotFound:
            await self._look_for(active)
            return
        await self._clock.sleep(BATCH_S)
        for each in active:
            lines = found.get(stream_of(each.training_id), ())
            for line in lines:
                event = parse_event(line.data)
                each.take(event, self._log.request)
                if event.final:
                    self._followed.end(each, await self._log.training(each.training_id))
            if lines:
                each.cursor = lines[-1].seq
        if lines := found.get(study, ()):
            self._cursor = lines[-1].seq
            await self._log.refresh()

    async def _look_for(self, followed: Sequence[FollowedTraining]) -> None:
        """Mark the trainings that have been deleted."""
        for each in followed:
            try:
                await self._log.training(each.training_id)
            except NotFound:
                self._followed.lose(each)

    # -- trials --------------------------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        """Start trainings while there is room; end the study if nothing is left to do."""
        if self._clock.monotonic() < self._retry_at:
            return
        self._retry_at = 0.0
        while len(self._followed.active) < self._log.request.parallel:
            if (waiting := self._next_training()) is None:
                reason = await self._suggest()
                if reason is not None and not self._log.unfinished:
                    await self._log.append(StudySucceeded, stop_reason=reason)
                if reason is not None or self._log.run.final:
                    return
                continue
            try:
                await self._starter.start(*waiting)
            except PlatformError as error:
                if not error.retryable:
                    raise
                await self._wait(error)
                return

    def _next_training(self) -> tuple[Trial, int] | None:
        """Return a trial with the place of a seed to start now; None: all trials that continue have begun."""
        for trial in self._log.unfinished:
            place = next_place(self._log.request, trial)
            if place is not None and trial.state is TrialState.RUNNING and not self._results.is_given_up(trial):
                return trial, place
        return None

    async def _suggest(self) -> str | None:
        """Choose and log the next trial; return why not, if nothing can be chosen now."""
        chosen = self._chooser.choose(self._log.document, self._log.unfinished)
        if isinstance(chosen, str):
            return chosen
        await self._log.append(
            StudyTrialSuggested,
            trial=chosen.number,
            hyperparameters=chosen.hyperparameters,
            env_steps=chosen.env_steps,
            parent=chosen.parent,
        )
        return None

    async def _wait(self, error: PlatformError) -> None:
        """Try again later, and log once why."""
        asked = error.extra.get("retry_after_s")
        pause_s = min(MAX_RETRY_S, max(RETRY_S, float(asked) if asked is not None else RETRY_S))
        self._retry_at = self._clock.monotonic() + pause_s
        if self._log.document.message != str(error):
            await self._log.append(StudyWaiting, reason=str(error))

    # -- pause, resume, stop -------------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        active = self._followed.active
        await self._command("pause", [each for each in active if not each.paused])
        if all(each.paused for each in active) and self._log.document.state is StudyState.RUNNING:
            await self._log.append(StudyPaused)

    async def _continue(self) -> None:
        if self._log.document.state is StudyState.PAUSED:
            await self._log.append(StudyResumed)
        await self._command("resume", [each for each in self._followed.active if each.paused])

    async def _command(self, command: str, followed: Sequence[FollowedTraining]) -> None:
        """Send ``command`` to trainings that were not sent it yet. A refusal is tried again later."""
        if not await self._followed.command(command, followed):
            self._retry_at = self._clock.monotonic() + RETRY_S
