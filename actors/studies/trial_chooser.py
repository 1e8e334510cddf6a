"""Choice of a study's next trial, within the number of trials and the budget of the request."""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.clock import Clock
from rlplatform.studies import budget, population
from rlplatform.studies.methods import PopulationSampler
from rlplatform.studies.models import Study, StudyRequest, Trial
from rlplatform.studies.optimizer import Optimizer
from rlplatform.studies.trial_requests import is_whole, least_env_steps, target_env_steps


class TrialChooser:
    """Chooses trials with ``optimizer``, or by population-based training."""

    def __init__(self, request: StudyRequest, optimizer: Optimizer, clock: Clock) -> None:
        self._request = request
        self._optimizer = optimizer
        self._clock = clock
        self._next: Trial | None = None
        """Trial that was chosen, and waits for its steps."""

    def choose(self, document: Study, unfinished: Sequence[Trial]) -> Trial | str:
        """Return the next trial with its environment steps; or why there is none now: ``trials``, ``budget_env_steps``
        or ``generation``."""
        request = self._request
        if request.planned_trials is not None and document.trial_count >= request.planned_trials:
            return "trials"
        available = budget.left(request, document.env_steps, unfinished)
        if available is not None and available <= 0:
            return "budget_env_steps"
        if (trial := self._next or self._suggest(document)) is None:
            return "generation"
        self._next = trial
        steps = budget.plan(request, available, target_env_steps(request), least_env_steps(request, trial))
        planned = trial.model_copy(update={"env_steps": steps})
        if steps == [] or (unfinished and not is_whole(request, planned)):
            return "budget_env_steps"  # trials that are pruned may leave enough for a whole one
        self._next = None
        return planned

    def _suggest(self, document: Study) -> Trial | None:
        """Return the next trial; None: it depends on trials that have not ended."""
        sampler = self._request.sampler
        number, now = document.trial_count, self._clock.now()
        if not isinstance(sampler, PopulationSampler):
            return Trial(number=number, hyperparameters=self._optimizer.suggest(), started_at=now)
        if not population.is_ready(sampler, number, document.trials):
            return None
        chosen = population.succeed(self._request, sampler, number, document.trials)
        self._optimizer.replay(chosen.hyperparameters)
        return Trial(number=number, hyperparameters=chosen.hyperparameters, parent=chosen.parent, started_at=now)
