"""Spans of a trace: pieces of work with a name and a duration, for the recorder of this process, if it has one.

Without a recorder a span costs a look at a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Protocol

Value = str | int | float | bool | None


class Span(Protocol):
    """A piece of work that is being done."""

    def set(self, **attributes: Value) -> None:
        """Add attributes; those that are None are left out."""

    def rename(self, name: str) -> None:
        """Change the name, if it becomes known only later."""


class SpanRecorder(Protocol):
    """Destination of the spans of this process."""

    def span(
        self, name: str, *, root: bool, since: datetime | None, attributes: dict[str, Value]
    ) -> AbstractContextManager[Span]:
        """Record the time within the block (see :func:`span`)."""

    def flush(self) -> None:
        """Deliver what was recorded, for a process that may be ended. Blocks for a few seconds at most."""


class _Nothing:
    """A span that nobody records."""

    def set(self, **attributes: Value) -> None:
        pass

    def rename(self, name: str) -> None:
        pass


NOTHING: Span = _Nothing()
_recorder: SpanRecorder | None = None


def record_with(recorder: SpanRecorder | None) -> None:
    """Have ``recorder`` receive the spans of this process; None: nobody does."""
    global _recorder
    _recorder = recorder


def recording() -> bool:
    """Return True if spans of this process are recorded."""
    return _recorder is not None


@contextmanager
def span(name: str, *, root: bool = False, since: datetime | None = None, **attributes: Value) -> Iterator[Span]:
    """Record the time within the block, as a part of the span around it.

    Args:
        name: Kind of work, which is the same for many spans.
        root: Begin a trace if there is no span around this one; otherwise nothing is recorded then.
        since: Begin of the work; None: now.
        attributes: What tells this span from others; those that are None are left out.
    """
    if _recorder is None:
        yield NOTHING
        return
    with _recorder.span(name, root=root, since=since, attributes=attributes) as found:
        yield found


def flush() -> None:
    """Deliver what was recorded, for a process that may be ended. Blocks."""
    if _recorder is not None:
        _recorder.flush()
