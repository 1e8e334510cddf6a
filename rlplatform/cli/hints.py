"""Advice on this command line for the errors of a program, and of the platform."""

from __future__ import annotations

import re

from rlplatform.errors import (
    CapacityExhausted,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformError,
    SandboxUnavailable,
    Unavailable,
)

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NO_INPUT = re.compile(r"^EOFError: EOF when reading a line", re.MULTILINE)
_NO_ARGUMENT = re.compile(
    r"^TypeError: .*\bmissing \d+ required (?:positional|keyword-only) arguments?: ", re.MULTILINE
)

_REMEDIES: tuple[tuple[type[PlatformError], str], ...] = (
    (NotAuthenticated, "give --api-key, or set RLP_URL and RLP_API_KEY; `make run` keeps one in .rlp/local.json"),
    (NotFound, "`rlp runs ls` shows what there is"),
    (SandboxUnavailable, "`rlp doctor` says what is missing on this machine"),
    (CapacityExhausted, "ask for fewer env runners or learners, or come again later"),
    (Unavailable, "start it with `make run` or `rlp serve`"),
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


def remedy(error: PlatformError) -> str | None:
    """Return what may help against ``error``."""
    if isinstance(error, NotAllowed) and "scope" in error.extra:
        return "ask for a key with this scope"
    if isinstance(error, NotFound) and not re.search("run|training|evaluation|study", error.detail):
        return None
    return next((text for cls, text in _REMEDIES if isinstance(error, cls)), None)
