from __future__ import annotations

import pytest

from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import Progress, StopCriteria
from rlplatform.training.stop_criteria import MIN_EPISODES, met

PROGRESS = Progress(iteration=10, env_steps=1_000, episodes=MIN_EPISODES, train_wall_s=5.0)
METRICS = {EPISODE_RETURN_MEAN: 100.0}


@pytest.mark.parametrize(
    ("criterion", "reached"),
    [("iterations", 10), ("env_steps", 1_000), ("episode_return_mean", 100.0), ("wall_time_s", 5.0)],
)
def test_a_criterion_is_met_at_its_value_and_not_before(criterion: str, reached: float) -> None:
    step = 1 if isinstance(reached, int) else 0.1
    assert met(StopCriteria.model_validate({criterion: reached}), PROGRESS, METRICS) == criterion
    assert met(StopCriteria.model_validate({criterion: reached + step}), PROGRESS, METRICS) is None


def test_the_mean_of_few_episodes_does_not_end_a_training() -> None:
    few = PROGRESS.model_copy(update={"episodes": MIN_EPISODES - 1})
    assert met(StopCriteria(episode_return_mean=1.0, env_steps=5_000), few, METRICS) is None


def test_a_return_that_is_not_known_yet_does_not_end_a_training() -> None:
    assert met(StopCriteria(episode_return_mean=-1e9, env_steps=5_000), PROGRESS, {}) is None


def test_env_steps_come_first_when_several_criteria_are_met() -> None:
    assert met(StopCriteria(env_steps=1, iterations=1, wall_time_s=1), PROGRESS, METRICS) == "env_steps"
