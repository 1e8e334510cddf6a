from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.admission import FairQueue
from rlplatform.errors import TooManyRequests

items = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6)), unique_by=lambda pair: pair[1], max_size=40)


def filled(pairs: list[tuple[str, int]], weights: dict[str, int] | None = None) -> FairQueue:
    queue = FairQueue(1000, weights)
    for tenant, number in pairs:
        queue.push(tenant, f"{tenant}{number}")
    return queue


@given(items)
def test_serves_everything_once_in_the_order_it_announced(pairs: list[tuple[str, int]]) -> None:
    queue = filled(pairs)
    announced = queue.order()
    assert list(iter(queue.pop, None)) == announced
    assert sorted(announced) == sorted(f"{tenant}{number}" for tenant, number in pairs)
    assert len(queue) == 0


@given(items)
def test_is_first_come_first_served_within_a_tenant(pairs: list[tuple[str, int]]) -> None:
    order = filled(pairs).order()
    for name in "abc":
        assert [item for item in order if item[0] == name] == [f"{t}{n}" for t, n in pairs if t == name]


@given(items)
def test_no_tenant_gets_ahead_of_another_that_waits(pairs: list[tuple[str, int]]) -> None:
    order = filled(pairs).order()
    totals = Counter(item[0] for item in order)
    served: Counter[str] = Counter()
    for item in order:
        served[item[0]] += 1
        for other in totals:
            if served[other] < totals[other]:
                assert served[item[0]] - served[other] <= 1


def test_weights_are_shares_of_a_round() -> None:
    order = filled([("a", n) for n in range(6)] + [("b", n) for n in range(3)], {"a": 2}).order()
    assert [item[0] for item in order] == list("aabaabaab")


@given(items, st.data())
def test_a_removed_item_is_not_served_and_the_rest_keep_their_order(
    pairs: list[tuple[str, int]], data: st.DataObject
) -> None:
    queue = filled(pairs)
    if not pairs:
        assert not queue.remove("a0")
        return
    tenant, number = data.draw(st.sampled_from(pairs))
    gone = f"{tenant}{number}"
    assert queue.remove(gone)
    assert not queue.remove(gone)
    left = queue.order()
    assert gone not in left
    assert len(left) == len(pairs) - 1 == len(queue)


def test_refuses_beyond_its_bound_and_says_when_to_come_again() -> None:
    queue = FairQueue(1)
    queue.check()
    queue.push("a", "1")
    with pytest.raises(TooManyRequests) as refused:
        queue.check()
    assert refused.value.extra["retry_after_s"] > 0


def test_an_item_that_waits_is_not_queued_twice() -> None:
    queue = FairQueue(10)
    queue.push("a", "1")
    queue.push("a", "1")
    assert queue.order() == ["1"]
