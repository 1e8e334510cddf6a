"""Curves drawn with characters: braille dots, or a letter a curve where there are no colours. Pure.

A plotting package would be a dependency of every client for what these lines do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

COLOURS = ("cyan", "magenta", "yellow", "green", "red", "blue", "bright_cyan", "bright_magenta", "bright_yellow")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of the character U+2800, by row and column
_TICK_ROWS = 4


class Series(NamedTuple):
    """A named curve; ``x`` and ``y`` are of equal length, in order of ``x``."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def draw(series: Sequence[Series], *, width: int, height: int, title: str, axis: str, coloured: bool) -> list[Text]:
    """Return the lines of a plot: title, curves between labelled axes, and a legend where there are several curves.

    Args:
        series: Curves; those without a finite point are named only.
        width: Columns of the plot, at least 30.
        height: Lines of the curves' area, at least 4.
        title: Name of what is plotted.
        axis: Name of the horizontal axis.
        coloured: Tell curves apart by colour; otherwise by letter.
    """
    points = [_finite(each) for each in series]
    shown = [point for each in points for point in each]
    if not shown:
        return [Text(f"{title}: no values yet")]
    left, right = _span([x for x, _ in shown], margin=0.0)
    low, high = _span([y for _, y in shown], margin=0.05)
    labels = _labels(low, high, height)
    gutter = max(map(len, labels)) + 1
    columns = max(10, width - gutter - 1)
    canvas = _Canvas(columns, height, letters=not coloured and len(series) > 1)
    for number, curve in enumerate(points):
        canvas.curve([((x - left) / (right - left), (y - low) / (high - low)) for x, y in curve], number)
    lines = [Text(title)]
    for label, row in zip(labels, canvas.rows(coloured), strict=True):
        lines.append(Text(f"{label:>{gutter - 1}} {'┤' if label else '│'}").append_text(row))
    lines.append(Text(" " * gutter + "└" + "─" * columns))
    first, last = compact(left), f"{compact(right)} {axis}"[:columns]
    if len(first) + len(last) >= columns:
        first = ""
    lines.append(Text(" " * (gutter + 1) + first + last.rjust(columns - len(first))))
    if len(series) > 1:
        for number, each in enumerate(series):
            mark = Text("──", COLOURS[number % len(COLOURS)]) if coloured else Text(f"{_letter(number)} ")
            lines.append(Text(" " * gutter).append_text(mark).append(f" {each.name}"))
    return lines


def compact(value: float) -> str:
    """A number in a few characters, such as ``1.5k`` or ``-0.02``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value:.4g}"


class _Canvas:
    """Dots of characters: two columns and four rows of dots in each; the latest curve owns a character's colour."""

    def __init__(self, columns: int, height: int, *, letters: bool) -> None:
        self._columns, self._height, self._letters = columns, height, letters
        self._bits = [[0] * columns for _ in range(height)]
        self._owner = [[0] * columns for _ in range(height)]

    def curve(self, places: Sequence[tuple[float, float]], number: int) -> None:
        """Draw lines between ``places``, which are fractions of the area."""
        wide, tall = self._columns * 2 - 1, self._height * 4 - 1
        dots = [(x * wide, (1 - y) * tall) for x, y in places]
        for (x0, y0), (x1, y1) in zip(dots, dots[1:] or dots, strict=False):
            steps = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0))))
            for step in range(steps + 1):
                self._dot(round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps), number)

    def rows(self, coloured: bool) -> list[Text]:
        """Return the lines, top down."""
        found = []
        for bits, owners in zip(self._bits, self._owner, strict=True):
            line = Text()
            for bit, owner in zip(bits, owners, strict=True):
                dotted = _letter(owner) if self._letters else chr(0x2800 + bit)
                line.append(dotted if bit else " ", COLOURS[owner % len(COLOURS)] if coloured and bit else None)
            found.append(line)
        return found

    def _dot(self, x: int, y: int, number: int) -> None:
        row, column = y // 4, x // 2
        self._bits[row][column] |= _DOTS[y % 4][x % 2]
        self._owner[row][column] = number


def _finite(series: Series) -> list[tuple[float, float]]:
    return [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(x) and math.isfinite(y)]


def _span(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    more = (high - low) * margin or (0.0 if high > low else max(abs(high), 1.0) * 0.1)
    return low - more, high + more


def _labels(low: float, high: float, height: int) -> list[str]:
    """Return the label of each line, top down: one every few lines."""
    every = max(1, min(_TICK_ROWS, height - 1))
    step = (high - low) / max(1, height - 1)
    digits = max(0, 1 - math.floor(math.log10(step * every)))

    def label(value: float) -> str:
        return compact(value) if max(abs(low), abs(high)) >= 1e4 else f"{value:.{min(digits, 8)}f}"

    return [label(high - row * step) if row % every == 0 or row == height - 1 else "" for row in range(height)]


def _letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)]
