"""Host users of containers."""

from __future__ import annotations

import pytest

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.pool.users import DEFAULT_RANGE, REMAPPED_RANGE, Users


@pytest.mark.parametrize("text", [DEFAULT_RANGE, REMAPPED_RANGE, "5000-5000"])
def test_drawn_ids_are_in_the_range(text: str) -> None:
    first, last = map(int, text.split("-"))
    users = Users(text)
    assert all(first <= users.draw() <= last for _ in range(200))


@pytest.mark.parametrize("text", ["", "5", "0-9", "9000-8000", "a-b", "1000-4294967295", "-5-9", "1000-1001-1002"])
def test_a_range_that_cannot_be_is_refused_with_its_setting(text: str) -> None:
    with pytest.raises(SandboxUnavailable, match="give a range of user ids between 1000 and"):
        Users(text)
