"""Slots and cores."""

from __future__ import annotations

import threading

import pytest

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.pool.slots import Slots, parse_cores


@pytest.mark.parametrize(("text", "cores"), [("0", [0]), ("0-2", [0, 1, 2]), ("0-1,5", [0, 1, 5]), ("3,1,1", [1, 3])])
def test_cores_are_a_list(text: str, cores: list[int]) -> None:
    assert parse_cores(text) == cores


@pytest.mark.parametrize("text", ["", "a", "1-", "2-1", "1..3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(SandboxUnavailable, match="0-2,5"):
        parse_cores(text)


def test_running_sandboxes_are_spread_over_the_cores() -> None:
    slots = Slots(5, "0-1")
    taken = [slots.acquire(1) for _ in range(4)]
    assert sorted(taken) == [0, 0, 1, 1]
    slots.release(0)
    assert slots.acquire(1) == 0
    assert slots.in_use == 4


def test_a_full_house_is_refused_after_the_wait() -> None:
    slots = Slots(1, "0")
    slots.acquire(1)
    with pytest.raises(SandboxUnavailable, match="all 1 sandbox slots"):
        slots.acquire(0.01)


def test_who_waits_gets_the_slot_that_is_released() -> None:
    slots = Slots(1, "0")
    core = slots.acquire(1)
    threading.Timer(0.02, slots.release, (core,)).start()
    assert slots.acquire(5) == 0


def test_closing_refuses_who_waits() -> None:
    slots = Slots(1, "0")
    slots.acquire(1)
    threading.Timer(0.02, slots.close).start()
    with pytest.raises(SandboxUnavailable, match="closed"):
        slots.acquire(5)
