"""Fragments of a sampler hold what happened in its environments."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.algorithms.ppo.sampler import Sampler
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.environments.seeds import evaluation_seeds, training_seeds
from rlplatform.training.policy_evaluation import evaluate_policy

NORMALIZE = {"normalize": True}


def make_network(env: str, hyperparameters: Hyperparameters) -> ActorCritic:
    probe = make_vector_env(env, {}, [0])
    probe.close()
    encoder = ObservationEncoder.of(probe.single_observation_space)
    head = ActionHead.of(probe.single_action_space, use_sde=hyperparameters.use_sde)
    return ActorCritic(encoder, head, hyperparameters.architecture(image=encoder.image), seed=3)


def make_sampler(
    env: str = "CartPole-v1",
    num_envs: int = 4,
    worker: int = 0,
    seed: int = 5,
    env_config: dict[str, Any] | None = None,
    **given: Any,
) -> Sampler:
    hyperparameters = Hyperparameters.of(given)
    network = make_network(env, hyperparameters)
    return Sampler(network, hyperparameters, env, env_config or {}, num_envs, seed=seed, worker=worker)


def fragments_equal(one: Fragment, other: Fragment) -> bool:
    pairs = ((getattr(one, name), getattr(other, name)) for name in Fragment.__slots__)
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def test_fragments_follow_on_each_other() -> None:
    sampler, whole = make_sampler(), make_sampler()
    first, second, both = sampler.sample(40), sampler.sample(60), whole.sample(100)
    assert np.array_equal(first.obs[-1], second.obs[0])
    for name in ("actions", "rewards", "terminated", "valid", "logp"):
        joined = np.concatenate([getattr(first, name), getattr(second, name)])
        assert np.array_equal(joined, getattr(both, name))
    assert np.array_equal([*first.episode_returns, *second.episode_returns], both.episode_returns)


def test_a_step_after_the_end_is_a_reset_that_counts_for_nothing() -> None:
    fragment = make_sampler().sample(200)
    done = fragment.terminated | fragment.truncated
    assert done.sum() > 5
    assert np.array_equal(~fragment.valid[1:], done[:-1])
    assert not fragment.rewards[~fragment.valid].any()
    assert fragment.env_steps() == 200 * 4 - done[:-1].sum()


def test_episode_returns_and_lengths_are_those_of_the_environment() -> None:
    """CartPole rewards every step with 1, also where rewards are normalised for training."""
    fragment = make_sampler(**NORMALIZE).sample(400)
    assert len(fragment.episode_returns) > 10
    assert np.array_equal(fragment.episode_returns, fragment.episode_lengths)
    open_steps = fragment.env_steps() - fragment.episode_lengths.sum()
    assert 0 <= open_steps <= 4 * 500
    assert abs(fragment.rewards).max() <= 10
    assert abs(fragment.obs).max() <= 10


@pytest.mark.parametrize("given", [{}, NORMALIZE])
def test_goes_on_exactly_from_its_state(given: dict[str, Any]) -> None:
    sampler, other = make_sampler(**given), make_sampler(**given)
    sampler.sample(70)
    other.set_state(sampler.get_state())
    assert fragments_equal(sampler.sample(90), other.sample(90))


def test_environments_that_cannot_be_saved_begin_anew_on_other_seeds() -> None:
    sampler = make_sampler("Pendulum-v1", normalize={"norm_obs": True, "norm_reward": True})
    begun = sampler._obs.copy()
    sampler.sample(30)
    state = sampler.get_state()
    other = make_sampler("Pendulum-v1", normalize={"norm_obs": True, "norm_reward": True})
    other.set_state(state)
    assert other.norm_reward is not None
    assert other.norm_reward.get_state() == sampler.norm_reward.get_state()  # type: ignore[union-attr]
    assert not np.isclose(other._obs, begun).all(axis=1).any()
    assert other.get_state()["generation"] == 1


def test_goes_on_with_another_env_config_in_environments_made_of_it() -> None:
    """Sutton and Barto's CartPole rewards no step but the last of an episode, with -1."""
    sampler, other = make_sampler(), make_sampler(env_config={"sutton_barto_reward": True})
    sampler.sample(30)
    other.set_state(sampler.get_state())
    assert set(np.unique(other.sample(60).rewards)) == {-1.0, 0.0}


def test_goes_on_with_another_seed_to_something_else() -> None:
    sampler, same, other = make_sampler(), make_sampler(), make_sampler(seed=6)
    sampler.sample(30)
    state = sampler.get_state()
    same.set_state(state)
    other.set_state(state)
    assert not np.array_equal(same._obs, other._obs)
    assert not np.array_equal(same.sample(40).actions, other.sample(40).actions)


def test_goes_on_with_normalised_rewards_from_raw_ones() -> None:
    sampler, other = make_sampler(), make_sampler(normalize={"norm_obs": False, "norm_reward": True})
    sampler.sample(30)
    other.set_state(sampler.get_state())
    assert np.isfinite(other.sample(40).rewards).all()


def test_workers_differ_and_repeat_themselves() -> None:
    one, same, other = make_sampler(), make_sampler(), make_sampler(worker=1)
    first = one.sample(20)
    assert fragments_equal(first, same.sample(20))
    assert not np.array_equal(first.actions, other.sample(20).actions)


def test_seeds_are_disjoint() -> None:
    blocks = [training_seeds(7, worker, generation, 16) for worker in range(20) for generation in range(5)]
    seeds = [seed for block in blocks for seed in block] + evaluation_seeds(7, 16)
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert training_seeds(7, 1, 0, 4) == training_seeds(7, 1, 0, 4) != training_seeds(8, 1, 0, 4)
    with pytest.raises(ValueError, match="4096"):
        training_seeds(7, 0, 0, 5000)


@pytest.mark.parametrize("episodes", [1, 5, 16, 37])
@pytest.mark.parametrize("env", ["CartPole-v1", "Acrobot-v1"])
def test_evaluation_plays_exactly_so_many_episodes(env: str, episodes: int) -> None:
    network = make_network(env, Hyperparameters())
    envs = make_vector_env(env, {}, [0])
    policy = PPOPolicy(network, Hyperparameters(), envs.single_observation_space, envs.single_action_space)
    report = evaluate_policy(policy, env, {}, episodes, seed=1)
    assert report.episodes == episodes
    assert report == evaluate_policy(policy, env, {}, episodes, seed=1)
    assert report.episode_return_min <= report.episode_return_mean <= report.episode_return_max
    if env == "CartPole-v1":
        assert report.episode_length_mean == report.episode_return_mean


class Uneven(gym.Env):  # type: ignore[type-arg]
    """Episodes of one step on odd seeds, of 50 on even ones."""

    observation_space = spaces.Box(0, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)
    length = 0

    def reset(self, *, seed: int | None = None, options: Any = None):  # type: ignore[no-untyped-def]
        self.length = self.length if seed is None else 1 if seed % 2 else 50
        self.left = self.length
        return np.zeros(1, np.float32), {}

    def step(self, action: int):  # type: ignore[no-untyped-def]
        self.left -= 1
        return np.zeros(1, np.float32), 1.0, self.left == 0, False, {}


def test_evaluation_does_not_favour_short_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gym.registry, "Uneven-v0", gym.envs.registration.EnvSpec("Uneven-v0", entry_point=Uneven))
    report = evaluate_policy(lambda obs: np.zeros(len(obs), np.int64), "Uneven-v0", {}, 64, seed=3)
    assert report.episode_return_mean == 25.5


class RandomKernel:
    """Acts without looking: a thousand passes through a CNN take half a minute."""

    def begin(self, fragment: Fragment) -> None:
        self.actions = fragment.actions
        self.actions[:] = np.random.default_rng(0).integers(0, 4, self.actions.shape)

    def act_at(self, step: int) -> Any:
        return self.actions[step]


def test_an_atari_episode_is_a_game_not_a_life_and_scores_as_the_game_does() -> None:
    sampler = make_sampler("Breakout-v5", num_envs=2, n_steps=64, batch_size=64)
    sampler.kernel = RandomKernel()  # type: ignore[assignment]
    fragment = sampler.sample(500)
    lives = int(fragment.terminated.sum())
    games = len(fragment.episode_returns)
    assert fragment.obs.dtype == np.uint8
    assert games >= 1
    assert lives >= 5 * games
    assert set(np.unique(fragment.rewards)) <= {0.0, 1.0}
    assert sampler.env.single_observation_space.shape == (4, 84, 84)
