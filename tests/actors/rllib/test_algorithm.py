"""VectorPPO is an RLlib algorithm like any other: configured, checkpointed and evaluated through RLlib's own calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, LEARNER_RESULTS

from actors.rllib.algorithm import VectorPPO
from actors.rllib.config import VectorPPOConfig
from actors.rllib.rollout import split
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.environments.observation_encoder import ObservationEncoder

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_here")]

OBSERVATIONS = spaces.Box(-np.inf, np.inf, (4,), np.float32)


def config(**options: Any) -> VectorPPOConfig:
    hyperparameters = {"n_steps": 32, "batch_size": 32, "n_epochs": 2}
    return (
        VectorPPO.get_default_config()
        .environment("CartPole-v1", observation_space=OBSERVATIONS, action_space=spaces.Discrete(2))
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
        .debugging(seed=3, log_level="ERROR")
        .options(hyperparameters=hyperparameters, seed=3, **options)
    )


class Coin(gym.Env[Any, Any]):
    """Episodes of one step: under NEXT_STEP, every other row is a reset."""

    observation_space = spaces.Box(0, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, **_: Any) -> Any:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.zeros(1, np.float32), float(action), True, False, {}


@pytest.fixture
def coin() -> Iterator[str]:
    gym.register("Coin-v0", entry_point=Coin)
    yield "Coin-v0"
    del gym.registry["Coin-v0"]


@pytest.fixture
def algo() -> Any:
    built = config().build_algo()
    yield built
    built.stop()


def test_results_have_what_rllib_and_tune_look_for(algo: VectorPPO) -> None:
    for _ in range(3):
        result = algo.train()
    assert result["training_iteration"] == 3
    assert result["num_env_steps_sampled_lifetime"] == algo.env_steps > 300
    assert result[ENV_RUNNER_RESULTS]["episode_return_mean"] > 0
    learned = result[LEARNER_RESULTS][DEFAULT_MODULE_ID]
    assert {"policy_gradient_loss", "value_loss", "approx_kl", "learning_rate"} <= set(learned)


def test_comes_back_from_a_checkpoint_as_it_was(algo: VectorPPO, tmp_path: Path) -> None:
    algo.train()
    algo.train()
    algo.save_to_path(str(tmp_path))
    again = VectorPPO.from_checkpoint(str(tmp_path))
    assert np.array_equal(again.network.flat_numpy, algo.network.flat_numpy)
    assert (again.env_steps, again.episodes, again.training_iteration) == (algo.env_steps, algo.episodes, 2)
    for one in (algo, again):
        one.train()
    assert np.array_equal(again.network.flat_numpy, algo.network.flat_numpy)
    again.stop()


def test_sampling_and_learning_share_one_network(algo: VectorPPO) -> None:
    learner = algo.learner_group._learner
    assert algo.env_runner.sampler.network is learner.network is algo.network
    algo.train()
    assert algo.env_runner.sampler.network is learner.updater.network is algo.network


def test_evaluates_through_rllibs_own_call(algo: VectorPPO) -> None:
    algo.train()
    before = algo.env_steps
    evaluated = algo.evaluate()[ENV_RUNNER_RESULTS]
    assert evaluated["num_episodes"] == 10
    assert evaluated["episode_return_mean"] > 0
    assert algo.env_steps == before


def test_options_survive_the_round_trip_through_a_dict() -> None:
    made = VectorPPO.get_default_config().update_from_dict(config(pipeline_depth=1).to_dict())
    assert made.vector["pipeline_depth"] == 1
    with pytest.raises(TypeError, match="pipeline_dept"):
        config(pipeline_dept=1)


def test_rollouts_are_bundled_into_iterations() -> None:
    algo = config(rollouts_per_iteration=5).build_algo()
    algo.train()
    assert 5 * 32 * 4 * 0.8 < algo.env_steps <= 5 * 32 * 4
    assert algo.statistics["n_updates"] == 10
    algo.stop()


def test_no_rollout_is_begun_after_the_last_env_step() -> None:
    algo = config(rollouts_per_iteration=5, total_env_steps=200).build_algo()
    algo.train()
    assert 200 <= algo.env_steps <= 256
    algo.stop()


def test_rows_that_are_resets_are_made_up_for_by_short_rollouts(coin: str) -> None:
    """Every other row of a coin is a reset: whole rollouts alone would end at 512 steps."""
    algo = (
        VectorPPO.get_default_config()
        .environment(coin, observation_space=Coin.observation_space, action_space=Coin.action_space)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
        .debugging(seed=3, log_level="ERROR")
        .options(hyperparameters={"n_steps": 64, "batch_size": 16, "n_epochs": 1}, total_env_steps=300)
        .build_algo()
    )
    seen = []
    while algo.env_steps < 300:
        algo.train()
        seen.append(algo.env_steps)
    assert seen[:2] == [128, 256], "as long as rows are missing, rollouts are whole"
    assert 300 <= algo.env_steps < 300 + 16 + 4
    algo.stop()


def test_a_rollout_of_nothing_but_resets_is_no_reason_to_give_up(coin: str) -> None:
    algo = (
        VectorPPO.get_default_config()
        .environment(coin, observation_space=Coin.observation_space, action_space=Coin.action_space)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        .debugging(seed=3, log_level="ERROR")
        .options(hyperparameters={"n_steps": 1, "batch_size": 2, "n_epochs": 1}, rollouts_per_iteration=4)
        .build_algo()
    )
    algo.train()
    algo.train()
    assert (algo.env_steps, algo.episodes) == (8, 8)
    assert algo.statistics["n_updates"] == 4
    algo.stop()


def test_the_module_gives_rllib_distributions_and_values(algo: VectorPPO) -> None:
    module = algo.get_module()
    batch = {Columns.OBS: torch.zeros(5, 4)}
    logits = module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS]
    assert logits.shape == (5, 2)
    assert module.get_inference_action_dist_cls().from_logits(logits).sample().shape == (5,)
    assert module.compute_values(batch).shape == (5,)


def test_a_fragment_is_shared_out_whole() -> None:
    fragment = Fragment.empty(6, 4, ObservationEncoder.of(OBSERVATIONS), ActionHead.of(spaces.Discrete(2)))
    fragment.obs[:] = np.random.default_rng(0).normal(size=fragment.obs.shape)
    fragment.set_finals(np.arange(12).reshape(3, 4), [(0, 1), (2, 3), (5, 2)])
    parts = split(fragment, 2)
    assert np.array_equal(np.concatenate([part.obs for part in parts], axis=1), fragment.obs)
    assert [part.final_index.tolist() for part in parts] == [[[0, 1]], [[2, 1], [5, 0]]]  # type: ignore[union-attr]
    assert sum(part.env_steps() for part in parts) == fragment.env_steps()
    assert split(fragment, 1) == [fragment]
