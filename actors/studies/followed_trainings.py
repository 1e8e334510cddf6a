"""Trainings that a study's controller follows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from rlplatform.access.principals import Principal
from rlplatform.errors import Conflict, NotFound, ServiceError, TooManyRequests
from rlplatform.runs.events import Event
from rlplatform.studies.models import StudyRequest, Trial, TrialReport, TrialTraining
from rlplatform.studies.trial_requests import report_number
from rlplatform.training.events import TrainingEvaluated, TrainingPaused, TrainingRecovered, TrainingResumed
from rlplatform.training.models import TrainingState
from rlplatform.training.ports import TrainingCommands
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)


@dataclass
class FollowedTraining:
    """A training of a trial: the position in its stream, its evaluations by report, and its end."""

    trial: int
    seed: int
    training_id: str
    cursor: int = 0
    reports: dict[int, TrialReport] = field(default_factory=dict)
    paused: bool = False
    ended: TrainingRun | None = None
    gone: bool = False
    commanded: str | None = None

    @property
    def active(self) -> bool:
        """True if the training has not ended."""
        return self.ended is None and not self.gone

    def take(self, event: Event, request: StudyRequest) -> None:
        """Take in an event of the training."""
        match event:
            case TrainingEvaluated():
                number = report_number(request, event.env_steps)
                if number is not None:
                    value = event.report.episode_return_mean
                    self.reports[number] = TrialReport(number=number, env_steps=event.env_steps, value=value)
            case TrainingPaused():
                self.paused, self.commanded = True, None
            case TrainingResumed() | TrainingRecovered():
                self.paused, self.commanded = False, None

    def result(self, trial: Trial) -> TrialTraining:
        """Return what ``trial``, which the training belongs to, keeps of it."""
        found = TrialTraining(seed=self.seed, training_id=self.training_id)
        if self.ended is None:
            return found
        document = self.ended.document
        begun = next(each.from_env_steps for each in trial.trainings if each.seed == self.seed)
        return found.model_copy(
            update={
                "from_env_steps": begun,
                "env_steps": max(0, document.progress.env_steps - begun),
                "episode_return_mean": document.evaluation.episode_return_mean if document.evaluation else None,
            }
        )


class FollowedTrainings:
    """Trainings of a study's unfinished trials.

    ``broken`` has the trials that cannot succeed any more, with the reason.
    """

    def __init__(self, trainings: TrainingCommands, principal: Principal) -> None:
        self.broken: dict[int, str] = {}
        self._trainings = trainings
        self._principal = principal
        self._followed: dict[tuple[int, int], FollowedTraining] = {}

    @property
    def active(self) -> list[FollowedTraining]:
        """Trainings that have not ended."""
        return [followed for followed in self._followed.values() if followed.active]

    def of(self, trial: Trial) -> list[FollowedTraining]:
        """Return the trainings of a trial that have begun."""
        return [self._followed[trial.number, training.seed] for training in trial.trainings]

    def follow(self, trial: int, seed: int, training_id: str) -> None:
        """Follow a training from its beginning."""
        self._followed[trial, seed] = FollowedTraining(trial, seed, training_id)

    def forget(self, trial: Trial) -> None:
        """Follow the trainings of a trial no longer."""
        for followed in self.of(trial):
            del self._followed[followed.trial, followed.seed]

    def end(self, followed: FollowedTraining, run: TrainingRun) -> None:
        """Note that a training has ended as ``run``."""
        followed.ended = run
        if run.document.state is TrainingState.FAILED:
            self.broken.setdefault(followed.trial, f"{run.id} failed: {run.document.message}")

    def lose(self, followed: FollowedTraining) -> None:
        """Note that a training has been deleted."""
        followed.gone = True
        self.broken.setdefault(followed.trial, f"{followed.training_id} was deleted")

    async def command(self, command: str, followed: Sequence[FollowedTraining]) -> bool:
        """Send ``command`` to the active trainings in ``followed`` that were not sent it yet.

        Returns:
            True if all have it; False if one has refused it for now.
        """
        sent = True
        for each in followed:
            if each.commanded == command or not each.active:
                continue
            try:
                await self._trainings.command_training(each.training_id, command, self._principal)
                each.commanded = command
            except NotFound:
                self.lose(each)
            except (Conflict, TooManyRequests, ServiceError) as error:
                log.info("%s of %s is tried again: %s", command, each.training_id, error)
                sent = False
        return sent
