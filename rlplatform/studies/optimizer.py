"""Optimizer of a study: Optuna's samplers and pruners, asked for one trial at a time.

Its state is a function of the study's events, so that a new owner rebuilds it: the sampler of each trial has a seed of
its own, and :meth:`Optimizer.replay` repeats what was reported.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from pydantic import JsonValue

from rlplatform.studies.methods import GridSampler, HyperbandPruner, MedianPruner, TpeSampler
from rlplatform.studies.models import StudyRequest, TrialState
from rlplatform.studies.space import Choices, FloatRange, IntRange, Parameter

optuna.logging.set_verbosity(optuna.logging.WARNING)

LEAST_COMPLETED = 4
"""Completed trials before importances are told."""
_STATES = {
    TrialState.COMPLETED: optuna.trial.TrialState.COMPLETE,
    TrialState.PRUNED: optuna.trial.TrialState.PRUNED,
    TrialState.CUT_SHORT: optuna.trial.TrialState.PRUNED,
}


class Optimizer:
    """Suggests hyperparameters, decides which trials are pruned, and tells which hyperparameters matter.

    Call :meth:`suggest` or :meth:`replay` once for each trial, in order; then :meth:`report` and :meth:`finish` by its
    number.
    """

    def __init__(self, request: StudyRequest, name: str) -> None:
        """``name`` is the study's: Hyperband's brackets follow from it and the trial's number."""
        self._request = request
        self._seed = f"{request.seed}"
        self._distributions = {key: _distribution(parameter) for key, parameter in request.space.items()}
        self._study = optuna.create_study(study_name=name, direction="maximize", pruner=_pruner(request))
        self._trials: list[optuna.trial.Trial] = []
        self._combinations = _combinations(request.space) if isinstance(request.sampler, GridSampler) else []

    def suggest(self) -> dict[str, JsonValue]:
        """Return the hyperparameters of the next trial."""
        number = len(self._trials)
        if isinstance(sampler := self._request.sampler, GridSampler):
            chosen = self._combinations[number // sampler.draws]
            self._study.enqueue_trial(_encoded(self._request.space, chosen))
        self._study.sampler = self._sampler(number)
        self._trials.append(self._study.ask(self._distributions))
        return _decoded(self._request.space, self._trials[-1].params)

    def replay(self, hyperparameters: Mapping[str, JsonValue]) -> None:
        """Take the next trial as one that was chosen before."""
        self._study.enqueue_trial(_encoded(self._request.space, hyperparameters))
        self._study.sampler = optuna.samplers.RandomSampler(seed=0)
        self._trials.append(self._study.ask(self._distributions))

    def report(self, trial: int, number: int, value: float) -> bool:
        """Take an intermediate result; return True if the trial should be pruned."""
        self._trials[trial].report(value, number)
        pruner = self._request.pruner
        return pruner is not None and number < pruner.reports and self._trials[trial].should_prune()

    def finish(self, trial: int, state: TrialState, value: float | None) -> None:
        """Take the end of a trial. One without a value counts as failed: the sampler learns nothing from it."""
        told = _STATES.get(state, optuna.trial.TrialState.FAIL)
        if told is optuna.trial.TrialState.COMPLETE and value is None:
            told = optuna.trial.TrialState.FAIL
        completed = told is optuna.trial.TrialState.COMPLETE
        self._study.tell(self._trials[trial], value if completed else None, state=told)

    def importances(self) -> dict[str, float]:
        """Return the importance of each hyperparameter (PED-ANOVA; Watanabe et al., 2023); empty: too few trials."""
        if len(self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))) < LEAST_COMPLETED:
            return {}
        try:
            return optuna.importance.get_param_importances(
                self._study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        except (ValueError, RuntimeError):  # for example equal values of all trials
            return {}

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = int.from_bytes(hashlib.sha256(f"{self._seed}/{number}".encode()).digest()[:4])
        sampler = self._request.sampler
        if isinstance(sampler, TpeSampler):
            return optuna.samplers.TPESampler(seed=seed, n_startup_trials=sampler.startup_trials)
        return optuna.samplers.RandomSampler(seed=seed)


def draw(parameter: Parameter, source: random.Random) -> JsonValue:
    """Draw one value of ``parameter`` at random."""
    sampler = optuna.samplers.RandomSampler(seed=source.randrange(2**31))
    study = optuna.create_study(sampler=sampler)
    return _decoded({"it": parameter}, study.ask({"it": _distribution(parameter)}).params)["it"]


def _pruner(request: StudyRequest) -> optuna.pruners.BasePruner:
    match request.pruner:
        case MedianPruner() as median:
            return optuna.pruners.MedianPruner(
                n_startup_trials=median.startup_trials, n_warmup_steps=median.warmup_reports
            )
        case HyperbandPruner() as hyperband:
            return optuna.pruners.HyperbandPruner(
                min_resource=hyperband.min_reports,
                max_resource=hyperband.reports,
                reduction_factor=hyperband.reduction_factor,
            )
        case _:
            return optuna.pruners.NopPruner()


def _distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    match parameter:
        case FloatRange():
            return optuna.distributions.FloatDistribution(
                parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        case IntRange():
            return optuna.distributions.IntDistribution(
                parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        case Choices():
            return optuna.distributions.CategoricalDistribution(range(len(parameter.choices)))


def _combinations(space: Mapping[str, Parameter]) -> Sequence[dict[str, JsonValue]]:
    """Return every combination of the choices in ``space``."""
    choices = {name: parameter.choices for name, parameter in space.items() if isinstance(parameter, Choices)}
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def _encoded(space: Mapping[str, Parameter], values: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return ``values`` as Optuna holds them: of choices, the position."""
    return {name: _position(space[name], value) for name, value in values.items()}


def _decoded(space: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name, parameter in space.items():
        found[name] = parameter.choices[values[name]] if isinstance(parameter, Choices) else values[name]
    return found


def _position(parameter: Parameter, value: JsonValue) -> Any:
    if not isinstance(parameter, Choices):
        return value
    return next(
        place for place, choice in enumerate(parameter.choices) if choice == value and type(choice) is type(value)
    )
