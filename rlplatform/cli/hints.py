"""Advice for errors that newcomers meet: what to do about them on this command line."""

from __future__ import annotations

import re

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_INPUT = re.compile(r"^EOFError: EOF when reading a line", re.MULTILINE)
_NO_ARGUMENT = re.compile(
    r"^TypeError: .*\bmissing \d+ required (?:positional|keyword-only) arguments?: ", re.MULTILINE
)


def hint(stderr: str | None, *, tested: bool = False, called: bool = False) -> str | None:
    """Return advice for the error that a program ended with; None if there is none.

    Args:
        stderr: standard error of the program.
        tested: its input came from a test, not from an option.
        called: a function was called with the arguments of ``--arg``.
    """
    if (missing := _NO_MODULE.search(stderr or "")) is not None:
        return f"the sandbox has no module {missing[1]}: use the standard library, or ask for an image with it"
    if _NO_INPUT.search(stderr or ""):
        return "the program reads more input than " + ("the test has" if tested else "it got: give some with --stdin")
    if called and _NO_ARGUMENT.search(stderr or ""):
        return "give the function's arguments with --arg, once for each"
    return None
