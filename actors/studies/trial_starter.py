"""Starts of the trainings of a study's trials."""

from __future__ import annotations

import hashlib

from actors.studies.followed_trainings import FollowedTrainings
from actors.studies.study_log import StudyLog
from rlplatform.access.principals import Principal
from rlplatform.errors import NotFound, PlatformError
from rlplatform.runs.ports import Idempotency
from rlplatform.studies.events import StudyTrialStarted
from rlplatform.studies.models import Trial
from rlplatform.studies.trial_requests import training_request
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import TrainingCommands
from rlplatform.training.record import TrainingRun


class TrialStarter:
    """Starts trainings in the name of ``principal``, and lets ``followed`` follow them."""

    def __init__(
        self, log: StudyLog, followed: FollowedTrainings, trainings: TrainingCommands, principal: Principal
    ) -> None:
        self._log = log
        self._followed = followed
        self._trainings = trainings
        self._principal = principal

    async def start(self, trial: Trial, place: int) -> None:
        """Start the trial's training with the seed at ``place``, and log it. If it can never start, the trial is
        broken.

        Raises:
            PlatformError: nothing can be started for now (``retryable``), or the log cannot be written.
        """
        seed = self._log.request.seeds[place]
        try:
            parent = await self._checkpoint(trial, seed)
            run = await self._train(trial, place, parent)
        except PlatformError as error:
            if error.retryable:
                raise
            self._followed.broken[trial.number] = str(error)
            return
        begun = {"trial": trial.number, "seed": seed, "training_id": run.id}
        await self._log.append(StudyTrialStarted, **begun, from_env_steps=parent.env_steps if parent is not None else 0)
        self._followed.follow(trial.number, seed, run.id)

    async def _train(self, trial: Trial, place: int, parent: CheckpointInfo | None) -> TrainingRun:
        """Start the training, once: a later call with the same trial and place returns the same one."""
        study = self._log.run
        request = training_request(study.id, self._log.request, trial, place, parent)
        body = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        once = Idempotency(study.tenant, f"study {study.id} {trial.number} {request.seed}", body)
        run, _ = await self._trainings.start_training(request, self._principal, once)
        return run

    async def _checkpoint(self, trial: Trial, seed: int) -> CheckpointInfo | None:
        """Return the last checkpoint of the parent trial's training with this seed; None: the trial starts afresh.

        Raises:
            NotFound: the parent has none.
        """
        if trial.parent is None:
            return None
        trainings = self._log.document.trials[trial.parent].trainings
        training_id = next((each.training_id for each in trainings if each.seed == seed), None)
        saved = (await self._log.training(training_id)).document.checkpoint if training_id is not None else None
        if saved is None:
            raise NotFound(f"trial {trial.parent} has no checkpoint to continue from with seed {seed}")
        return saved
