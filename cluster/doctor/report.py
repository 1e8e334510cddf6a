"""Results of checks."""

from __future__ import annotations

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """Result of one check. ``meaning`` is what was found and what follows from it; ``advice`` what to do."""

    name: str
    status: Status
    meaning: str
    advice: str = ""


def ok(name: str, meaning: str) -> Check:
    """Return a result that needs no action."""
    return Check(name, "ok", meaning)


def warn(name: str, meaning: str, advice: str) -> Check:
    """Return a result: the platform works, but less well, less safely, or not everywhere."""
    return Check(name, "warn", meaning, advice)


def fail(name: str, meaning: str, advice: str) -> Check:
    """Return a result: a part of the platform does not work until this is mended."""
    return Check(name, "fail", meaning, advice)
