"""Search space of a study: the range, or the choices, of each hyperparameter that is searched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from rlplatform.json_models import Json, StrictModel

MAX_CHOICES = 1000


class _Range(StrictModel):
    """Common checks of ranges of numbers."""

    @model_validator(mode="after")
    def _sensible(self) -> Any:
        low, high, step = (getattr(self, name) for name in ("low", "high", "step"))
        if low >= high:
            raise ValueError(f"low must be less than high; got low {low:g}, high {high:g}")
        if getattr(self, "log"):  # noqa: B009
            if low <= 0:
                raise ValueError(f"low must be more than 0 with log; got {low:g}")
            if step not in (None, 1) or (step is not None and isinstance(step, float)):
                raise ValueError("step does not go with log: leave one of them out")
        return self


class FloatRange(_Range):
    """A number from `low` to `high`."""

    kind: Literal["float"] = "float"
    """Selects numbers."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """True: drawn on a logarithmic scale."""
    step: float | None = Field(default=None, gt=0)
    """Distance of neighbouring values, counted from `low`; null: any number in the range."""

    @property
    def extremes(self) -> tuple[JsonValue, ...]:
        """Values to check in a request: each end of the range."""
        return (self.low, self.high)


class IntRange(_Range):
    """A whole number from `low` to `high`."""

    kind: Literal["int"] = "int"
    """Selects whole numbers."""
    low: int
    """Smallest value."""
    high: int
    """Largest value."""
    log: bool = False
    """True: drawn on a logarithmic scale."""
    step: int = Field(default=1, ge=1)
    """Distance of neighbouring values, counted from `low`."""

    @property
    def extremes(self) -> tuple[JsonValue, ...]:
        """Values to check in a request: each end of the range."""
        return (self.low, self.high)


class Choices(StrictModel):
    """Listed values, of which each trial takes one."""

    kind: Literal["categorical"] = "categorical"
    """Selects listed values."""
    choices: list[Json] = Field(min_length=1, max_length=MAX_CHOICES)
    """The values: numbers, texts, lists, whatever the hyperparameter takes."""

    @model_validator(mode="after")
    def _distinct(self) -> Choices:
        seen: list[JsonValue] = []
        for choice in self.choices:
            if any(choice == other and type(choice) is type(other) for other in seen):
                raise ValueError(f"each choice must be listed once; got {choice!r} twice")
            seen.append(choice)
        return self

    @property
    def extremes(self) -> tuple[JsonValue, ...]:
        """Values to check in a request: all of them."""
        return tuple(self.choices)


Parameter = Annotated[FloatRange | IntRange | Choices, Field(discriminator="kind")]


def grid_size(space: Mapping[str, FloatRange | IntRange | Choices]) -> int:
    """Return the number of combinations of the choices in ``space``; ranges do not count."""
    return math.prod(len(parameter.choices) for parameter in space.values() if isinstance(parameter, Choices))


def nested(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return ``values`` with dotted names as nested objects: ``policy_kwargs.net_arch`` lies within
    ``policy_kwargs``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        inside = found
        for part in path:
            inside = inside.setdefault(part, {})
        inside[last] = value
    return found


def merged(fixed: Mapping[str, Any], searched: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return the hyperparameters of a trial: ``fixed`` ones, and the ``searched`` ones over them."""
    return _merge(fixed, nested(searched))


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {**below}
    for name, value in above.items():
        known = both.get(name)
        both[name] = _merge(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return both
