"""Checks of a study's request, before anything is stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.errors import InvalidRequest
from rlplatform.studies.methods import GridSampler, PopulationSampler
from rlplatform.studies.models import StudyRequest
from rlplatform.studies.space import merged, nested
from rlplatform.training.models import TrainingRequest
from rlplatform.training.request_checks import check_hyperparameters, effective

CORNERS = 64
"""Combinations of extreme values that are checked, besides each value by itself."""


def with_hyperparameters(training: TrainingRequest, searched: Mapping[str, JsonValue]) -> TrainingRequest:
    """Return ``training`` with the searched hyperparameters."""
    return training.model_copy(update={"hyperparameters": merged(training.hyperparameters, searched)})


def check_space(request: StudyRequest) -> TrainingRequest:
    """Check the names and the values of the search space, as the algorithm does.

    A value is refused if no combination of extreme values accepts it. For a grid every combination must be accepted.

    Returns:
        One training that the space allows, for checks of its environment.

    Raises:
        UnknownName: a hyperparameter does not exist; suggests similar names.
        InvalidRequest: a value is not accepted; names the field in the space, and says what is accepted.
    """
    _check_names(request)
    corners = list(_corners(request))
    accepted: list[TrainingRequest] = []
    refused: list[tuple[Mapping[str, JsonValue], InvalidRequest]] = []
    fine: dict[str, list[JsonValue]] = {name: [] for name in request.space}
    for corner in corners:
        training = with_hyperparameters(request.training, corner)
        try:
            check_hyperparameters(training)
        except InvalidRequest as error:
            refused.append((corner, error))
            continue
        accepted.append(training)
        for name, value in corner.items():
            fine[name].append(value)
    strict = isinstance(request.sampler, GridSampler)
    for values, refusal in refused:
        bad = [name for name, value in values.items() if strict or value not in fine[name]]
        if bad:
            raise _refusal(values, bad, refusal) from None
    if isinstance(request.sampler, PopulationSampler):
        _check_population(request, corners)
    return accepted[0]


def _check_names(request: StudyRequest) -> None:
    """Check that each name is a hyperparameter of the algorithm that ``training`` does not fix."""
    for name, parameter in request.space.items():
        probe = request.training.model_copy(update={"hyperparameters": nested({name: parameter.extremes[0]})})
        try:
            effective(probe)
        except InvalidRequest as error:
            if error.code == "unknown_name" and str(error.extra.get("field")).startswith("hyperparameters"):
                error.extra["field"] = f"space.{name}"
                raise
        fixed: Any = request.training.hyperparameters
        for part in name.split("."):
            if not isinstance(fixed, Mapping) or part not in fixed:
                break
            fixed = fixed[part]
        else:
            field = f"space.{name}"
            raise InvalidRequest(
                f"{field} is fixed in training.hyperparameters too: leave it out of one of them", field=field
            )


def _corners(request: StudyRequest) -> Iterator[dict[str, JsonValue]]:
    """Yield combinations of extreme values: of a grid all, else some, with each extreme value in one at least."""
    extremes = {name: parameter.extremes for name, parameter in request.space.items()}
    every = itertools.product(*extremes.values())
    most = None if isinstance(request.sampler, GridSampler) else CORNERS
    for values in itertools.islice(every, most):
        yield dict(zip(extremes, values, strict=True))
    if most is not None:
        for anchor in (0, -1):
            base = {name: values[anchor] for name, values in extremes.items()}
            for name, values in extremes.items():
                for value in values:
                    yield {**base, name: value}


def _check_population(request: StudyRequest, corners: list[dict[str, JsonValue]]) -> None:
    """Check that checkpoints made with one combination can be continued with every other."""
    algorithm = ALGORITHMS[request.training.algorithm]
    first: Any = None
    for corner in corners:
        try:
            ours, _ = effective(with_hyperparameters(request.training, corner))
        except InvalidRequest:
            continue
        first = ours if first is None else first
        try:
            algorithm.check_resumes(ours, first, image=False)
        except InvalidRequest as error:
            path = str(error.extra.get("field", "")).removeprefix("hyperparameters.")
            name = next((name for name in request.space if path.startswith(name) or name.startswith(path)), path)
            raise InvalidRequest(
                f"space.{name}: population-based training continues from checkpoints, and this changes the network; "
                "search what can change during training, for example learning_rate, or choose another sampler",
                field=f"space.{name}",
            ) from None


def _refusal(corner: Mapping[str, JsonValue], bad: list[str], error: InvalidRequest) -> InvalidRequest:
    """Return ``error`` as one of the space."""
    path = str(error.extra.get("field", "")).removeprefix("hyperparameters.")
    named = [name for name in bad if path == name or path.startswith(f"{name}.") or name.startswith(f"{path}.")]
    name = (named or bad)[0]
    values = ", ".join(f"{key} {value}" for key, value in corner.items())
    extra = {key: value for key, value in error.extra.items() if key != "field"}
    return InvalidRequest(f"space.{name}: with {values}: {error.detail}", field=f"space.{name}", **extra)
