"""A fair queue hands out what fits; what does not keeps its place."""

from __future__ import annotations

from rlplatform.scheduling.fair_queue import FairQueue
from tests.queues import in_order


def queue(*items: tuple[str, str]) -> FairQueue:
    made = FairQueue()
    for tenant, item in items:
        made.push(tenant, item)
    return made


def test_the_next_item_that_fits_is_served_and_the_others_keep_their_places() -> None:
    waiting = queue(("a", "a1"), ("a", "a2"), ("a", "a3"))
    assert waiting.pop(lambda item: item != "a1") == ("a", "a2")
    assert in_order(waiting) == ["a1", "a3"]


def test_nothing_is_served_while_nothing_fits() -> None:
    waiting = queue(("a", "a1"), ("b", "b1"))
    assert waiting.pop(lambda _: False) is None
    assert in_order(waiting) == ["a1", "b1"]


def test_a_tenant_that_was_served_early_waits_for_the_others_that_fit() -> None:
    waiting = queue(("blocked", "x"), ("b", "b1"), ("b", "b2"), ("c", "c1"), ("c", "c2"))
    served = [waiting.pop(lambda item: item != "x") for _ in range(4)]
    assert [item for _, item in filter(None, served)] == ["b1", "c1", "b2", "c2"]
    assert waiting.pop() == ("blocked", "x")


def test_being_passed_over_costs_a_tenant_nothing_of_its_share() -> None:
    waiting = queue(("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"))
    waiting.weigh("a", 2)
    assert waiting.pop() == ("a", "a1")
    assert waiting.pop(lambda item: item.startswith("b")) == ("b", "b1")
    assert in_order(waiting) == ["a2", "a3"]
    assert len(waiting) == 2
