"""The checker of logs finds what it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.invariants import check_all, check_client, check_evaluation, check_training

Events = list[dict[str, Any]]
Spoil = Callable[[Events], object]


def numbered(stream: str, *events: dict[str, Any]) -> Events:
    return [{"stream": stream, "seq": n, "id": f"evt_{n}", **event} for n, event in enumerate(events, 1)]


def iteration(number: int) -> dict[str, Any]:
    return {"type": "training.iteration_completed", "iteration": number, "env_steps": 100 * number}


def saved(name: str, number: int) -> dict[str, Any]:
    checkpoint = {"id": name, "iteration": number, "env_steps": 100 * number}
    return {"type": "training.checkpoint_saved", "checkpoint": checkpoint}


def training() -> Events:
    """Lost at iteration 3, recovered from the checkpoint of iteration 2, ended at iteration 4."""
    back = {"checkpoint_id": "b", "iteration": 2, "env_steps": 200, "redone_iterations": 1, "redone_env_steps": 100}
    return numbered(
        "trainings/train_1",
        {"type": "training.queued"},
        {"type": "training.starting", "epoch": 1},
        {"type": "training.started"},
        iteration(1),
        saved("a", 1),
        iteration(2),
        saved("b", 2),
        iteration(3),
        {"type": "training.interrupted", "planned": False},
        {"type": "training.starting", "epoch": 3},
        {"type": "training.recovered", **back},
        iteration(3),
        iteration(4),
        {"type": "training.succeeded", "progress": {"iteration": 4}},
    )


def evaluation() -> Events:
    """Lost once, then recorded."""
    started = [{"type": "evaluation.started", "attempt": n} for n in (1, 2)]
    test = [{"type": "evaluation.test_finished", "attempt": n} for n in (1, 2)]
    return numbered(
        "evaluations/eval_1",
        {"type": "evaluation.queued", "tests": 1},
        *(started[0], test[0], {"type": "evaluation.retried", "attempt": 1, "reason": "gone"}),
        *(started[1], test[1], {"type": "evaluation.finished", "verdict": "accepted", "tests": [{}], "message": None}),
    )


def put(index: int, **fields: Any) -> Spoil:
    return lambda log: log[index].update(fields)


def swap_in(index: int, event: dict[str, Any]) -> Spoil:
    """Another event under the number of this one."""
    return lambda log: log.__setitem__(index, {k: log[index][k] for k in ("stream", "seq", "id")} | event)


def add(event: dict[str, Any]) -> Spoil:
    return lambda log: log.append({"stream": log[0]["stream"], "seq": len(log) + 1, "id": "evt_x", **event})


def test_sound_logs_are_sound() -> None:
    assert check_training(training(), "succeeded") == (1, 1, 4)
    assert check_evaluation(evaluation()) == 2
    check_client(training(), training())
    check_all({"trainings/train_1": training(), "evaluations/eval_1": evaluation()})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda log: log.pop(5), "seq is not"),
        (lambda log: log.insert(5, log[4]), "seq is not"),
        (put(5, id="evt_5"), "twice"),
        (lambda log: log.pop(), "0 ends"),
        (add(iteration(5)), "after training.succeeded"),
        (put(9, epoch=1), "epoch 1 after 1"),
        (swap_in(9, iteration(4)), "declared lost"),
        (put(10, checkpoint_id="a", iteration=1, env_steps=100), "beyond the checkpoint"),
        (put(10, checkpoint_id=None, iteration=0, env_steps=0), "beyond the checkpoint"),
        (put(10, iteration=1), "not where the checkpoint is"),
        (put(10, checkpoint_id="?", iteration=1, env_steps=100), "does not know"),
        (put(10, checkpoint_id="?", iteration=4, env_steps=400), "nobody was told"),
        (put(10, redone_iterations=0), "says what is not so"),
        (put(10, redone_env_steps=0), "says what is not so"),
        (put(11, iteration=4), "iteration 4 after 2"),
        (put(12, iteration=3), "iteration 3 after 3"),
        (put(12, env_steps=300), "300 steps after 300"),
        (put(6, checkpoint={"id": "b", "iteration": 3, "env_steps": 300}), "a checkpoint of"),
        (put(-1, type="training.failed"), "training.failed"),
        (put(-1, progress={"iteration": 3}), "elsewhere"),
    ],
)
def test_a_spoilt_training_is_found(spoil: Spoil, told: str) -> None:
    log = copy.deepcopy(training())
    spoil(log)
    with pytest.raises(AssertionError, match=told):
        check_training(log, "succeeded")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda log: log.pop(2), "seq is not"),
        (lambda log: log.pop(), "0 ends"),
        (add({"type": "evaluation.finished"}), "2 ends"),
        (put(4, attempt=1), "attempt 1 after 1"),
        (put(5, attempt=1), "a result of attempt 1"),
        (swap_in(4, {"type": "evaluation.test_finished", "attempt": 1}), "declared lost"),
        (put(-1, tests=[]), "of 1 tests"),
        (put(-1, verdict="internal_error"), "internal_error"),
        (put(-1, type="evaluation.failed", reason="gave up"), "gave up"),
        (put(3, attempt=3), "attempt 2 after 3"),
    ],
)
def test_a_spoilt_evaluation_is_found(spoil: Spoil, told: str) -> None:
    log = copy.deepcopy(evaluation())
    spoil(log)
    with pytest.raises(AssertionError, match=told):
        check_evaluation(log)


def test_a_fourth_attempt_is_found() -> None:
    attempts = [
        {"type": f"evaluation.{what}", "attempt": n, "reason": "gone"}
        for n in (1, 2, 3)
        for what in ("started", "retried")
    ]
    ends = [{"type": "evaluation.started", "attempt": 4}, {"type": "evaluation.test_finished", "attempt": 4}]
    end = {"type": "evaluation.finished", "verdict": "accepted", "tests": [{}], "message": None}
    log = numbered("evaluations/eval_1", {"type": "evaluation.queued", "tests": 1}, *attempts, *ends, end)
    with pytest.raises(AssertionError, match="4 times"):
        check_evaluation(log)


@pytest.mark.parametrize(
    "spoil", [lambda seen: seen.pop(), put(7, env_steps=301), lambda seen: seen.insert(3, seen[3])]
)
def test_a_client_that_saw_something_else_is_found(spoil: Spoil) -> None:
    seen = copy.deepcopy(training())
    spoil(seen)
    with pytest.raises(AssertionError):
        check_client(seen, training())
