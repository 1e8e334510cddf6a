"""Results of a study's trials: intermediate reports, pruning, and the end of each."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from actors.studies.followed_trainings import FollowedTraining, FollowedTrainings
from actors.studies.study_log import StudyLog
from rlplatform.runs.events import Event
from rlplatform.studies.events import (
    StudyTrialFinished,
    StudyTrialPruned,
    StudyTrialReported,
    StudyTrialSuggested,
)
from rlplatform.studies.models import Trial, TrialReport, TrialState
from rlplatform.studies.optimizer import Optimizer
from rlplatform.studies.ranking import interval
from rlplatform.studies.trial_requests import is_whole, next_place
from rlplatform.training.models import TrainingState


class TrialResults:
    """Logs what the trainings in ``followed`` have reached, and tells the optimizer."""

    def __init__(self, log: StudyLog, followed: FollowedTrainings, optimizer: Optimizer) -> None:
        self._log = log
        self._followed = followed
        self._optimizer = optimizer
        self._to_prune: set[int] = set()

    def replay(self, event: Event) -> None:
        """Repeat an event of the study's log for the optimizer."""
        match event:
            case StudyTrialSuggested():
                self._optimizer.replay(event.hyperparameters)
            case StudyTrialReported():
                self._tell(event.trial, event.report)
            case StudyTrialPruned():
                self._to_prune.discard(event.trial)
            case StudyTrialFinished():
                self._optimizer.finish(event.trial, event.state, event.value)
                self._to_prune.discard(event.trial)

    async def report(self) -> None:
        """Log intermediate results for which every training of the trial that has begun has come far enough."""
        for trial in self._log.unfinished:
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
                await self._log.append(StudyTrialReported, trial=trial.number, report=report)
                self._tell(trial.number, report)

    async def prune(self) -> None:
        """Log which trials are pruned."""
        for trial in self._log.unfinished:
            if trial.number in self._to_prune and trial.state is TrialState.RUNNING:
                await self._log.append(StudyTrialPruned, trial=trial.number, report=trial.reports[-1].number)
                self._to_prune.discard(trial.number)

    def is_given_up(self, trial: Trial) -> bool:
        """Return True if the trial's trainings are not to go on: it is pruned, or cannot succeed any more."""
        return trial.state is TrialState.PRUNED or trial.number in self._followed.broken

    async def finish(self, *, all_trials: bool) -> None:
        """Log the trials whose trainings have ended.

        Args:
            all_trials: also those with seeds that have not begun, because the study ends.
        """
        for trial in self._log.unfinished:
            followed = self._followed.of(trial)
            complete = all_trials or self.is_given_up(trial) or next_place(self._log.request, trial) is None
            if complete and not any(each.active for each in followed):
                await self._finish(trial, followed)
                self._followed.forget(trial)

    async def _finish(self, trial: Trial, followed: Sequence[FollowedTraining]) -> None:
        trainings = [each.result(trial) for each in followed]
        state, message = self._state_of(trial, followed)
        returns = [each.episode_return_mean for each in trainings if each.episode_return_mean is not None]
        value = statistics.fmean(returns) if returns and state is not TrialState.FAILED else None
        self._optimizer.finish(trial.number, state, value)
        await self._log.append(
            StudyTrialFinished,
            trial=trial.number,
            state=state,
            trainings=trainings,
            value=value,
            interval=interval(returns) if value is not None else None,
            importances=self._optimizer.importances(),
            message=message,
        )

    def _state_of(self, trial: Trial, followed: Sequence[FollowedTraining]) -> tuple[TrialState, str | None]:
        """Return the final state of a trial whose trainings have ended, and its explanation."""
        if trial.state is TrialState.PRUNED:
            return TrialState.PRUNED, None
        if trial.number in self._followed.broken:
            return TrialState.FAILED, self._followed.broken[trial.number]
        stopped = any(each.ended and each.ended.document.state is TrainingState.STOPPED for each in followed)
        if stopped or next_place(self._log.request, trial) is not None:
            return TrialState.STOPPED, None
        if any(each.ended and each.ended.document.evaluation is None for each in followed):
            return TrialState.FAILED, "its policy was not evaluated: the evaluation was cut short"
        return (TrialState.COMPLETED if is_whole(self._log.request, trial) else TrialState.CUT_SHORT), None

    def _tell(self, trial: int, report: TrialReport) -> None:
        if self._optimizer.report(trial, report.number, report.value):
            self._to_prune.add(trial)
