"""The network, its flat buffer, its spaces, its initialisation; and fragments."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.parameter_layout import Layout
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.errors import InvalidRequest
from tests.unit.algorithms.ppo.cases import MLPS, make_mlp, make_network

IMAGE = spaces.Box(0, 255, (4, 84, 84), np.uint8)


@pytest.mark.parametrize("name", MLPS)
def test_layout_and_torch_see_the_same_memory(name: str) -> None:
    network = make_mlp(name)
    assert isinstance(network.layout, Layout)
    assert network.flat_numpy.shape == (network.layout.size,)
    assert network.layout.size == sum(parameter.numel() for parameter in network.parameters())
    views = network.layout.views(network.flat_numpy)
    views.action_head.weight[...] = 7.0
    views.value_head.bias[...] = -2.0
    assert (network.action_head.weight == 7.0).all()
    assert network.value_head.bias.item() == -2.0
    with torch.no_grad():
        network.action_head.bias.fill_(3.0)
    assert (views.action_head.bias == 3.0).all()
    for (weight, bias), module in zip(views.policy, list(network.policy_net)[::2], strict=True):
        np.testing.assert_array_equal(weight, module.weight.detach().numpy().T)
        np.testing.assert_array_equal(bias, module.bias.detach().numpy())


@pytest.mark.parametrize("how", ["copy", "pickle"])
@pytest.mark.parametrize("name", ["box", "discrete, shared", "image"])
def test_copies_are_independent_and_flat(how: str, name: str) -> None:
    network = make_network(IMAGE, spaces.Discrete(4), {}) if name == "image" else make_mlp(name)
    twin = copy.deepcopy(network) if how == "copy" else pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(twin.flat_numpy, network.flat_numpy)
    assert not twin.ensure_flat()
    assert not np.shares_memory(twin.flat_numpy, network.flat_numpy)
    twin.flat_numpy[...] = 0
    assert all((parameter == 0).all() for parameter in twin.parameters())
    assert network.flat_numpy.any()


def test_initialisation_is_stable_baselines3s() -> None:
    network = make_network(spaces.Box(-1, 1, (8,)), spaces.Box(-1, 1, (2,)), {"policy_kwargs": {"log_std_init": -1.5}})

    def gains(weight: torch.Tensor) -> np.ndarray:
        return torch.linalg.svdvals(weight.detach()).numpy()

    np.testing.assert_allclose(gains(network.policy_net[0].weight), np.sqrt(2), rtol=1e-5)  # type: ignore[arg-type]
    np.testing.assert_allclose(gains(network.policy_net[2].weight), np.sqrt(2), rtol=1e-5)  # type: ignore[arg-type]
    np.testing.assert_allclose(gains(network.action_head.weight), 0.01, rtol=1e-5)
    np.testing.assert_allclose(gains(network.value_head.weight), 1.0, rtol=1e-5)
    assert all((module.bias == 0).all() for module in network.modules() if isinstance(module, torch.nn.Linear))
    assert network.log_std is not None
    assert (network.log_std == -1.5).all()


def test_the_seed_decides_and_torchs_global_generator_is_left_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    one, two, other = (
        make_network(spaces.Discrete(5), spaces.Discrete(2), {"policy_kwargs": {"ortho_init": ortho}}, seed=seed)
        for seed, ortho in ((1, False), (1, False), (2, False))
    )
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(one.flat_numpy, two.flat_numpy)
    assert not np.array_equal(one.flat_numpy, other.flat_numpy)


@pytest.mark.parametrize(
    ("space", "observed", "encoded"),
    [
        (spaces.Discrete(3, start=-1), [[-1, 1]], [[1, 0, 0], [0, 0, 1]]),
        (spaces.MultiDiscrete([2, 3]), [[[1, 0], [0, 2]]], [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]),
        (spaces.MultiBinary(2), [[[1, 0], [0, 1]]], [[1, 0], [0, 1]]),
        (spaces.Box(-1, 1, (2, 2)), [[[[1, 2], [3, 4]]]], [[1, 2, 3, 4]]),
        (spaces.Box(0, 9, (2,), np.int64), [[[1, 2]]], [[1, 2]]),
    ],
)
def test_observations_are_encoded(space: Any, observed: Any, encoded: Any) -> None:
    encoder = ObservationEncoder.of(space)
    obs = np.array(observed[0])
    expected = np.array(encoded, np.float32)
    assert encoder.shape == expected.shape[1:]
    np.testing.assert_array_equal(encoder(obs), expected)
    out = np.full_like(expected, 9)
    assert encoder(obs, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(84, 84, 3), (3, 84, 84), (36, 40, 1)])
def test_images_become_channels_first_bytes(shape: tuple[int, ...]) -> None:
    space = spaces.Box(0, 255, shape, np.uint8)
    encoder = ObservationEncoder.of(space)
    image = np.stack([space.sample() for _ in range(2)])
    expected = image if shape[0] == 3 else np.moveaxis(image, -1, 1)
    assert (encoder.kind, encoder.dtype, encoder.shape) == ("image", np.uint8, expected.shape[1:])
    np.testing.assert_array_equal(encoder(image), expected)


def test_small_grids_of_bytes_are_vectors() -> None:
    encoder = ObservationEncoder.of(spaces.Box(0, 255, (7, 7, 3), np.uint8))
    assert (encoder.kind, encoder.shape) == ("vector", (147,))


@pytest.mark.parametrize(
    "space", [spaces.Dict(a=spaces.Discrete(2)), spaces.Tuple([spaces.Discrete(2)]), spaces.Text(3)]
)
def test_other_spaces_are_refused(space: Any) -> None:
    with pytest.raises(InvalidRequest, match="not covered"):
        ObservationEncoder.of(space)
    with pytest.raises(InvalidRequest, match="not covered"):
        ActionHead.of(space)


def test_gsde_needs_a_box() -> None:
    with pytest.raises(InvalidRequest, match="use_sde"):
        ActionHead.of(spaces.Discrete(2), use_sde=True)


@pytest.mark.parametrize(
    ("space", "stored", "expected"),
    [
        (spaces.Discrete(3), [0, 2], [0, 2]),
        (spaces.Discrete(3, start=5), [0, 2], [5, 7]),
        (spaces.MultiDiscrete([2, 3], start=[1, 0]), [[0, 2]], [[1, 2]]),
        (spaces.MultiDiscrete([[2, 3], [4, 5]]), [[0, 1, 2, 3]], [[[0, 1], [2, 3]]]),
        (spaces.MultiBinary(2), [[0, 1]], [[0, 1]]),
        (spaces.Box(-2, 1, (2,)), [[-3.0, 0.5]], [[-2.0, 0.5]]),
        (spaces.Box(-1, 1, (1, 2)), [[0.25, 7.0]], [[[0.25, 1.0]]]),
    ],
)
def test_actions_reach_the_environment_inside_of_its_space(space: Any, stored: Any, expected: Any) -> None:
    head = ActionHead.of(space)
    actions = head.to_env(np.array(stored, head.dtype))
    np.testing.assert_array_equal(actions, np.array(expected))
    assert all(space.contains(action) or isinstance(space, spaces.Discrete) for action in actions)


def test_a_fragment_is_one_leaf_and_pickles_cheaply() -> None:
    tree = pytest.importorskip("tree")
    network = make_mlp("box")
    fragment = Fragment.empty(16, 4, network.encoder, network.head, seq=3)
    fragment.obs[...] = 1.0
    fragment.set_episodes([10.0, 20.0], [5, 6])
    assert tree.flatten(fragment) == [fragment]
    assert tree.flatten([fragment, fragment]) == [fragment, fragment]
    buffers: list[Any] = []
    data = pickle.dumps(fragment, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 3000
    assert sum(memoryview(buffer).nbytes for buffer in buffers) <= fragment.nbytes
    twin = pickle.loads(data, buffers=buffers)
    assert (twin.seq, twin.env_steps(), len(twin)) == (3, 64, 64)
    np.testing.assert_array_equal(twin.obs, fragment.obs)
    np.testing.assert_array_equal(twin.episode_lengths, [5, 6])


def test_reset_rows_do_not_count_as_steps() -> None:
    network = make_mlp("box")
    fragment = Fragment.empty(4, 2, network.encoder, network.head)
    fragment.valid[1, 0] = fragment.valid[2, 1] = False
    assert fragment.env_steps() == 6
    with pytest.raises(ValueError, match="index"):
        fragment.set_finals(np.zeros((2, 17)), [[0, 0]])
    with pytest.raises(TypeError):
        Fragment(obs=fragment.obs)
