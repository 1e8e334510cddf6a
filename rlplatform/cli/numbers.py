"""Measured numbers, such as returns, for people."""

from __future__ import annotations

import math

_DIGITS = 3


def measure(value: float, *, beside: float = 0.0) -> str:
    """Return ``value`` with three significant digits, or with one decimal where that is more: ``487.3``, ``0.0163``.

    ``beside``: The number whose error or bound it is. If that is larger, ``value`` has no more decimals than it.
    """
    size = max(abs(value), abs(beside)) if math.isfinite(beside) else abs(value)
    if not math.isfinite(value) or value == 0:
        return f"{value + 0:.1f}"  # + 0: a negative zero is zero
    magnitude = math.floor(math.log10(size))
    if magnitude < -4:
        return f"{value:.2e}"
    whole, _, decimals = f"{value:.{max(1, _DIGITS - 1 - magnitude)}f}".partition(".")
    return f"{whole}.{decimals[0]}{decimals[1:].rstrip('0')}"


def counted(number: float, noun: str) -> str:
    """Return ``number`` with its noun, which has a plural in s: ``1 test``, ``2,000 tests``."""
    written = f"{number:,}" if isinstance(number, int) else f"{number:,g}"
    return f"{written} {noun}" if number == 1 else f"{written} {noun}s"


def plus_minus(mean: float, error: float) -> str:
    """Return ``mean ± error``."""
    return f"{measure(mean)} ± {measure(error, beside=mean)}"


def interval(middle: float, low: float, high: float) -> str:
    """Return ``middle [low, high]``."""
    return f"{measure(middle)} [{measure(low, beside=middle)}, {measure(high, beside=middle)}]"
