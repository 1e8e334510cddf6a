"""Every environment has a time limit: the request's, its own, or the default."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.vector_env import DEFAULT_MAX_EPISODE_STEPS
from rlplatform.training.policy_evaluation import evaluate_policy

IDS = [
    ("CartPole-v1", {}),
    ("CartPole-v1", {"sutton_barto_reward": True}),
    ("Acrobot-v1", {}),
    ("Pendulum-v1", {"g": 9.0}),
    ("CliffWalking-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("Taxi-v3", {}),
    ("HalfCheetah-v4", {}),
    ("LunarLander-v3", {}),
    ("MiniGrid-Empty-5x5-v0", {}),
    ("FetchReach-v4", {}),
    ("CartpoleBalance-v1", {}),
    ("Pong-v5", {}),
]


@pytest.mark.parametrize(("env", "config"), IDS)
@pytest.mark.parametrize("as_field", [True, False])
def test_a_limit_that_is_asked_for_ends_episodes_on_every_backend(
    env: str, config: dict[str, object], as_field: bool
) -> None:
    options = EnvOptions(max_episode_steps=5) if as_field else EnvOptions()
    config = config if as_field else config | {"max_episode_steps": 5}
    made = make_vector_env(env, config, [1, 2], options=options)
    made.reset()
    action = np.stack([np.zeros_like(made.single_action_space.sample())] * 2)
    ended = [made.step(action).truncated.copy() for _ in range(5)]
    made.close()
    assert not np.any(ended[:4])
    assert np.all(ended[4])
    assert made.describe()["max_episode_steps"] == 5
    assert made.describe()["time_limit"] == "request"


@pytest.mark.parametrize(
    ("env", "backend", "steps", "source"),
    [
        ("CartPole-v1", "auto", 500, "environment"),
        ("LunarLander-v3", "auto", 1000, "environment"),
        ("Pong-v5", "auto", 27000, "environment"),
        ("CliffWalking-v1", "envpool", DEFAULT_MAX_EPISODE_STEPS, "default"),
        ("CliffWalking-v1", "gymnasium", DEFAULT_MAX_EPISODE_STEPS, "default"),
        ("Blackjack-v1", "auto", DEFAULT_MAX_EPISODE_STEPS, "default"),
    ],
)
def test_the_limit_and_its_source_are_described(env: str, backend: str, steps: int, source: str) -> None:
    made = make_vector_env(env, {}, [0], options=EnvOptions(backend))  # type: ignore[arg-type]
    made.close()
    assert (made.max_episode_steps, made.describe()["time_limit"]) == (steps, source)


@pytest.mark.parametrize("backend", ["envpool", "gymnasium"])
def test_an_evaluation_of_an_environment_without_a_limit_ends(backend: str) -> None:
    """A policy that walks against the wall of CliffWalking never reaches the goal."""
    options = EnvOptions(backend)  # type: ignore[arg-type]
    report = evaluate_policy(lambda obs: np.full(len(obs), 3), "CliffWalking-v1", {}, 2, 0, options=options)
    assert report.episode_length_mean == DEFAULT_MAX_EPISODE_STEPS


def test_a_vector_entry_point_that_knows_no_limit_gives_way_to_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv, CartPoleVectorEnv
    from gymnasium.envs.registration import EnvSpec

    spec = EnvSpec("Unbounded-v0", CartPoleEnv, vector_entry_point=lambda num_envs: CartPoleVectorEnv(num_envs))
    monkeypatch.setitem(gym.registry, "Unbounded-v0", spec)
    made = make_vector_env("Unbounded-v0", {}, [0], options=EnvOptions(max_episode_steps=5))
    made.close()
    assert made.backend == "sync"
