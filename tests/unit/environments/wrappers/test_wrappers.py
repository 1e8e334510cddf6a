"""Wrappers around vector environments, against Gymnasium's own."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation, FrameStackObservation

from rlplatform.cli.wrapper_options import wrappers_of
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.probe import facts_of
from rlplatform.environments.wrappers.chain import wrap
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.training.models import TrainingRequest
from tests.unit.environments.sandboxed.test_rewarded_env import Counter


def make(*wrappers: dict[str, Any], env: str = "CartPole-v1", **options: Any) -> Any:
    training = options.pop("training", True)
    seeds = options.pop("seeds", [3, 4])
    chosen = EnvOptions(options.pop("backend", "gymnasium"), options.pop("limit", None), wrappers)
    return make_vector_env(env, {}, seeds, options=chosen, training=training)


def test_a_frame_stack_is_gymnasiums() -> None:
    ours = make({"name": "frame_stack", "n": 3}, env="Acrobot-v1", limit=30)
    theirs = SyncVectorEnv(
        [lambda: FlattenObservation(FrameStackObservation(gym.make("Acrobot-v1", max_episode_steps=30), 3))] * 2,
        autoreset_mode=AutoresetMode.NEXT_STEP,
    )
    assert ours.single_observation_space.shape == (18,)
    np.testing.assert_array_equal(ours.reset(), theirs.reset(seed=[3, 4])[0])
    rng = np.random.default_rng(0)
    for _ in range(70):
        actions = rng.integers(0, 3, 2)
        np.testing.assert_array_equal(ours.step(actions).obs, theirs.step(actions)[0])


def test_where_copies_reset_at_once_the_last_observation_is_stacked_and_the_next_episode_begins_afresh() -> None:
    envs = wrap(Counter(1), [{"name": "frame_stack", "n": 2}], training=True)
    assert envs.reset().tolist() == [[0, 0]]
    steps = [envs.step(np.zeros(1, int)) for _ in range(4)]
    assert [step.obs.tolist() for step in steps] == [[[0, 1]], [[1, 2]], [[0, 0]], [[0, 1]]]
    assert steps[2].finals is not None
    assert steps[2].finals[0].tolist() == [[2, 3]]


def test_images_are_stacked_along_their_channels() -> None:
    class Screen(Counter):
        single_observation_space = gym.spaces.Box(0, 255, (40, 40, 3), np.uint8)

        def reset(self) -> Any:
            return np.zeros((self.num_envs, 40, 40, 3), np.uint8)

    envs = wrap(Screen(2), [{"name": "frame_stack", "n": 4}], training=True)
    assert envs.single_observation_space.shape == (40, 40, 12)
    assert envs.single_observation_space.dtype == np.uint8
    assert envs.reset().shape == (2, 40, 40, 12)


def test_the_time_that_has_passed_is_appended() -> None:
    envs = make({"name": "time_aware"}, limit=5, env="MountainCar-v0")
    assert envs.reset()[:, -1].tolist() == [0, 0]
    seen = [envs.step(np.zeros(2, int)).obs[0, -1] for _ in range(7)]
    assert seen == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.0, 0.2])


def test_rewards_change_for_training_alone_and_scores_stay() -> None:
    wrappers = ({"name": "scale_reward", "factor": 3.0}, {"name": "clip_reward", "low": -2.0, "high": 2.0})
    envs = make(*wrappers)
    envs.reset()
    step = envs.step(np.zeros(2, int))
    assert (step.rewards.tolist(), step.scores.tolist()) == ([2, 2], [1, 1])
    assert envs.describe()["wrappers"] == ["ScaleReward(3)", "ClipReward(-2, 2)"]
    evaluating = make(*wrappers, training=False)
    evaluating.reset()
    assert evaluating.step(np.zeros(2, int)).rewards.tolist() == [1, 1]


def test_a_restored_state_continues_the_same() -> None:
    wrappers = ({"name": "frame_stack", "n": 3}, {"name": "time_aware"})
    one, other = make(*wrappers, limit=20), make(*wrappers, limit=20)
    one.reset()
    other.reset()
    for _ in range(7):
        one.step(np.ones(2, int))
    other.set_state(one.get_state())
    for number in range(40):
        np.testing.assert_array_equal(*(envs.step(np.full(2, number % 2)).obs for envs in (one, other)))


@pytest.mark.parametrize(
    ("env", "wrapper", "said"),
    [("Taxi-v3", "frame_stack", "takes observations in a Box"), ("Taxi-v3", "time_aware", "takes observations")],
)
def test_what_does_not_go_together_is_refused_by_its_place(env: str, wrapper: str, said: str) -> None:
    request = TrainingRequest.model_validate(
        {"env": env, "wrappers": [{"name": "clip_reward"}, {"name": wrapper}], "stop": {"env_steps": 1}}
    )
    with pytest.raises(InvalidRequest, match=said) as refused:
        facts_of(env, {}, EnvOptions.of(request))
    assert refused.value.extra["field"] == "wrappers.1"


def test_the_command_line_names_wrappers_and_their_settings() -> None:
    assert wrappers_of(["frame_stack:n=2", "clip_reward:low=-0.5,high=1", "flatten"]) == [
        {"name": "frame_stack", "n": 2},
        {"name": "clip_reward", "low": -0.5, "high": 1},
        {"name": "flatten"},
    ]
    with pytest.raises(UnknownName, match="did you mean frame_stack"):
        wrappers_of(["framestack"])
    with pytest.raises(InvalidRequest, match="n: Input should be less than or equal to 16"):
        wrappers_of(["frame_stack:n=99"])
    with pytest.raises(InvalidRequest, match="key=value"):
        wrappers_of(["frame_stack:4"])
