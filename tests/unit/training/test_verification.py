"""A training is repeated, and the first iteration that differs is named."""

from typing import Any

import pytest

from rlplatform.errors import Conflict
from rlplatform.testing import samples
from rlplatform.testing.clock import FakeClock
from rlplatform.training.events import TrainingIterationCompleted
from rlplatform.training.models import Progress, Resources, StopCriteria, Training, TrainingState
from rlplatform.training.verification import circumstances, compared, hashes, repetition


def training(iterations: int = 3, **changes: Any) -> Training:
    document = samples.training_run(FakeClock()).document
    progress = Progress(iteration=iterations)
    return document.model_copy(update={"state": TrainingState.SUCCEEDED, "progress": progress, **changes})


def test_the_repetition_has_the_same_settings_and_as_many_iterations() -> None:
    original = training()
    stop = StopCriteria(env_steps=500, episode_return_mean=100.0)
    request = original.request.model_copy(update={"stop": stop, "name": "mine", "seed": 7})
    again = repetition(original.model_copy(update={"request": request}))
    assert again["stop"] == {"env_steps": 500, "iterations": 3}
    assert (again["seed"], again["labels"]) == (7, {"verifies": original.id})
    assert "name" not in again


def test_what_cannot_be_repeated_is_refused_with_the_reason() -> None:
    with pytest.raises(Conflict, match="once it has ended"):
        repetition(training(state=TrainingState.RUNNING))
    request = training().request.model_copy(update={"resources": Resources(num_env_runners=2)})
    with pytest.raises(Conflict, match="num_env_runners 0"):
        repetition(training(request=request))


def test_equal_parameters_are_equal_and_others_are_named_by_their_iteration() -> None:
    ours = {1: "a", 2: "b", 3: "c"}
    same = compared(training(), training(), ours, dict(ours))
    assert (same.equal, same.iterations, same.parameters_sha256) == (True, 3, "c")
    other = compared(training(), training(), ours, {**ours, 2: "x"})
    assert (other.equal, other.first_difference, other.parameters_sha256) == (False, 2, "a")
    short = compared(training(), training(2), ours, {1: "a", 2: "b"})
    assert (short.equal, short.first_difference) == (False, 3)
    with pytest.raises(Conflict, match="before they were recorded"):
        compared(training(), training(), {}, ours)


def test_of_an_iteration_that_a_recovery_repeated_the_last_counts() -> None:
    run = samples.training_run(FakeClock())
    fields = {"stream": run.stream, "time": run.document.created_at, "env_steps": 1, "episodes": 0, "train_wall_s": 1}
    events = [
        TrainingIterationCompleted(**fields, iteration=number, metrics={}, parameters_sha256=digest)
        for number, digest in ((1, "a"), (2, "lost"), (2, "b"), (3, None))
    ]
    assert hashes(events) == {1: "a", 2: "b"}


def test_circumstances_say_what_may_explain_a_difference() -> None:
    ours = {"hardware": {"cpu": "one"}, "packages": {"numpy": "1", "ray": "2"}, "code_sha256": "a", "user_code": []}
    theirs = {"hardware": {"cpu": "two"}, "packages": {"numpy": "2", "ray": "2"}, "code_sha256": "b", "user_code": []}
    assert circumstances(ours, ours) == []
    assert circumstances(ours, theirs) == ["CPU type: one, then two", "code_sha256 differs", "numpy: 1, then 2"]
