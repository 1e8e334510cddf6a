"""Tests of an exercise as files on this machine: what every layout comes to, and how a folder's layout is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlplatform.errors import InvalidRequest, Unavailable

MAX_TESTS = 200
MAX_INLINE = 64 << 10
OPTION = "--tests"
_PIECES = re.compile(r"(\d+)")
_NO_LABEL = re.compile(r"[^A-Za-z0-9_.:-]+")


@dataclass
class TestPackage:
    """Tests, and what else of a request a package says. Files of tests are paths."""

    __test__ = False

    tests: list[dict[str, Any]]
    groups: list[dict[str, Any]] = field(default_factory=list)
    checker: dict[str, Any] | None = None
    grader: dict[str, Any] | None = None
    limits: dict[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Return the parts of a request.

        Raises:
            InvalidRequest: there are too many tests, or none.
        """
        if not self.tests:
            raise refused("it has no tests")
        if len(self.tests) > MAX_TESTS:
            raise refused(f"it has {len(self.tests)} tests; at most {MAX_TESTS} are accepted: give one of its folders")
        given = {"groups": self.groups, "checker": self.checker, "grader": self.grader, "limits": self.limits}
        return {"tests": self.tests, **{name: value for name, value in given.items() if value}}


def refused(why: str) -> InvalidRequest:
    """Return the error for a package that cannot be used."""
    return InvalidRequest(f"{OPTION}: {why}", field=OPTION)


def not_supported(path: Path, what: str, instead: str) -> InvalidRequest:
    """Return the error for a feature of a layout that this platform does not have."""
    return refused(f"{path}: {what} is not supported; {instead}")


def label_for(name: str, taken: Iterable[str] = ()) -> str:
    """Return an id for the test ``name`` that is not in ``taken``."""
    label = _NO_LABEL.sub("-", name).strip("-")[-56:] or "test"
    found, number = label, 1
    while found in taken:
        number += 1
        found = f"{label}-{number}"
    return found


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts ``2.in`` before ``10.in``."""
    return [
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in _PIECES.split(path.as_posix()) if piece
    ]


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; empty for an empty file.

    Raises:
        InvalidRequest: it holds something else.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise Unavailable(f"{path} is YAML, and PyYAML is not installed here: pip install pyyaml") from None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refused(f"{path} is not YAML: {error}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise refused(f"{path} must hold a mapping")
    return found


def number(path: Path, name: str, value: Any, *, least: float = 0.0) -> float:
    """Return a number of a package's file.

    Raises:
        InvalidRequest: it is none, or is below ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise refused(f"{path}: {name} must be a number of at least {least:g}; got {value!r}")
    return float(value)


def known(path: Path, found: Mapping[str, Any], accepted: Iterable[str], ignored: Iterable[str] = ()) -> None:
    """Check that a mapping has no key but ``accepted`` and ``ignored``.

    Raises:
        InvalidRequest: it has another one.
    """
    names = list(accepted)
    for key in found:
        if key not in names and key not in ignored:
            raise not_supported(path, f"{key!r}", f"supported are {', '.join(names)}")


def time_limits(cpu_time_s: float) -> dict[str, Any]:
    """Return the limits for a program that may use ``cpu_time_s`` seconds."""
    return {"cpu_time_s": cpu_time_s, "wall_time_s": min(120.0, 2 * cpu_time_s + 1)}
