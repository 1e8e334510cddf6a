"""A learning curve as SVG. Pure: no plotting package is needed to show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 12, 34
_LINES = 4


class Evaluated(NamedTuple):
    """Evaluation of the policy: mean return and standard deviation over episodes."""

    x: float
    mean: float
    std: float


def curve(x: Sequence[float], y: Sequence[float], evaluations: Sequence[Evaluated], *, x_label: str) -> str:
    """Return an SVG picture of a curve, and of evaluations with their spread; colours follow the notebook's text."""
    points = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    spread = [value for each in evaluations for value in (each.mean - each.std, each.mean + each.std)]
    places, values = [a for a, _ in points] + [each.x for each in evaluations], [b for _, b in points] + spread
    if not values:
        return ""
    left, right = 0.0, max(places) or 1.0
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1.0, high + 1.0

    def at(a: float, b: float) -> tuple[float, float]:
        across = _LEFT + (a - left) / (right - left) * (WIDTH - _LEFT - _RIGHT)
        return round(across, 1), round(_TOP + (high - b) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    parts = []
    for number in range(_LINES + 1):
        value = low + (high - low) * number / _LINES
        (start, level), (end, _) = at(left, value), at(right, value)
        parts.append(f'<path d="M{start} {level}H{end}" stroke="currentColor" stroke-opacity=".15"/>')
        parts.append(_text(_LEFT - 6, level + 4, number_of(value), "end"))
    for number in range(_LINES + 1):
        value = left + (right - left) * number / _LINES
        parts.append(_text(at(value, low)[0], HEIGHT - 18, number_of(value), "middle" if number < _LINES else "end"))
    parts.append(_text((WIDTH + _LEFT) / 2, HEIGHT - 3, x_label, "middle"))
    if points:
        line = " ".join(f"{a},{b}" for a, b in (at(*point) for point in points))
        parts.append(f'<polyline points="{line}" fill="none" stroke="#2f6fdb" stroke-width="1.8"/>')
    for each in evaluations:
        (a, b), (_, upper), (_, lower) = (
            at(each.x, each.mean),
            at(each.x, each.mean + each.std),
            at(each.x, each.mean - each.std),
        )
        parts.append(f'<path d="M{a} {upper}V{lower}" stroke="#d9822b" stroke-width="1.4"/>')
        parts.append(f'<circle cx="{a}" cy="{b}" r="3.5" fill="#d9822b"/>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" style="max-width:100%;font:11px sans-serif" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def number_of(value: float) -> str:
    """A number of an axis in a few characters."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:.3g}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'
