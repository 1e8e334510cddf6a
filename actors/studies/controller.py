"""Controller of a study: chooses trials, starts their trainings, follows them, prunes and ends them.

It knows only what the log also has: a new controller continues where the last one was lost. A trial is logged before
its trainings start, and each training starts under an idempotency key of its own, so that none starts twice.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any

from actors.studies.followed_trainings import FollowedTraining, FollowedTrainings
from actors.studies.trial_chooser import TrialChooser
from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.errors import NotFound, PlatformError
from rlplatform.retries import retry
from rlplatform.run_kinds import parse_event
from rlplatform.runs.events import Event, stream_of
from rlplatform.runs.ports import Idempotency
from rlplatform.store import Store
from rlplatform.studies.events import (
    StudyEvent,
    StudyFailed,
    StudyPaused,
    StudyResumed,
    StudyStarted,
    StudyStopped,
    StudySucceeded,
    StudyTrialFinished,
    StudyTrialPruned,
    StudyTrialReported,
    StudyTrialStarted,
    StudyTrialSuggested,
    StudyWaiting,
)
from rlplatform.studies.models import StudyRequest, StudyState, Trial, TrialReport, TrialState
from rlplatform.studies.optimizer import Optimizer
from rlplatform.studies.ranking import interval
from rlplatform.studies.record import StudyRun
from rlplatform.studies.trial_requests import is_whole, training_request
from rlplatform.training.models import CheckpointInfo, TrainingState
from rlplatform.training.ports import TrainingCommands
from rlplatform.training.record import TrainingRun

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
        self._run = run
        self._epoch = epoch
        self._store = store
        self._trainings = trainings
        self._clock = clock
        high = {Scope.ADMIN} if run.document.request.training.priority == "high" else set()
        scopes = frozenset({Scope.TRAIN, Scope.READ, *high})
        self._principal = Principal(id=run.created_by, tenant=run.tenant, scopes=scopes)
        self._optimizer = Optimizer(self._request, run.id)
        self._chooser = TrialChooser(self._request, self._optimizer, clock)
        self._followed = FollowedTrainings(trainings, self._principal)
        self._to_prune: set[int] = set()
        self._cursor = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Serve the study until it has ended.

        Raises:
            Fenced: another controller owns the study now.
            PlatformError: a call failed for good; a new controller may continue.
        """
        await self._rebuild()
        await self._append(StudyStarted, epoch=self._epoch)
        while not self._run.final:
            await self._advance()
            if not self._run.final:
                await self._listen()

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def _request(self) -> StudyRequest:
        return self._run.document.request

    def _unfinished(self) -> list[Trial]:
        return [trial for trial in self._run.document.trials if trial.finished_at is None]

    async def _rebuild(self) -> None:
        """Repeat the study's events for the optimizer, and follow the trainings of unfinished trials from their
        beginning."""
        while lines := await self._persevere(self._store.read, self._run.stream, after=self._cursor, limit=_PAGE):
            for line in lines:
                self._replay(parse_event(line.data))
            self._cursor = lines[-1].seq
        await self._refresh()
        for trial in self._unfinished():
            for training in trial.trainings:
                self._followed.follow(trial.number, training.seed, training.training_id)

    def _replay(self, event: Event) -> None:
        match event:
            case StudyTrialSuggested():
                self._optimizer.replay(event.hyperparameters)
            case StudyTrialReported():
                if self._optimizer.report(event.trial, event.report.number, event.report.value):
                    self._to_prune.add(event.trial)
            case StudyTrialPruned():
                self._to_prune.discard(event.trial)
            case StudyTrialFinished():
                self._optimizer.finish(event.trial, event.state, event.value)
                self._to_prune.discard(event.trial)

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def _advance(self) -> None:
        """Do all that can be done now."""
        await self._report()
        await self._prune()
        await self._finish_trials()
        ending = self._ending()
        if ending is not None:
            await self._command("stop", self._followed.active)
            await self._finish_trials()
            if not self._unfinished():
                await self._append(ending[0], **ending[1])
        elif self._run.desired == "pause":
            await self._pause()
        else:
            await self._continue()
            await self._fill()

    def _ending(self) -> tuple[type[StudyEvent], dict[str, Any]] | None:
        """Return the event that ends the study, once all trainings have ended; None: it continues."""
        if self._run.desired == "stop":
            return StudyStopped, {}
        trials = [trial for trial in self._run.document.trials if trial.finished_at is not None]
        target = self._request.target_return
        best = self._run.document.best_value
        if target is not None and best is not None and best >= target:
            return StudySucceeded, {"stop_reason": "target_return"}
        last = trials[-MAX_FAILURES:]
        if len(last) == MAX_FAILURES and all(trial.state is TrialState.FAILED for trial in last):
            reason = f"{MAX_FAILURES} trials in a row failed; the last: {last[-1].message}"
            return StudyFailed, {"code": "trials_failed", "reason": reason}
        return None

    async def _listen(self) -> None:
        """Wait for events of the study and of its trainings, and take them in."""
        active = self._followed.active
        cursors = {self._run.stream: self._cursor} | {stream_of(each.training_id): each.cursor for each in active}
        wait_s = RETRY_S if self._retry_at or self._run.desired != "run" else LISTEN_S
        try:
            found = await self._persevere(self._store.tail, cursors, wait_s=wait_s)
        except NotFound:
            await self._look_for(active)
            return
        await self._clock.sleep(BATCH_S)
        for each in active:
            lines = found.get(stream_of(each.training_id), ())
            for line in lines:
                event = parse_event(line.data)
                each.take(event, self._request)
                if event.final:
                    self._followed.end(each, await self._training(each.training_id))
            if lines:
                each.cursor = lines[-1].seq
        if lines := found.get(self._run.stream, ()):
            self._cursor = lines[-1].seq
            await self._refresh()

    async def _look_for(self, followed: Sequence[FollowedTraining]) -> None:
        """Mark the trainings that have been deleted."""
        for each in followed:
            try:
                await self._training(each.training_id)
            except NotFound:
                self._followed.lose(each)

    # -- results -------------------------------------------------------------------------------------------------------

    async def _report(self) -> None:
        """Log intermediate results for which every training of the trial that has begun has come far enough."""
        for trial in self._unfinished():
            if trial.state is not TrialState.RUNNING:
                continue
            followed = self._followed.of(trial)
            last = trial.reports[-1].number if trial.reports else 0
            for number in sorted({number for each in followed for number in each.reports if number > last}):
                reports = [each.reports[number] for each in followed if number in each.reports]
                if len(reports) < len(followed) or trial.number in self._to_prune:
                    break
                value = statistics.fmean(report.value for report in reports)
                report = TrialReport(number=number, env_steps=max(each.env_steps for each in reports), value=value)
                await self._append(StudyTrialReported, trial=trial.number, report=report)
                if self._optimizer.report(trial.number, number, value):
                    self._to_prune.add(trial.number)

    async def _prune(self) -> None:
        """Log which trials are pruned, and stop their trainings."""
        for trial in self._unfinished():
            if trial.number in self._to_prune and trial.state is TrialState.RUNNING:
                await self._append(StudyTrialPruned, trial=trial.number, report=trial.reports[-1].number)
                self._to_prune.discard(trial.number)
        for trial in self._unfinished():
            if trial.state is TrialState.PRUNED or trial.number in self._followed.broken:
                await self._command("stop", self._followed.of(trial))

    async def _finish_trials(self) -> None:
        for trial in self._unfinished():
            followed = self._followed.of(trial)
            leaves = (
                trial.state is TrialState.PRUNED or trial.number in self._followed.broken or self._ending() is not None
            )
            if any(each.active for each in followed) or not (leaves or self._unstarted(trial) is None):
                continue
            trainings = [each.result(trial) for each in followed]
            state, message = self._state_of(trial, followed)
            returns = [each.episode_return_mean for each in trainings if each.episode_return_mean is not None]
            value = statistics.fmean(returns) if returns and state is not TrialState.FAILED else None
            self._optimizer.finish(trial.number, state, value)
            await self._append(
                StudyTrialFinished,
                trial=trial.number,
                state=state,
                trainings=trainings,
                value=value,
                interval=interval(returns) if value is not None else None,
                importances=self._optimizer.importances(),
                message=message,
            )
            self._followed.forget(trial)

    def _state_of(self, trial: Trial, followed: Sequence[FollowedTraining]) -> tuple[TrialState, str | None]:
        """Return the final state of a trial whose trainings have ended, and its explanation."""
        if trial.state is TrialState.PRUNED:
            return TrialState.PRUNED, None
        if trial.number in self._followed.broken:
            return TrialState.FAILED, self._followed.broken[trial.number]
        stopped = any(each.ended and each.ended.document.state is TrainingState.STOPPED for each in followed)
        if stopped or self._unstarted(trial) is not None:
            return TrialState.STOPPED, None
        if any(each.ended and each.ended.document.evaluation is None for each in followed):
            return TrialState.FAILED, "its policy was not evaluated: the evaluation was cut short"
        return (TrialState.COMPLETED if is_whole(self._request, trial) else TrialState.CUT_SHORT), None

    # -- trials --------------------------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        """Start trainings while there is room; end the study if nothing is left to do."""
        if self._clock.monotonic() < self._retry_at:
            return
        self._retry_at = 0.0
        while len(self._followed.active) < self._request.parallel:
            trial = next((each for each in self._unfinished() if self._startable(each)), None)
            if trial is None:
                reason = await self._suggest()
                if reason is not None and not self._unfinished():
                    await self._append(StudySucceeded, stop_reason=reason)
                if reason is not None or self._run.final:
                    return
                continue
            place = self._unstarted(trial)
            assert place is not None
            if not await self._start(trial, place):
                return

    def _startable(self, trial: Trial) -> bool:
        running = trial.state is TrialState.RUNNING and trial.number not in self._followed.broken
        return running and self._unstarted(trial) is not None

    def _unstarted(self, trial: Trial) -> int | None:
        """Return the place of the first seed that is to be trained and has not begun; None: all have."""
        begun = {training.seed for training in trial.trainings}
        for place, seed in enumerate(self._request.seeds):
            if seed not in begun and (trial.env_steps is None or trial.env_steps[place] > 0):
                return place
        return None

    async def _suggest(self) -> str | None:
        """Choose and log the next trial; return why not, if nothing can be chosen now."""
        chosen = self._chooser.choose(self._run.document, self._unfinished())
        if isinstance(chosen, str):
            return chosen
        await self._append(
            StudyTrialSuggested,
            trial=chosen.number,
            hyperparameters=chosen.hyperparameters,
            env_steps=chosen.env_steps,
            parent=chosen.parent,
        )
        return None

    async def _start(self, trial: Trial, place: int) -> bool:
        """Start the trial's training with the seed at ``place``; return False if no more can be started for now."""
        seed = self._request.seeds[place]
        try:
            parent = await self._checkpoint(trial, seed)
            request = training_request(self._run.id, self._request, trial, place, parent)
            body = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
            once = Idempotency(self._run.tenant, f"study {self._run.id} {trial.number} {seed}", body)
            run, _ = await self._trainings.start_training(request, self._principal, once)
        except PlatformError as error:
            if not error.retryable:
                self._followed.broken[trial.number] = str(error)
                return True
            await self._wait(error)
            return False
        begun = {"trial": trial.number, "seed": seed, "training_id": run.id}
        await self._append(StudyTrialStarted, **begun, from_env_steps=parent.env_steps if parent is not None else 0)
        self._followed.follow(trial.number, seed, run.id)
        return True

    async def _checkpoint(self, trial: Trial, seed: int) -> CheckpointInfo | None:
        """Return the last checkpoint of the parent trial's training with this seed; None: the trial starts afresh.

        Raises:
            NotFound: the parent has none.
        """
        if trial.parent is None:
            return None
        trainings = self._run.document.trials[trial.parent].trainings
        training_id = next((each.training_id for each in trainings if each.seed == seed), None)
        saved = (await self._training(training_id)).document.checkpoint if training_id is not None else None
        if saved is None:
            raise NotFound(f"trial {trial.parent} has no checkpoint to continue from with seed {seed}")
        return saved

    async def _wait(self, error: PlatformError) -> None:
        """Try again later, and log once why."""
        asked = error.extra.get("retry_after_s")
        pause_s = min(MAX_RETRY_S, max(RETRY_S, float(asked) if asked is not None else RETRY_S))
        self._retry_at = self._clock.monotonic() + pause_s
        if self._run.document.message != str(error):
            await self._append(StudyWaiting, reason=str(error))

    # -- pause, resume, stop -------------------------------------------------------------------------------------------

    async def _pause(self) -> None:
        active = self._followed.active
        await self._command("pause", [each for each in active if not each.paused])
        if all(each.paused for each in active) and self._run.document.state is StudyState.RUNNING:
            await self._append(StudyPaused)

    async def _continue(self) -> None:
        if self._run.document.state is StudyState.PAUSED:
            await self._append(StudyResumed)
        await self._command("resume", [each for each in self._followed.active if each.paused])

    async def _command(self, command: str, followed: Sequence[FollowedTraining]) -> None:
        """Send ``command`` to trainings that were not sent it yet. A refusal is tried again later."""
        if not await self._followed.command(command, followed):
            self._retry_at = self._clock.monotonic() + RETRY_S

    # -- the store -----------------------------------------------------------------------------------------------------

    async def _append(self, event: type[StudyEvent], **fields: object) -> None:
        made = event.model_validate({"stream": self._run.stream, "time": self._clock.now(), **fields})
        await self._persevere(self._store.append, self._run.stream, [made], epoch=self._epoch)
        await self._refresh()

    async def _refresh(self) -> None:
        run = await self._persevere(self._store.get, self._run.id)
        assert isinstance(run, StudyRun)
        self._run = run

    async def _training(self, training_id: str) -> TrainingRun:
        run = await self._persevere(self._store.get, training_id)
        assert isinstance(run, TrainingRun)
        return run

    async def _persevere(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        return await retry(self._clock, partial(call, *args, **kwargs))
