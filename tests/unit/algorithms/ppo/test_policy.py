"""Policies are saved and loaded without loss, and exported models act as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.normalizers import ObservationNormalizer
from rlplatform.algorithms.ppo.onnx_export import export_onnx
from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.errors import CheckpointError, EngineError

VECTOR = spaces.Box(-np.inf, np.inf, (5,), np.float32)
PLANE = spaces.Box(-np.inf, np.inf, (3, 2), np.float64)
IMAGE = spaces.Box(0, 255, (40, 44, 3), np.uint8)
BOUNDED = spaces.Box(np.array([-0.5, -2.0]), np.array([0.5, 2.0]), (2,), np.float64)
CASES = [
    (spaces.Box(-1, 1, ()), spaces.Discrete(3), {}),
    (VECTOR, spaces.Discrete(3, start=-1), {"normalize": True}),
    (VECTOR, BOUNDED, {"normalize": True}),
    (VECTOR, spaces.Box(-1, 1, (2,), np.float32), {"use_sde": True}),
    (PLANE, spaces.MultiDiscrete([2, 4]), {}),
    (spaces.Discrete(6, start=2), spaces.Discrete(2), {}),
    (spaces.MultiDiscrete([3, 4]), spaces.MultiBinary(3), {}),
    (IMAGE, spaces.Discrete(4), {}),
]


def make_policy(observation_space: Any, action_space: Any, given: dict[str, Any]) -> PPOPolicy:
    hyperparameters = Hyperparameters.of(given)
    encoder = ObservationEncoder.of(observation_space)
    head = ActionHead.of(action_space, use_sde=hyperparameters.use_sde)
    network = ActorCritic(encoder, head, hyperparameters.architecture(image=encoder.image), seed=1)
    network.flat_numpy[:] += np.random.default_rng(2).normal(0, 0.1, network.flat_numpy.shape).astype(np.float32)
    normalizer = None
    if hyperparameters.norm_obs:
        normalizer = ObservationNormalizer(encoder.shape)
        normalizer.update(np.random.default_rng(3).normal(2, 5, (100, *encoder.shape)))
    return PPOPolicy(network, hyperparameters, observation_space, action_space, normalizer)


def recorded(space: Any, count: int = 64) -> Any:
    space.seed(0)
    return np.stack([np.asarray(space.sample()) for _ in range(count)])


@pytest.mark.parametrize(("observation_space", "action_space", "given"), CASES)
def test_a_policy_survives_saving(observation_space: Any, action_space: Any, given: Any, tmp_path: Path) -> None:
    policy = make_policy(observation_space, action_space, given)
    policy.save(tmp_path / "policy")
    loaded = PPOPolicy.load(tmp_path / "policy")
    obs = recorded(observation_space)
    assert np.array_equal(loaded(obs), policy(obs))
    assert loaded.observation_space == observation_space
    assert loaded.action_space == action_space
    assert all(action_space.contains(action) for action in policy(obs))


@pytest.mark.parametrize(("observation_space", "action_space", "given"), CASES)
def test_the_exported_model_acts_as_the_policy(
    observation_space: Any, action_space: Any, given: Any, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    policy = make_policy(observation_space, action_space, given)
    assert export_onnx(policy, tmp_path / "policy.onnx", recorded(observation_space)) < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["policy.onnx"]


@pytest.mark.parametrize(("dtype", "bound", "scale"), [(np.float32, 1e9, 1e6), (np.float16, 6e4, 1e4)])
def test_great_actions_may_differ_by_what_their_dtype_cannot_hold(
    dtype: Any, bound: float, scale: float, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    policy = make_policy(VECTOR, spaces.Box(-bound, bound, (2,), dtype), {})
    policy.network.action_head.weight.data *= scale
    obs = recorded(VECTOR)
    assert np.abs(policy(obs)).max() > 1e3
    export_onnx(policy, tmp_path / "policy.onnx", obs)


def test_an_export_that_acts_otherwise_is_not_handed_out(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")

    class Contrary(PPOPolicy):
        def __call__(self, obs: Any) -> Any:
            return 2 - super().__call__(obs)

    true = make_policy(VECTOR, spaces.Discrete(3), {})
    contrary = Contrary(true.network, true.hyperparameters, VECTOR, spaces.Discrete(3))
    with pytest.raises(EngineError, match="differ"):
        export_onnx(contrary, tmp_path / "policy.onnx", recorded(VECTOR))
    assert not (tmp_path / "policy.onnx").exists()


def test_refuses_what_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        PPOPolicy.load(tmp_path)
    policy = make_policy(VECTOR, spaces.Discrete(3), {})
    policy.save(tmp_path)
    np.savez(tmp_path / "policy.npz", parameters=np.zeros(3, np.float32), observation_low=VECTOR.low)
    with pytest.raises(CheckpointError):
        PPOPolicy.load(tmp_path)


def test_equal_seeds_draw_equal_actions() -> None:
    obs = np.zeros((20, 5), np.float32)
    drawn = []
    for seed in (1, 1, 2):
        policy = make_policy(VECTOR, spaces.Discrete(3), {})
        policy.seed(seed)
        drawn.append(policy.act(obs, deterministic=False)[0].tolist())
    assert drawn[0] == drawn[1] != drawn[2]
