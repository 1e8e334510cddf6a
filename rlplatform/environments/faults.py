"""Descriptions of failures in an environment's code, from which its author finds the line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlplatform.environments.pulse import CutShort
from rlplatform.errors import EngineError, PlatformError

MAX_TRACE_CHARACTERS = 4000
MAX_MESSAGE_CHARACTERS = 2000
_ROOT = Path(__file__).parents[2]
_OURS = tuple(str(_ROOT / package) for package in ("rlplatform", "actors"))
_HEADING = "Traceback of the environment (most recent call last):"


def describe(error: BaseException) -> str:
    """Return type and message of ``error``, and the frames of its traceback that are not the platform's own."""
    while not str(error) and error.__cause__ is not None:  # a library's wrapping exception without a message
        error = error.__cause__
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = text[:MAX_MESSAGE_CHARACTERS]
    trace = trace_of(error)
    return f"{text}\n{_HEADING}\n{trace}" if trace else text


def trace_of(error: BaseException) -> str:
    """Return the frames after the platform's last frame, cut to the newest ``MAX_TRACE_CHARACTERS`` characters."""
    frames = traceback.extract_tb(error.__traceback__)
    last_of_ours = max((place for place, frame in enumerate(frames) if frame.filename.startswith(_OURS)), default=-1)
    text = "".join(traceback.format_list(frames[last_of_ours + 1 :])).rstrip()
    return text if len(text) <= MAX_TRACE_CHARACTERS else f"…\n{text[-MAX_TRACE_CHARACTERS:]}"


@contextmanager
def environment_errors() -> Iterator[None]:
    """Convert any exception of an environment, ``sys.exit`` included, to an ``EngineError`` that describes it.

    Errors of the platform itself pass unchanged.
    """
    try:
        yield
    except (PlatformError, CutShort):
        raise
    except BaseException as error:
        raise EngineError(describe(error)) from error
