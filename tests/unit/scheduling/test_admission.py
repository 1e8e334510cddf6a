"""The fair queue against its own announcements, and admission to it."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.access.principals import Principal, Role
from rlplatform.errors import NotAllowed, QueueFull, QuotaExceeded, WaitTooLong
from rlplatform.scheduling.admission import Admission, ServiceTime
from rlplatform.scheduling.fair_queue import FairQueue
from rlplatform.scheduling.priorities import PRIORITIES, Priority, check_priority
from tests.queues import in_order

Entry = tuple[str, int, Priority]
entries = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 10**6), st.sampled_from(PRIORITIES)),
    unique_by=lambda entry: entry[1],
    max_size=40,
)
weights = st.dictionaries(st.sampled_from("abc"), st.integers(1, 4))


def filled(given_: list[Entry], shares: dict[str, int] | None = None) -> FairQueue:
    queue = FairQueue()
    for tenant, share in (shares or {}).items():
        queue.weigh(tenant, share)
    for tenant, number, priority in given_:
        queue.push(tenant, f"{tenant}{number}", priority)
    return queue


def served(queue: FairQueue) -> list[str]:
    return [item for _, item in iter(queue.pop, None)]


@given(entries, weights, st.integers(0, 20))
def test_serves_everything_once_in_the_order_it_announced(
    pairs: list[Entry], shares: dict[str, int], pops: int
) -> None:
    queue = filled(pairs, shares)
    gone = [popped[1] for _ in range(pops) if (popped := queue.pop())]
    announced = in_order(queue)
    assert [queue.position(item) for item in announced] == list(range(len(announced)))
    assert [queue.position(item) for item in gone] == [None] * len(gone)
    assert served(queue) == announced
    assert sorted(announced + gone) == sorted(f"{tenant}{number}" for tenant, number, _ in pairs)
    assert len(queue) == 0


@given(entries, weights, st.integers(0, 20), st.sampled_from("abcd"), st.sampled_from(PRIORITIES))
def test_a_new_one_gets_the_place_that_it_was_told(
    pairs: list[Entry], shares: dict[str, int], pops: int, tenant: str, priority: Priority
) -> None:
    queue = filled(pairs, shares)
    for _ in range(pops):
        queue.pop()
    told = queue.place(tenant, priority)
    queue.push(tenant, "new", priority)
    assert in_order(queue).index("new") == told


many_entries = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 10**6), st.sampled_from(PRIORITIES)),
    unique_by=lambda entry: entry[1],
    min_size=8,
    max_size=60,
)


@given(many_entries, st.data())
def test_places_are_true_among_many_tenants_whose_weights_change(pairs: list[Entry], data: st.DataObject) -> None:
    queue = filled(pairs)
    for _ in range(data.draw(st.integers(1, 12))):
        queue.weigh(data.draw(st.sampled_from("abcdefgh")), data.draw(st.integers(1, 5)))
        match data.draw(st.sampled_from(["pop", "remove", "push"])):
            case "pop":
                queue.pop()
            case "remove" if len(queue):
                queue.remove(data.draw(st.sampled_from(sorted(queue.items()))))
            case "push":
                queue.push(tenant := data.draw(st.sampled_from("abcdefgh")), f"{tenant}x{len(queue)}", front=True)
    announced = in_order(queue)
    assert [queue.position(item) for item in announced] == list(range(len(announced)))
    told = queue.place("i", "normal")
    queue.push("i", "new")
    assert in_order(queue).index("new") == told


@given(entries)
def test_within_a_tenant_the_urgent_go_first_and_else_the_first_come(pairs: list[Entry]) -> None:
    order = in_order(filled(pairs))
    for name in "abc":
        mine = [(f"{t}{n}", PRIORITIES.index(p)) for t, n, p in pairs if t == name]
        assert [item for item in order if item[0] == name] == [item for item, _ in sorted(mine, key=lambda m: m[1])]


@given(entries)
def test_no_tenant_gets_ahead_of_another_that_waits_however_urgent(pairs: list[Entry]) -> None:
    order = in_order(filled(pairs))
    totals = Counter(item[0] for item in order)
    had: Counter[str] = Counter()
    for item in order:
        had[item[0]] += 1
        for other in totals:
            if had[other] < totals[other]:
                assert had[item[0]] - had[other] <= 1


def test_weights_are_shares_of_a_round() -> None:
    six = [("a", n, PRIORITIES[1]) for n in range(6)]
    order = in_order(filled([*six, *(("b", n, PRIORITIES[1]) for n in range(3))], {"a": 2}))
    assert [item[0] for item in order] == list("aabaabaab")


@given(entries, st.data())
def test_a_removed_item_is_not_served_and_the_rest_stay(pairs: list[Entry], data: st.DataObject) -> None:
    queue = filled(pairs)
    if not pairs:
        assert not queue.remove("a0")
        return
    tenant, number, _ = data.draw(st.sampled_from(pairs))
    gone = f"{tenant}{number}"
    assert queue.remove(gone)
    assert not queue.remove(gone)
    left = in_order(queue)
    assert gone not in left
    assert len(left) == len(pairs) - 1 == len(queue)
    assert queue.waiting(tenant) == sum(item[0] == tenant for item in left)


def test_an_item_that_waits_is_not_queued_twice() -> None:
    queue = FairQueue()
    queue.push("a", "1")
    queue.push("a", "1")
    assert in_order(queue) == ["1"]


def test_one_that_has_waited_goes_to_the_front_of_its_own_priority() -> None:
    queue = filled([("a", 1, "normal"), ("a", 2, "high")])
    queue.push("a", "again", "normal", front=True)
    assert in_order(queue) == ["a2", "again", "a1"]


@given(st.integers(1, 5), st.integers(0, 3), st.integers(1, 20))
def test_those_let_in_at_once_never_overfill_it(most: int, free: int, asked: int) -> None:
    queue, refused = FairQueue(), 0
    admission = Admission(queue, most, lambda _: 0)
    with ExitStack() as all_at_once:
        for number in range(asked):
            try:
                place = all_at_once.enter_context(admission.hold("a", "normal", lambda _: None, free=free))
            except QueueFull:
                refused += 1
            else:
                assert place.position == number
        assert refused == max(0, asked - most - free)
    with admission.hold("a", "normal", lambda _: None):
        pass  # what was held is given back


def test_a_wait_that_is_too_long_is_refused_with_what_it_would_be() -> None:
    queue = filled([("a", 1, "normal"), ("b", 1, "normal")])
    admission = Admission(queue, 10, lambda _: 0)
    times = ServiceTime()
    assert times.expected_wait_s(0, slots=1, free=0) is None
    times.note(10.0)
    with pytest.raises(WaitTooLong) as refused:
        admission.hold("c", "normal", lambda p: times.expected_wait_s(p, 1, 0), max_wait_s=25).__enter__()
    extra = refused.value.extra
    assert (extra["expected_wait_s"], extra["retry_after_s"], extra["queue_position"]) == (30.0, 5.0, 2)
    with admission.hold("c", "normal", lambda p: times.expected_wait_s(p, 1, 0), max_wait_s=30) as place:
        assert place == (2, 30.0)
    assert times.expected_wait_s(0, slots=2, free=1) == 0.0
    assert times.expected_wait_s(3, slots=0, free=0) is None


def test_a_quota_counts_what_waits_what_is_at_work_and_what_is_on_its_way() -> None:
    queue = filled([("a", 1, "normal")])
    admission = Admission(queue, 10, {"a": 1, "b": 3}.__getitem__)
    with admission.hold("a", "normal", lambda _: None, quota=("concurrent_evaluations", 3)):
        with pytest.raises(QuotaExceeded) as refused:
            admission.hold("a", "normal", lambda _: None, quota=("concurrent_evaluations", 3)).__enter__()
        extra = refused.value.extra
        assert (extra["quota"], extra["used"], extra["limit"], extra["resets_at"]) == (
            "concurrent_evaluations",
            3,
            3,
            None,
        )
        with admission.hold("b", "normal", lambda _: None, quota=("concurrent_evaluations", 4)):
            pass


def test_only_who_administers_the_tenant_goes_ahead_of_it() -> None:
    for role in Role:
        principal = Principal(id="key_1", tenant="a", scopes=role.scopes)
        check_priority("normal", principal)
        check_priority("low", principal)
        if role in (Role.INSTRUCTOR, Role.OPERATOR):
            check_priority("high", principal)
        else:
            with pytest.raises(NotAllowed) as refused:
                check_priority("high", principal)
            assert refused.value.extra == {"scope": "admin", "field": "priority"}
