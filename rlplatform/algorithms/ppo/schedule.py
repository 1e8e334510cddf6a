"""Schedule of a hyperparameter: a constant, or ``lin_X``, which anneals linearly from X to 0 (RL-Zoo's notation)."""

from __future__ import annotations

import math
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Schedule:
    """Value over the course of training. With ``linear`` it falls from ``initial`` to 0 at the end of training.

    Immutable, and compared by value.
    """

    __slots__ = ("initial", "linear")

    def __init__(self, initial: float, *, linear: bool = False) -> None:
        self.initial = float(initial)
        self.linear = linear

    @classmethod
    def parse(cls, text: object) -> Schedule:
        """Parse a number, a number as text, ``"lin_X"``, or a schedule.

        Raises:
            ValueError: ``text`` is none of these, or is negative.
        """
        if isinstance(text, Schedule):
            return text
        linear = isinstance(text, str) and text.startswith("lin_")
        try:
            if isinstance(text, bool) or not isinstance(text, int | float | str):
                raise ValueError
            initial = float(text[4:] if isinstance(text, str) and linear else text)
            if not (math.isfinite(initial) and initial >= 0):
                raise ValueError
        except ValueError:
            raise ValueError(f"expected a number >= 0 or 'lin_X' (from X linearly to 0), got {text!r}") from None
        return cls(initial, linear=linear)

    def value(self, progress_remaining: float) -> float:
        """Return the value at ``progress_remaining``: 1.0 at the start of training, 0.0 at its end.

        Other numbers are clamped.
        """
        return self.initial * min(1.0, max(0.0, progress_remaining)) if self.linear else self.initial

    def __str__(self) -> str:
        return f"lin_{self.initial:g}" if self.linear else f"{self.initial:g}"

    def __repr__(self) -> str:
        return f"Schedule({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and (self.initial, self.linear) == (other.initial, other.linear)

    def __hash__(self) -> int:
        return hash((self.initial, self.linear))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def dump(schedule: Schedule) -> float | str:
            return f"lin_{schedule.initial!r}" if schedule.linear else schedule.initial

        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(dump)
        )


def progress_remaining(env_steps: int, total_env_steps: int | None) -> float:
    """Return 1.0 at the start, falling to 0.0 at ``total_env_steps``; always 1.0 without a total."""
    return 1.0 if not total_env_steps else min(1.0, max(0.0, 1.0 - env_steps / total_env_steps))
