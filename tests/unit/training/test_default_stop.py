"""A request without a stop criterion stops after its preset's number of steps; a continued one counts from zero."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.training.models import StopCriteria, TrainingRequest


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"env": "Pendulum-v1"}, 100_000),
        ({"env": "ALE/Pong-v5"}, 10_000_000),
        ({"env": "PongNoFrameskip-v4"}, 10_000_000),
        ({"env": "Mine-v0", "preset": "CartPole-v1"}, 100_000),
    ],
)
def test_the_presets_number_of_steps_is_the_default(given: dict[str, Any], steps: int) -> None:
    request = TrainingRequest.model_validate(given)
    assert request.stop.env_steps == steps
    assert TrainingRequest.model_validate(request.model_dump()) == request


def test_what_is_given_stays() -> None:
    request = TrainingRequest.model_validate({"env": "Pendulum-v1", "stop": {"iterations": 3}})
    assert (request.stop.iterations, request.stop.env_steps) == (3, None)


@pytest.mark.parametrize(
    "given",
    [{"env": "Mine-v0"}, {"env": "Mine-v0", "resume_from": "ckpt_1"}, {"env": "Pendulum-v1", "stop": {}}],
)
def test_without_a_preset_it_has_to_be_given(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingRequest.model_validate(given)
    assert refused.value.errors()[0]["loc"] == ("stop",)
    assert "give at least one of env_steps" in refused.value.errors()[0]["msg"]


def test_a_continued_training_does_the_presets_steps_once_more() -> None:
    request = TrainingRequest.model_validate({"env": "Pendulum-v1", "resume_from": "ckpt_1"})
    assert (request.stop.more_env_steps, request.stop.env_steps) == (100_000, None)
    assert request.stop.counted_from(40_000) == StopCriteria(env_steps=140_000)


def test_more_steps_of_a_fresh_training_are_all_its_steps() -> None:
    request = TrainingRequest.model_validate({"env": "Mine-v0", "stop": {"more_env_steps": 500}})
    assert (request.stop.more_env_steps, request.stop.env_steps) == (None, 500)


def test_steps_in_all_and_more_steps_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match=r"give env_steps, .* or more_env_steps, .* not both"):
        StopCriteria(env_steps=1, more_env_steps=1)
