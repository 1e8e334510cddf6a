"""The exported file takes and gives what the policy's card says, for every kind of space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rlplatform.algorithms.ppo.onnx_export import export_onnx
from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.environments.backends.flattening import Flattening
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import DEFAULT_OPTIONS
from rlplatform.environments.sandboxed import registry
from rlplatform.testing.sessions import LocalSessions
from tests.unit.algorithms.ppo.test_policy import make_policy
from tests.unit.environments.sandboxed.environments import GRID
from tests.unit.environments.sandboxed.test_vector_env import code_of

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

FLAT = Flattening("it", spaces.Dict(a=spaces.Box(-1, 1, (2,)), b=spaces.Tuple([spaces.Discrete(3, start=1)]))).space
OBSERVATIONS = [
    spaces.Box(-1, 1, (4,), np.float32),
    spaces.Box(-1, 1, (4,), np.float64),
    spaces.Box(-1, 1, (4,), np.float16),
    spaces.Box(0, 255, (7, 7, 3), np.uint8),
    spaces.Box(0, 9, (3,), np.uint16),
    spaces.Box(-9, 9, (3,), np.int32),
    spaces.Box(-9, 9, (3,), np.int64),
    spaces.Box(0, 255, (40, 44, 3), np.uint8),
    spaces.Box(0, 255, (4, 84, 84), np.uint8),
    spaces.Discrete(16),
    spaces.Discrete(6, start=2),
    spaces.MultiDiscrete([3, 4]),
    spaces.MultiDiscrete([[2, 3], [4, 5]], dtype=np.int32),
    spaces.MultiBinary(5),
    spaces.MultiBinary((2, 3)),
    FLAT,
]
ACTIONS = [
    spaces.Discrete(3),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 4]),
    spaces.MultiBinary(3),
    spaces.Box(-1, 1, (2,), np.float32),
    spaces.Box(-1, 1, (2,), np.float64),
]


def exported(observation_space: Any, action_space: Any, path: Path, recorded_as: Any = None) -> tuple[Any, Any, Any]:
    policy = make_policy(observation_space, action_space, {})
    observation_space.seed(0)
    samples = np.stack([np.asarray(observation_space.sample()) for _ in range(8)])
    export_onnx(policy, path / "it.onnx", samples if recorded_as is None else samples.astype(recorded_as))
    return policy, samples, onnxruntime.InferenceSession(str(path / "it.onnx"), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("space", OBSERVATIONS, ids=str)
def test_the_model_takes_samples_of_the_observation_space_as_the_card_describes_it(space: Any, tmp_path: Path) -> None:
    policy, samples, session = exported(space, spaces.Discrete(3), tmp_path)
    card = policy.card().observation_space
    fed = samples.astype(card.dtype)
    assert fed.shape[1:] == tuple(card.shape)
    (actions,) = session.run(["action"], {"observation": fed})
    assert np.array_equal(actions, policy(samples))


@pytest.mark.parametrize("space", ACTIONS, ids=str)
def test_the_model_gives_actions_as_the_card_describes_them(space: Any, tmp_path: Path) -> None:
    policy, samples, session = exported(spaces.Box(-1, 1, (4,), np.float32), space, tmp_path)
    card = policy.card().action_space
    (actions,) = session.run(["action"], {"observation": samples})
    assert str(actions.dtype) == card.dtype
    assert actions.shape == (len(samples), *card.shape)
    np.testing.assert_allclose(actions, policy(samples), atol=1e-4)


@pytest.mark.parametrize(
    ("space", "recorded_as"),
    [
        (spaces.Discrete(16), np.int32),
        (spaces.Box(0, 255, (9,), np.float32), np.uint8),
        (spaces.MultiBinary((2, 3)), np.bool_),
        (spaces.MultiDiscrete([3, 4]), np.int16),
    ],
    ids=str,
)
def test_the_card_decides_also_where_the_environment_gives_another_type(
    space: Any, recorded_as: Any, tmp_path: Path
) -> None:
    policy, samples, session = exported(space, spaces.Discrete(3), tmp_path, recorded_as)
    (actions,) = session.run(["action"], {"observation": samples.astype(policy.card().observation_space.dtype)})
    assert np.array_equal(actions, policy(samples))


def test_the_policy_of_an_uploaded_environment_is_exported_and_acts_in_it(tmp_path: Path) -> None:
    code = code_of(GRID, "Grid")
    registry.install([code], LocalSessions(), budget=0)
    try:
        envs = make_vector_env(code.label, {}, [0, 1, 2])
        policy = make_policy(envs.single_observation_space, envs.single_action_space, {})
        ALGORITHMS["ppo"].export_onnx(policy.pack(), tmp_path / "grid.onnx", code.label, {}, DEFAULT_OPTIONS)
        session = onnxruntime.InferenceSession(str(tmp_path / "grid.onnx"), providers=["CPUExecutionProvider"])
        obs = envs.reset()
        for _ in range(20):
            actions = session.run(None, {"observation": obs})[0]
            np.testing.assert_array_equal(actions, policy(obs))
            obs = envs.step(actions).obs
        envs.close()
    finally:
        registry.close()
