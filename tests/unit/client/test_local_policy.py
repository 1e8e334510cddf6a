"""A policy at home acts as its ONNX model says, and its episodes are counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rlplatform.algorithms.policy_card import PolicyCard
from rlplatform.client.local_policy import LocalPolicy
from rlplatform.environments.models import SpaceInfo
from rlplatform.errors import InvalidRequest
from rlplatform.policies.models import PolicyInfo
from rlplatform.testing import samples
from tests.onnx_models import leaning


@pytest.fixture
def policy() -> LocalPolicy:
    checkpoint = samples.checkpoint()
    card = PolicyCard(
        observation_space=SpaceInfo(kind="box", shape=[4], dtype="float32"),
        action_space=SpaceInfo(kind="discrete", shape=[], dtype="int64", n=2, start=0),
        normalizer=None,
        parameters=1,
    )
    about: dict[str, Any] = {
        "id": "pol_1",
        "env": "CartPole-v1",
        "algorithm": "ppo",
        "training_id": checkpoint.training_id,
        "checkpoint_id": checkpoint.id,
        "iteration": 1,
        "env_steps": 1,
        "size_bytes": 1,
        "sha256": "",
        "created_at": checkpoint.created_at,
    }
    return LocalPolicy(PolicyInfo.model_validate({**card.model_dump(), **about}), leaning())


def test_one_observation_has_one_action_and_a_batch_has_an_array(policy: LocalPolicy) -> None:
    action = policy.predict([0.0, 0.0, 0.1, 0.0])
    assert (action, type(action)) == (1, int)
    actions = policy.predict(np.array([[0, 0, 0.1, 0], [0, 0, -0.1, 0]]))
    assert actions.tolist() == [1, 0]


def test_another_shape_is_refused(policy: LocalPolicy) -> None:
    with pytest.raises(InvalidRequest, match=r"has shape \[4\], or \[batch, \*shape\]; got \[3\]"):
        policy.predict([1.0, 2.0, 3.0])


def test_episodes_are_played_and_counted_the_same_each_time(policy: LocalPolicy) -> None:
    report = policy.evaluate("CartPole-v1", episodes=5, seed=1)
    assert (report.episodes, report.episode_length_mean) == (5, report.episode_return_mean)
    assert 20 < report.episode_return_mean < 80  # leaning balances for a while
    assert report.episode_return_min <= report.episode_return_mean <= report.episode_return_max
    assert policy.evaluate("CartPole-v1", episodes=5, seed=1) == report
    with pytest.raises(InvalidRequest, match="episodes must be positive; got 0"):
        policy.evaluate("CartPole-v1", episodes=0)
