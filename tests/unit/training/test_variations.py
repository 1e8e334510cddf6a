"""Requests made from earlier trainings."""

from __future__ import annotations

from typing import Any

import pytest

from rlplatform.clock import SystemClock
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, new_id
from rlplatform.training.models import Training, TrainingRequest, TrainingState
from rlplatform.training.variations import clone, continuation

CARTPOLE = {"env": "CartPole-v1", "seed": 3, "name": "first", "hyperparameters": {"gamma": 0.9}}


def _training(reached: float | None = None, **request: Any) -> Training:
    return Training(
        id=new_id(Kind.TRAINING),
        state=TrainingState.SUCCEEDED,
        labels={"sweep": "a"},
        request=TrainingRequest.model_validate(CARTPOLE | request),
        metrics={} if reached is None else {"rollout/episode_return_mean": reached},
        created_at=SystemClock().now(),
    )


def test_a_clone_of_a_trial_is_no_trial_of_the_study() -> None:
    labels = {"study": "study_01", "trial": "3", "course": "rl1"}
    training = _training(stop={"env_steps": 500})
    assert clone(training.model_copy(update={"labels": labels}))["labels"] == {"course": "rl1"}
    own = {"study": "of mine", "trial": "3"}
    assert clone(training.model_copy(update={"labels": own}))["labels"] == own


def test_a_clone_has_the_settings_and_labels_without_the_name() -> None:
    training = _training(stop={"env_steps": 500})
    assert clone(training) == {
        "env": "CartPole-v1",
        "seed": 3,
        "hyperparameters": {"gamma": 0.9},
        "stop": {"env_steps": 500},
        "labels": {"sweep": "a"},
    }


def test_changes_name_fields_parts_of_fields_and_hyperparameters() -> None:
    changes = {"seed": 4, "stop.iterations": 9, "learning_rate": 0.1, "hyperparameters.gamma": 0.5, "labels.b.c": "d"}
    request = clone(_training(stop={"env_steps": 500}), changes)
    assert request["seed"] == 4
    assert request["stop"] == {"env_steps": 500, "iterations": 9}
    assert request["hyperparameters"] == {"gamma": 0.5, "learning_rate": 0.1}
    assert request["labels"] == {"sweep": "a", "b.c": "d"}
    TrainingRequest.model_validate(request)


def test_a_part_of_a_plain_field_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"seed has no parts: seed\.x cannot be set"):
        clone(_training(), {"seed.x": 1})


@pytest.mark.parametrize(
    ("trained", "changes", "stop"),
    [
        ({"stop": {"env_steps": 500}}, {}, {"more_env_steps": 500}),
        ({"stop": {"env_steps": 500}}, {"stop.more_env_steps": 9}, {"more_env_steps": 9}),
        ({"stop": {"env_steps": 500, "episode_return_mean": 90}}, {}, {"more_env_steps": 500}),
        (
            {"stop": {"env_steps": 500, "episode_return_mean": 110}},
            {},
            {"more_env_steps": 500, "episode_return_mean": 110},
        ),
        ({"stop": {"env_steps": 500}, "resume_from": "ckpt_1"}, {}, None),
        ({"stop": {"wall_time_s": 5}}, {}, None),
    ],
)
def test_a_continuation_does_the_same_steps_again_unless_told_otherwise(
    trained: dict[str, Any], changes: dict[str, Any], stop: dict[str, Any] | None
) -> None:
    training = _training(100.0, **trained)
    request = continuation(training, changes)
    assert request["resume_from"] == training.id
    assert request.get("stop") == stop
    accepted = TrainingRequest.model_validate(request).stop
    assert accepted.more_env_steps == (stop or {"more_env_steps": 100_000})["more_env_steps"]
