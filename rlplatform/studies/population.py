"""Population-based training: which member each trial continues from, and with which hyperparameters.

Source: Jaderberg et al., 2017 (arXiv:1711.09846), with truncation selection, generation by generation.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from rlplatform.studies.methods import PopulationSampler
from rlplatform.studies.models import StudyRequest, Trial, TrialState
from rlplatform.studies.optimizer import draw
from rlplatform.studies.space import Choices, FloatRange, IntRange

FACTORS = (0.8, 1.25)


class Successor(NamedTuple):
    """Next trial of a member: its hyperparameters, and the trial whose checkpoints it continues from."""

    hyperparameters: dict[str, JsonValue]
    parent: int | None


def generation_of(sampler: PopulationSampler, number: int) -> int:
    """Return the generation of trial ``number``, from 0."""
    return number // sampler.members


def is_ready(sampler: PopulationSampler, number: int, trials: Sequence[Trial]) -> bool:
    """Return True if trial ``number`` can be chosen: the generation before has ended."""
    before = trials[: generation_of(sampler, number) * sampler.members]
    return all(trial.finished_at is not None for trial in before)


def succeed(request: StudyRequest, sampler: PopulationSampler, number: int, trials: Sequence[Trial]) -> Successor:
    """Return the trial ``number``: the member's own, or a changed copy of a good member's if it did badly.

    The same trials give the same successor.
    """
    source = random.Random(f"{request.seed}/{number}")
    generation, member = divmod(number, sampler.members)
    if generation == 0:
        return Successor({name: draw(parameter, source) for name, parameter in request.space.items()}, None)
    begin = (generation - 1) * sampler.members
    peers = trials[begin : begin + sampler.members]
    sound = [trial for trial in peers if trial.state is TrialState.COMPLETED and trial.value is not None]
    own = peers[member]
    if not sound:
        return Successor({name: draw(parameter, source) for name, parameter in request.space.items()}, None)
    sound.sort(key=lambda trial: (-(trial.value or 0.0), trial.number))
    count = max(1, int(sampler.quantile * sampler.members))
    top = sound[:count]
    bottom = {trial.number for trial in sound[len(sound) - count :]} - {trial.number for trial in top}
    if own in sound and own.number not in bottom:
        return Successor(dict(own.hyperparameters), own.number)
    chosen = source.choice(top)
    return Successor(explore(request, sampler, chosen.hyperparameters, source), chosen.number)


def explore(
    request: StudyRequest, sampler: PopulationSampler, copied: Mapping[str, JsonValue], source: random.Random
) -> dict[str, JsonValue]:
    """Return ``copied`` hyperparameters, each drawn again or multiplied by a factor, within the space."""
    changed: dict[str, JsonValue] = {}
    for name, parameter in request.space.items():
        value = copied[name]
        if source.random() < sampler.resample or isinstance(parameter, Choices):
            drawn = draw(parameter, source)
            changed[name] = drawn if source.random() < 0.5 or not isinstance(parameter, Choices) else value
            continue
        assert isinstance(value, int | float)
        changed[name] = _within(parameter, value * source.choice(FACTORS))
    return changed


def _within(parameter: FloatRange | IntRange, value: float) -> float | int:
    """Return the value of the range that is nearest to ``value``."""
    if parameter.step is not None and not parameter.log:
        value = parameter.low + round((value - parameter.low) / parameter.step) * parameter.step
    value = min(max(value, parameter.low), parameter.high)
    return round(value) if isinstance(parameter, IntRange) else value
