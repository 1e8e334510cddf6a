"""Env runners are waited for, but not for ever; against a group that answers as the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ray.exceptions import RayActorError, RayTaskError

from actors.rllib.remote_runners import FAULTS, RemoteRunners
from rlplatform.errors import EngineError, Unavailable


class Answer:
    def __init__(self, actor_id: int, found: Any) -> None:
        self.actor_id = actor_id
        self.found = found
        self.ok = not isinstance(found, Exception)

    def get(self) -> Any:
        return self.found


class FakeGroup:
    """RLlib's group and manager in one. ``script`` says what each runner answers, call by call; None: nothing."""

    def __init__(self, script: dict[int, list[Any]]) -> None:
        self.script = script
        self._worker_manager = self
        self.healthy = set(script)
        self.calls: list[tuple[int, dict[str, Any]]] = []
        self._waiting: list[int] = []

    def healthy_actor_ids(self) -> list[int]:
        return sorted(self.healthy)

    def foreach_actor_async(self, _: str, *, tag: str, remote_actor_ids: list[int], kwargs: dict[str, Any]) -> None:
        assert tag
        self.calls += [(runner, kwargs) for runner in remote_actor_ids]
        self._waiting += remote_actor_ids

    def fetch_ready_async_reqs(self, *, tags: str, timeout_seconds: float) -> Iterable[Answer]:
        waiting, self._waiting = self._waiting, []
        for runner in waiting:
            found = self.script[runner].pop(0)
            if found is None:
                self._waiting.append(runner)
                self.script[runner].insert(0, None)
                continue
            if isinstance(found, Exception):
                self.healthy.discard(runner)
            yield Answer(runner, found)

    def probe_unhealthy_env_runners(self) -> list[int]:
        back = sorted(set(self.script) - self.healthy)
        self.healthy |= set(back)
        return back


def broken() -> RayTaskError:
    return RayTaskError("rollout", "traceback", ZeroDivisionError("in step"))


def asking(runners: RemoteRunners) -> Callable[[], None]:
    return lambda: runners.ask(seq=1)


def test_all_are_asked_once_and_waited_for() -> None:
    group = FakeGroup({1: ["a"], 2: ["b"]})
    runners = RemoteRunners(group, 5.0)  # type: ignore[arg-type]
    runners.ask(seq=7)
    runners.ask(seq=8)
    assert group.calls == [(1, {"seq": 7}), (2, {"seq": 7})]
    assert runners.collect(asking(runners)) == ["a", "b"]


def test_one_that_is_lost_is_left_out_and_asked_again_once_it_is_back() -> None:
    group = FakeGroup({1: ["a", "c"], 2: [RayActorError(), "d"]})
    runners = RemoteRunners(group, 5.0)  # type: ignore[arg-type]
    runners.ask(seq=1)
    assert runners.collect(asking(runners)) == ["a"]
    assert runners.restore() == [2]
    runners.ask(seq=2)
    assert sorted(runners.collect(asking(runners))) == ["c", "d"]


def test_where_all_are_lost_those_that_come_back_are_asked_again() -> None:
    group = FakeGroup({1: [RayActorError(), RayActorError(), "a"]})
    runners = RemoteRunners(group, 5.0)  # type: ignore[arg-type]
    runners.ask(seq=1)
    assert runners.collect(asking(runners)) == ["a"]


def test_none_that_answers_is_an_error_after_the_time_allowed() -> None:
    runners = RemoteRunners(FakeGroup({1: [None]}), 0.05)  # type: ignore[arg-type]
    runners.ask(seq=1)
    with pytest.raises(Unavailable, match=r"no env runner has answered for 0\.05 s"):
        runners.collect(asking(runners))


def test_an_environment_that_does_nothing_but_raise_ends_it_and_is_named() -> None:
    group = FakeGroup({1: [broken() for _ in range(FAULTS)]})
    runners = RemoteRunners(group, 60.0)  # type: ignore[arg-type]
    runners.ask(seq=1)
    with pytest.raises(EngineError, match="ZeroDivisionError: in step"):
        runners.collect(asking(runners))
    assert len(group.calls) == FAULTS


def test_errors_with_rollouts_in_between_are_lived_with() -> None:
    group = FakeGroup({1: [error for _ in range(FAULTS) for error in (broken(), "a")]})
    runners = RemoteRunners(group, 60.0)  # type: ignore[arg-type]
    for _ in range(FAULTS):
        runners.ask(seq=1)
        assert runners.collect(asking(runners)) == ["a"]


def test_what_is_under_way_can_be_thrown_away() -> None:
    group = FakeGroup({1: ["old", "new"]})
    runners = RemoteRunners(group, 5.0)  # type: ignore[arg-type]
    runners.ask(seq=1)
    runners.drain(asking(runners))
    runners.ask(seq=2)
    assert runners.collect(asking(runners)) == ["new"]
