"""Limits under their present names, and under the old ones that requests and stored runs still have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rlplatform.sandbox.models import Limits


def test_old_names_of_limits_mean_the_same() -> None:
    assert Limits.model_validate({"memory_mb": 64, "output_kb": 8}) == Limits(memory_mib=64, output_kib=8)


def test_limits_are_written_under_their_present_names() -> None:
    assert set(Limits().model_dump()) == {"cpu_time_s", "wall_time_s", "memory_mib", "output_kib", "processes"}


def test_one_limit_under_both_names_is_refused() -> None:
    with pytest.raises(ValidationError, match="memory_mb"):
        Limits.model_validate({"memory_mb": 64, "memory_mib": 64})
