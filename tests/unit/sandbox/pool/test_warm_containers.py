"""Keeping containers ready: refill, throttle, give up, come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.pool.warm_containers import WarmContainers
from tests.waiting import comes_true


class FakeContainer:
    """Stands in for a container: alive until told otherwise."""

    def __init__(self, number: int) -> None:
        self.id = str(number)
        self.alive, self.ended, self.pings = True, "", 0

    def is_alive(self) -> bool:
        return self.alive

    def ping(self) -> None:
        if not self.alive:
            raise SandboxFault("gone")
        self.pings += 1

    def hang_up(self) -> None:
        self.ended = "hung up"

    def destroy(self) -> None:
        self.ended = "destroyed"


class Boots:
    """Makes fake containers, or fails."""

    def __init__(self) -> None:
        self.made: list[FakeContainer] = []
        self.failing = False
        self.bugs = 0
        self._lock = threading.Lock()

    def __call__(self) -> FakeContainer:
        if self.failing:
            raise SandboxFault("no space left")
        with self._lock:
            if self.bugs:
                self.bugs -= 1
                raise KeyError("nobody thought of this")
            self.made.append(FakeContainer(len(self.made)))
            return self.made[-1]


Make = Callable[..., WarmContainers]


@pytest.fixture
def boots() -> Boots:
    return Boots()


@pytest.fixture
def make(boots: Boots) -> Iterator[Make]:
    made: list[WarmContainers] = []

    def make(target: int, busy: Callable[[], bool] = lambda: False) -> WarmContainers:
        made.append(WarmContainers(boots, target, busy))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for warm in made:
        warm.close()


def test_the_target_is_kept(make: Make, boots: Boots) -> None:
    warm = make(3)
    assert comes_true(lambda: warm.ready == 3)
    taken = warm.take()
    assert comes_true(lambda: warm.ready == 3)
    assert taken.id not in {c.id for c in warm._ready}
    assert taken.id in warm.ids()
    warm.release(taken, sound=True)
    assert taken.id not in warm.ids()
    assert len(boots.made) == 4


def test_without_a_target_containers_are_made_on_demand(make: Make, boots: Boots) -> None:
    warm = make(0)
    assert boots.made == []
    warm.take()
    assert len(boots.made) == 1


def test_while_submissions_run_only_an_empty_shelf_is_refilled(make: Make) -> None:
    busy = False
    warm = make(2, lambda: busy)
    assert comes_true(lambda: warm.ready == 2)
    busy = True
    first = warm.take()
    time.sleep(0.05)
    assert warm.ready == 1
    second = warm.take()
    assert comes_true(lambda: warm.ready == 1)
    busy = False
    warm.release(first, sound=True)
    warm.release(second, sound=True)
    assert comes_true(lambda: warm.ready == 2)


@pytest.mark.parametrize(("sound", "ended"), [(True, "hung up"), (False, "destroyed")])
def test_a_container_serves_once(make: Make, boots: Boots, sound: bool, ended: str) -> None:
    warm = make(0)
    warm.release(warm.take(), sound)
    assert boots.made[0].ended == ended
    warm.take()
    assert len(boots.made) == 2


def test_the_dead_are_not_handed_out(make: Make, boots: Boots) -> None:
    warm = make(1)
    assert comes_true(lambda: warm.ready == 1)
    boots.made[0].alive = False
    assert warm.take().id != "0"
    assert boots.made[0].ended == "destroyed"


def test_tending_renews_leases_and_replaces_the_dead(make: Make, boots: Boots) -> None:
    warm = make(2)
    assert comes_true(lambda: warm.ready == 2)
    boots.made[0].alive = False
    warm.renew_leases()
    assert boots.made[0].ended == "destroyed"
    assert boots.made[1].pings == 1
    assert comes_true(lambda: warm.ready == 2)


def test_after_three_failures_whoever_waits_is_told_why_and_it_comes_back(make: Make, boots: Boots) -> None:
    boots.failing = True
    warm = make(1)
    with pytest.raises(SandboxUnavailable, match="no space left"):
        warm.take()
    assert warm.fault == "no space left"
    boots.failing = False
    warm._pause_until = 0.0
    assert warm.take().id == "0"
    assert warm.fault is None


def test_closing_ends_what_is_ready_and_refuses_the_rest(make: Make, boots: Boots) -> None:
    warm = make(2)
    assert comes_true(lambda: warm.ready == 2)
    warm.close()
    assert {container.ended for container in boots.made} == {"hung up"}
    with pytest.raises(SandboxUnavailable, match="closed"):
        warm.take()


def test_an_unforeseen_error_costs_one_attempt_and_no_thread(make: Make, boots: Boots) -> None:
    boots.bugs = 2  # as many as there are threads
    warm = make(1)
    assert comes_true(lambda: warm.ready == 1)
    assert warm.take().is_alive()
