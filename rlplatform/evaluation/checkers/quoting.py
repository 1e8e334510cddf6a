"""Short quotations of values and outputs, for the reasons that checkers give."""

from __future__ import annotations

import reprlib
from typing import Any

from rlplatform.json_models import MAX_INT_BITS

_SHOWN = 80


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _SHOWN
        self.maxlist = self.maxdict = 6
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if x.bit_length() <= MAX_INT_BITS else large_integer(x)


_repr = _Repr()


def large_integer(number: int) -> str:
    """Description of a number with too many digits to be shown."""
    return f"<an integer of {number.bit_length()} bits>"


def show(value: Any) -> str:
    """``value`` in at most a few hundred characters."""
    text = _repr.repr(value)
    return text if len(text) <= 2 * _SHOWN else text[: 2 * _SHOWN] + "…"


def show_bytes(data: bytes) -> str:
    """Output in at most a few hundred characters."""
    return show(data.decode("utf-8", "surrogateescape"))


def expected_got(expected: Any, actual: Any) -> str:
    """Reason that quotes both."""
    return f"expected {show(expected)}, got {show(actual)}"
