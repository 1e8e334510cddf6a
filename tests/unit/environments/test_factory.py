"""Vector environments behave as their autoreset mode says, whatever they are made of."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from rlplatform.environments.backends.gymnasium_backend import GymVectorEnv
from rlplatform.environments.factory import make_vector_env
from rlplatform.errors import InvalidRequest

SEEDS = [11, 22, 33]


@pytest.mark.parametrize(
    ("env", "config", "backend"),
    [
        ("CartPole-v1", {}, "vector_entry_point"),
        ("CartPole-v1", {"sutton_barto_reward": True}, "vector_entry_point"),
        ("Acrobot-v1", {}, "envpool"),
        ("Pendulum-v1", {}, "envpool"),
        ("Pendulum-v1", {"g": 9.81}, "sync"),
        ("MiniGrid-DoorKey-5x5-v0", {}, "envpool"),
    ],
)
def test_takes_the_fastest_backend_that_there_is(env: str, config: dict[str, object], backend: str) -> None:
    made = make_vector_env(env, config, SEEDS)
    obs = made.reset()
    assert made.backend == backend
    assert obs.shape == (3, *made.single_observation_space.shape)
    step = made.step(np.stack([made.single_action_space.sample() for _ in SEEDS]))
    assert step.obs.shape == obs.shape
    assert step.rewards.shape == step.terminated.shape == step.truncated.shape == (3,)
    made.close()
    made.close()


@pytest.mark.parametrize("env", ["CartPole-v1", "Acrobot-v1", "LunarLander-v3", "MiniGrid-Empty-Random-5x5-v0"])
def test_seeds_decide(env: str) -> None:
    one, same, other = (make_vector_env(env, {}, seeds) for seeds in (SEEDS, SEEDS, [1, 2, 3]))
    first, second, third = one.reset(), same.reset(), other.reset()
    assert np.array_equal(first, second)
    if env != "MiniGrid-Empty-Random-5x5-v0":
        assert not np.array_equal(first, third)


def test_next_step_autoreset_ignores_the_action_and_rewards_nothing() -> None:
    env = make_vector_env("CartPole-v1", {}, [0])
    env.reset()
    while not (step := env.step(np.array([1]))).terminated[0]:
        pass
    final = np.array(step.obs)
    step = env.step(np.array([1]))
    assert abs(final[0, 2]) > 0.2
    assert abs(step.obs[0, 2]) <= 0.05
    assert step.rewards[0] == 0
    assert not step.terminated[0]


class Counter(gym.Env):  # type: ignore[type-arg]
    """Counts its steps; an episode has three."""

    observation_space = spaces.Box(0, 9, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: int):  # type: ignore[no-untyped-def]
        self.count += 1
        return np.full(1, self.count, np.float32), 1.0, self.count == 3, False, {}


def test_same_step_autoreset_hands_out_the_last_observations() -> None:
    env = GymVectorEnv(gym.vector.SyncVectorEnv([Counter] * 2, autoreset_mode=AutoresetMode.SAME_STEP), "sync", [0, 1])
    env.reset()
    assert env.autoreset == "same_step"
    assert env.step(np.zeros(2, int)).finals is None
    env.step(np.zeros(2, int))
    step = env.step(np.zeros(2, int))
    assert step.finals is not None
    assert step.finals[0].tolist() == [[3], [3]]
    assert step.finals[1].tolist() == [0, 1]
    assert step.obs.tolist() == [[0], [0]]


def test_refuses_autoreset_modes_that_it_does_not_know() -> None:
    with pytest.raises(InvalidRequest, match="autoreset"):
        GymVectorEnv(gym.vector.SyncVectorEnv([Counter], autoreset_mode=AutoresetMode.DISABLED), "sync", [0])


@pytest.mark.parametrize(
    ("env", "config"),
    [("CartPole-v1", {"gravity": 1}), ("Pendulum-v1", {"gravity": 1}), ("MiniGrid-DoorKey-5x5-v0", {"bogus": 1})],
)
def test_refuses_config_that_the_environment_does_not_take(env: str, config: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        make_vector_env(env, config, [0])
    assert refused.value.extra["field"].startswith("env_config")


@pytest.mark.parametrize("config", [{}, {"g": 9.0}])
def test_state_goes_on_exactly_where_it_can_be_saved(config: dict[str, object]) -> None:
    name = "Pendulum-v1" if config else "CartPole-v1"
    env, other = make_vector_env(name, config, SEEDS), make_vector_env(name, config, [7, 8, 9])
    env.reset()
    actions = np.stack([np.asarray(env.single_action_space.sample()) for _ in SEEDS])
    for _ in range(30):
        env.step(actions)
    state = env.get_state()
    assert state is not None
    other.set_state(state)
    for _ in range(250):
        one, two = env.step(actions), other.step(actions)
        assert np.array_equal(one.obs, two.obs)


def test_envpool_says_that_it_cannot_be_saved() -> None:
    assert make_vector_env("Acrobot-v1", {}, [0]).get_state() is None


def test_gym_environments_that_do_not_pickle_whole_are_not_saved() -> None:
    env = GymVectorEnv(gym.vector.SyncVectorEnv([Counter]), "sync", [0])
    assert env.get_state() is None


@pytest.mark.parametrize("name", ["LunarLander-v3", "Pendulum-v1", "HalfCheetah-v4"])
def test_stepping_envpools_core_is_stepping_envpool(name: str) -> None:
    direct, through = make_vector_env(name, {}, SEEDS), make_vector_env(name, {}, SEEDS)
    assert direct._direct is not None  # type: ignore[attr-defined]
    through._direct = None  # type: ignore[attr-defined]
    assert np.array_equal(direct.reset(), through.reset())
    direct.single_action_space.seed(1)
    for _ in range(1100):
        actions = np.stack([direct.single_action_space.sample() for _ in SEEDS])
        for one, other in zip(direct.step(actions)[:4], through.step(actions)[:4], strict=True):
            assert np.array_equal(one, other)
