"""A request without a stop criterion stops after its preset's number of steps."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.training.models import TrainingRequest


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
    [{"env": "Mine-v0"}, {"env": "Pendulum-v1", "resume_from": "ckpt_1"}, {"env": "Pendulum-v1", "stop": {}}],
)
def test_without_a_preset_or_from_a_checkpoint_it_has_to_be_given(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingRequest.model_validate(given)
    assert refused.value.errors()[0]["loc"] == ("stop",)
    assert "give at least one of env_steps" in refused.value.errors()[0]["msg"]
