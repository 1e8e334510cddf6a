from __future__ import annotations

import pytest

from rlplatform.cli.hints import hint
from rlplatform.cli.options import time_limits
from rlplatform.sandbox.models import Limits

CALL = "Traceback (most recent call last):\nTypeError: add() missing 2 required positional arguments: 'a' and 'b'"


@pytest.mark.parametrize(
    ("stderr", "options", "advice"),
    [
        ("ModuleNotFoundError: No module named 'numpy'", {}, "the sandbox has no module numpy"),
        ("EOFError: EOF when reading a line\n", {}, "give some with --stdin"),
        ("EOFError: EOF when reading a line\n", {"tested": True}, "reads more input than the test has"),
        (CALL, {"called": True}, "--arg"),
        (CALL, {}, None),
        ("ValueError: no", {"called": True}, None),
        (None, {}, None),
    ],
)
def test_an_error_that_newcomers_meet_says_what_to_do(
    stderr: str | None, options: dict[str, bool], advice: str | None
) -> None:
    found = hint(stderr, **options)
    assert found is None if advice is None else found is not None and advice in found


@pytest.mark.parametrize(
    ("cpu", "wall", "limits"),
    [
        (None, None, {}),
        (4.0, None, {"cpu_time_s": 4.0}),
        (10.0, None, {"cpu_time_s": 10.0, "wall_time_s": 30.0}),
        (60.0, None, {"cpu_time_s": 60.0, "wall_time_s": 120.0}),
        (None, 1.0, {"cpu_time_s": 1.0, "wall_time_s": 1.0}),
        (None, 3.0, {"wall_time_s": 3.0}),
        (5.0, 4.0, {"cpu_time_s": 5.0, "wall_time_s": 4.0}),
    ],
)
def test_one_time_limit_alone_never_contradicts_the_other(
    cpu: float | None, wall: float | None, limits: dict[str, float]
) -> None:
    assert time_limits(cpu, wall) == limits
    if None in (cpu, wall):
        assert Limits(**limits)  # the platform accepts it
