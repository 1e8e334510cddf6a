"""Decorators of ``gradescope_utils`` for suites that use them: weights and hidden tests, as this platform reads them.

Installed as ``gradescope_utils.autograder_utils.decorators`` where the image has no package of this name.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

_Test = TypeVar("_Test", bound=Callable[..., Any])
_NAMES = ("gradescope_utils", "gradescope_utils.autograder_utils", "gradescope_utils.autograder_utils.decorators")


def weight(value: float) -> Callable[[_Test], _Test]:
    """Give a test its points."""
    return _noting("__weight__", value)


def visibility(level: str) -> Callable[[_Test], _Test]:
    """Show a test to learners if ``level`` is ``visible``; hide it at every other level."""
    return _noting("__visibility__", level)


def number(value: str) -> Callable[[_Test], _Test]:
    """Number a test. Results are in the order of the suite."""
    return _noting("__number__", value)


def tags(*names: str) -> Callable[[_Test], _Test]:
    """Tag a test."""
    return _noting("__tags__", names)


def hide_errors(message: str = "Test failed") -> Callable[[_Test], _Test]:
    """Hide a test: of a hidden one, learners see verdict and points alone."""
    del message
    return _noting("__visibility__", "hidden")


def leaderboard(*_: Any, **__: Any) -> Callable[[_Test], _Test]:
    """Refuse: leaderboards are of assignments."""
    raise NotImplementedError("@leaderboard is not supported: rank an assignment by its points")


def partial_credit(*_: Any) -> Callable[[_Test], _Test]:
    """Refuse: a test of a suite passes or fails."""
    raise NotImplementedError("@partial_credit is not supported: give each part a test of its own, with @weight")


def _noting(name: str, value: Any) -> Callable[[_Test], _Test]:
    def note(test: _Test) -> _Test:
        setattr(test, name, value)
        return test

    return note


def install() -> None:
    """Make the decorators importable under the names of the package, unless it is installed."""
    if importlib.util.find_spec(_NAMES[0]) is not None:
        return
    for name in _NAMES:
        module = sys.modules[name] = ModuleType(name)
        module.__path__ = []
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
    for decorator in (weight, visibility, number, tags, hide_errors, leaderboard, partial_credit):
        setattr(sys.modules[_NAMES[-1]], decorator.__name__, decorator)
