"""Output of the command line. Only this module prints.

Results go to stdout, everything else to stderr. With ``--json`` stdout is JSON Lines and nothing else. On a terminal
work in progress is drawn live; otherwise it is written in plain lines, at most one a second of the run's own time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from pydantic import BaseModel
from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from rlplatform.cli import hints, layout
from rlplatform.cli.evidence import renamed
from rlplatform.cli.formatting import events
from rlplatform.cli.formatting.facts import FACT
from rlplatform.cli.ids import shortened
from rlplatform.errors import PlatformError
from rlplatform.evaluation.events import EvaluationFailed, EvaluationOutput, EvaluationRetried, EvaluationTestFinished
from rlplatform.runs.events import Event
from rlplatform.training.events import TrainingIterationCompleted
from rlplatform.training.models import Training

_WIDE = 130
"""Columns from which a bar has a name and the time that has passed."""


class View(Protocol):
    """Shows the events of one run as they come."""

    def show(self, event: Event) -> None:
        """One more event."""


class Output:
    """Destination and form of a command's results.

    Args:
        lines: JSON Lines instead of text.
    """

    def __init__(self, *, lines: bool = False, stdout: Console | None = None, stderr: Console | None = None) -> None:
        self.lines = lines
        self.out = stdout or Console(highlight=False, soft_wrap=True)
        self.err = stderr or Console(highlight=False, soft_wrap=True, stderr=True)

    def document(self, document: BaseModel | Mapping[str, Any], text: str) -> None:
        """A result: as JSON, or as ``text``."""
        if self.lines:
            self._line(document)
        else:
            self.out.print(layout.paragraph(_harmless(text), _width(self.out), hang=FACT), markup=False)

    @contextmanager
    def screen(self) -> Iterator[Callable[[BaseModel, str], None]]:
        """Show results that replace each other: redrawn on a terminal, one after the other elsewhere."""
        if self.lines or not self.out.is_terminal:
            yield self.document
            return
        with Live(console=self.out, auto_refresh=False, vertical_overflow="crop") as live:
            yield lambda _, text: live.update(Text(_harmless(text), overflow="ellipsis", no_wrap=True), refresh=True)

    def table(self, documents: Sequence[BaseModel], rows: Sequence[Mapping[str, str]], empty: str) -> None:
        """Results, one a row: ``rows`` by column title; ``empty`` is said where there are none.

        Columns without any value are left out.
        Ids are cut to their end where the terminal is too narrow for the whole table.
        """
        if self.lines:
            for document in documents:
                self._line(document)
            return
        if not rows:
            self.note(empty)
            return
        head = [title for title in rows[0] if any(row[title] for row in rows)]
        width = _width(self.out)
        cells = [[_harmless(" ".join(row[title].split())) for title in head] for row in rows]
        if width is not None and layout.natural_width(head, cells) > width:
            cells = shortened(cells)
        for line in layout.table(head, cells, width):
            self.out.print(line, markup=False)

    def drawing(self, lines: Sequence[Text]) -> None:
        """Lines of a drawing, in colours on a terminal."""
        for line in lines:
            self.out.print(line, no_wrap=True, overflow="ignore", crop=False)

    @property
    def width(self) -> int | None:
        """Columns of the output; None where it has no width, for example in a file."""
        return _width(self.out)

    @property
    def coloured(self) -> bool:
        """True if the output shows colours."""
        return self.out.color_system is not None

    def event(self, event: Event) -> None:
        """An event, as JSON or as a line."""
        if self.lines:
            self._line(event)
        elif (text := events.event(event)) is not None:
            self.out.print(_harmless(text), markup=False)

    def note_of(self, document: Mapping[str, Any], text: str) -> None:
        """A step of something longer: as JSON on stdout, or as ``text`` by the way."""
        if self.lines:
            self._line(document)
        else:
            self.note(text)

    def note(self, text: str, *, wrap: bool = True) -> None:
        """Something by the way; ``wrap``: broken between words to the width of the terminal."""
        if text:
            self.err.print(layout.paragraph(_harmless(text), _width(self.err) if wrap else None), markup=False)

    def verbatim(self, text: str) -> None:
        """Print output of a program unchanged, except for control characters that a terminal would obey."""
        if text:
            self.out.print(_harmless(text), markup=False, end="" if text.endswith("\n") else "\n")

    def error(self, error: PlatformError) -> None:
        """Print an error, and a hint."""
        if self.lines:
            document = {"code": error.code, "detail": error.detail, "retryable": error.retryable, **error.extra}
            self._line({"type": "error", **document})
        style = "red" if self.err.is_terminal else None
        text = layout.paragraph(_harmless(f"error: {error.detail}"), _width(self.err))
        self.err.print(text, markup=False, style=style)
        for found in error.extra.get("errors", ())[1:]:
            self.note(f"       {found.get('field')}: {found.get('message')}")
        if (hint := hints.remedy(error)) is not None:
            self.note(f"hint: {hint}")

    @contextmanager
    def training(self, training: Training) -> Iterator[View]:
        """A live view of ``training``."""
        if self.lines:
            yield _Lines(self)
        elif self.out.is_terminal:
            with _bar(self.out) as progress:
                yield _TrainingBar(progress, training)
        else:
            yield _TrainingLines(self, training)

    @contextmanager
    def evaluation(self, *, name: str = "main.py", quiet: bool = False) -> Iterator[View]:
        """A live view of an evaluation: a line a test.

        Args:
            name: the learner's name of the program.
            quiet: only what delays it.
        """
        yield _Lines(self) if self.lines else _EvaluationLines(self, name, quiet=quiet)

    @contextmanager
    def program(self) -> Iterator[View]:
        """A live view of a program that is run once: its standard output as it comes."""
        yield _Lines(self) if self.lines else _ProgramOutput(self)

    def write(self, text: str) -> None:
        """Write a piece of a program's output at once, unchanged unless a terminal would obey it."""
        try:
            self.out.file.write(_harmless(text) if self.out.is_terminal else text)
            self.out.file.flush()
        except BrokenPipeError:
            self.out.on_broken_pipe()

    @contextmanager
    def transfer(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """A function to call with the bytes received and the bytes in all; a bar on a terminal."""
        if self.lines or not self.err.is_terminal:
            yield lambda _received, _total: None
            return
        with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=self.err) as progress:
            task = progress.add_task(name, total=None)
            yield lambda received, total: progress.update(task, completed=received, total=total or None)

    @contextmanager
    def steps(self, name: str, total: int) -> Iterator[Callable[[int, str], None]]:
        """A function to call with how many of ``total`` are done, and figures; a bar on a terminal."""
        if self.lines or not self.err.is_terminal:
            yield lambda _done, _figures: None
            return
        with _bar(self.err) as progress:
            task = progress.add_task(name, total=total, figures="")
            yield lambda done, figures: progress.update(task, completed=done, figures=figures)

    def _line(self, document: BaseModel | Mapping[str, Any]) -> None:
        text = document.model_dump_json() if isinstance(document, BaseModel) else json.dumps(document, default=str)
        try:
            self.out.file.write(text + "\n")
            self.out.file.flush()
        except BrokenPipeError:
            self.out.on_broken_pipe()  # leaves: nobody reads any more, `rlp … | head` for one


def _harmless(text: str) -> str:
    """``text`` without what a terminal would obey: some of it comes from programs of strangers."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _width(console: Console) -> int | None:
    """Columns of the terminal, or of ``COLUMNS``; None where output has no width, for example into a file."""
    return console.width if console.is_terminal else shutil.get_terminal_size((0, 0)).columns or None


def step(text: str) -> None:
    """One step of something longer, told on stdout."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


class _Lines:
    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, event: Event) -> None:
        self._output.event(event)


class _EvaluationLines:
    """Plain lines, with the program called by the learner's name of it."""

    def __init__(self, output: Output, name: str, *, quiet: bool) -> None:
        self._output, self._name, self._quiet = output, name, quiet

    def show(self, event: Event) -> None:
        if self._quiet and not isinstance(event, EvaluationRetried | EvaluationFailed):
            return
        if (text := events.event(event)) is not None:
            self._output.out.print(_harmless(renamed(text, self._name)), markup=False)


class _ProgramOutput:
    """Standard output of the only test, each character of it once."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._written = 0

    def show(self, event: Event) -> None:
        if isinstance(event, EvaluationOutput):
            self._write(event.text)
        elif isinstance(event, EvaluationTestFinished):
            self._write((event.result.stdout or "")[self._written :])
        elif isinstance(event, EvaluationRetried | EvaluationFailed):
            self._written = 0
            self._output.note(events.event(event) or "")

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._written += len(text)


class _TrainingLines:
    """Plain lines: every lifecycle event, and an iteration at most once a second."""

    def __init__(self, output: Output, training: Training) -> None:
        self._output = output
        self._training = training
        self._told_at = float("-inf")

    def show(self, event: Event) -> None:
        if isinstance(event, TrainingIterationCompleted):
            at = event.time.timestamp()
            if at - self._told_at < 1.0:
                return
            self._told_at = at
            self._output.out.print(events.progress(event, self._training.request.stop), markup=False)
        else:
            self._output.event(event)


class _TrainingBar:
    """A bar towards the stop criterion that is nearest, with lifecycle events as lines above it."""

    def __init__(self, progress: Progress, training: Training) -> None:
        self._progress = progress
        self._stop = training.request.stop
        self._task = progress.add_task(training.request.env, total=None, figures=str(training.state))

    def show(self, event: Event) -> None:
        if isinstance(event, TrainingIterationCompleted):
            fraction = events.fraction(event, self._stop)
            self._progress.update(
                self._task,
                total=None if fraction is None else 1.0,
                completed=fraction or 0.0,
                figures=events.figures(event, self._stop),
            )
        elif (text := events.event(event)) is not None:
            self._progress.console.print(_harmless(text), markup=False)


def _bar(console: Console) -> Progress:
    """Return a bar; a narrow terminal has room for the bar and the figures alone."""
    figures = TextColumn("{task.fields[figures]}", markup=False)
    columns: list[ProgressColumn] = [SpinnerColumn(), BarColumn(bar_width=8), TaskProgressColumn(), figures]
    if console.width >= _WIDE:
        name = TextColumn("{task.description}", markup=False)
        columns = [SpinnerColumn(), name, BarColumn(bar_width=20), TaskProgressColumn(), figures, TimeElapsedColumn()]
    return Progress(*columns, console=console, transient=True)
