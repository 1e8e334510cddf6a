"""Acting kernels: the same actions from C, NumPy and torch, distributed as they should be."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlplatform.algorithms.ppo.backends.selection import make_acting_backend
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from tests.unit.algorithms.ppo.cases import BACKENDS, BY_HAND, MLPS, make_mlp, make_network


def observations(network: ActorCritic, rows: int) -> Any:
    return np.random.default_rng(5).standard_normal((rows, *network.encoder.shape), dtype=np.float32)


@pytest.mark.parametrize("rows", [1, 8, 65])
@pytest.mark.parametrize("name", MLPS)
@pytest.mark.parametrize("backend", BY_HAND)
def test_kernels_agree_with_torch(backend: Any, name: str, rows: int) -> None:
    network = make_mlp(name, noise=0.3)
    obs = observations(network, rows)
    for deterministic in (False, True):
        theirs = make_acting_backend(network, np.random.default_rng(1), prefer="torch")
        ours = make_acting_backend(network, np.random.default_rng(1), prefer=backend)
        expected, actual = theirs.act(obs, deterministic=deterministic), ours.act(obs, deterministic=deterministic)
        assert actual[0].dtype == network.head.dtype == expected[0].dtype
        assert actual[0].shape == (rows, *network.head.shape)
        np.testing.assert_allclose(actual[0], expected[0], atol=2e-5)
        np.testing.assert_allclose(actual[1], expected[1], atol=1e-4)
    np.testing.assert_allclose(ours.values(obs), theirs.values(obs), atol=1e-5)
    mode = network.mode(torch.from_numpy(obs)).detach().numpy()
    np.testing.assert_allclose(ours.act(obs, deterministic=True)[0], mode, atol=1e-5)


@pytest.mark.parametrize("name", MLPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_rollouts_fill_the_fragment_as_act_would(backend: Any, name: str) -> None:
    network = make_mlp(name)
    steps, envs = 7, 5
    fragment = Fragment.empty(steps, envs, network.encoder, network.head)
    fragment.obs[...] = observations(network, (steps + 1) * envs).reshape(fragment.obs.shape)
    kernel = make_acting_backend(network, np.random.default_rng(3), prefer=backend, sde_sample_freq=-1)
    kernel.begin(fragment)
    for step in range(steps):
        actions = kernel.act_at(step)
        assert np.shares_memory(actions, fragment.actions)
    with torch.no_grad():
        obs = torch.from_numpy(fragment.obs[:-1].reshape(steps * envs, -1))
        out, latent = network.policy(obs)
        actions = torch.from_numpy(fragment.actions.reshape(steps * envs, *network.head.shape))
        logp, _ = network.head.log_prob_entropy(out, actions, network.log_std, latent)
    np.testing.assert_allclose(fragment.logp.ravel(), logp.numpy(), atol=2e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_are_read_in_place(backend: Any) -> None:
    network, other = make_mlp("box"), make_mlp("box", seed=4)
    obs = observations(network, 6)
    kernel = make_acting_backend(network, np.random.default_rng(0), prefer=backend)
    wanted = make_acting_backend(other, np.random.default_rng(0), prefer=backend).act(obs, deterministic=True)[0]
    kernel.act(obs)
    network.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(kernel.act(obs, deterministic=True)[0], wanted)
    # tensors replaced altogether, as load_state_dict(assign=True) does
    third = make_mlp("box", seed=5)
    wanted = make_acting_backend(third, np.random.default_rng(0), prefer=backend).act(obs, deterministic=True)[0]
    network.load_state_dict({k: v.clone() for k, v in third.state_dict().items()}, assign=True)
    np.testing.assert_array_equal(kernel.act(obs, deterministic=True)[0], wanted)


@pytest.mark.parametrize("backend", BACKENDS)
def test_categories_come_as_often_as_their_probability(backend: Any) -> None:
    network = make_mlp("multi-discrete, three layers", noise=0.5)
    rows = 20_000
    obs = np.repeat(observations(network, 1), rows, axis=0)
    kernel = make_acting_backend(network, np.random.default_rng(0), prefer=backend)
    actions, _ = kernel.act(obs)
    logits = network.policy(torch.from_numpy(obs[:1]))[0][0].detach()
    for index, part in enumerate(torch.split(logits, list(network.head.nvec))):
        frequencies = np.bincount(actions[:, index], minlength=len(part)) / rows
        np.testing.assert_allclose(frequencies, torch.softmax(part, -1).numpy(), atol=0.02)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["box", "gSDE"])
def test_gaussian_actions_have_the_distributions_moments(backend: Any, name: str) -> None:
    network = make_mlp(name)
    rows = 20_000
    obs = np.repeat(observations(network, 1), rows, axis=0)
    actions, logp = make_acting_backend(network, np.random.default_rng(0), prefer=backend).act(obs)
    out, latent = network.policy(torch.from_numpy(obs[:1]))
    assert network.log_std is not None
    std = network.head.std(network.log_std, latent).detach().numpy().reshape(-1)
    np.testing.assert_allclose(actions.mean(0), out[0].detach().numpy(), atol=0.05)
    np.testing.assert_allclose(actions.std(0), std, rtol=0.03)
    entropy = network.head.log_prob_entropy(out, out, network.log_std, latent)[1].item()
    assert -logp.mean() == pytest.approx(entropy, abs=0.05)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("frequency", "changes"), [(-1, []), (3, [3, 6])])
def test_gsde_keeps_its_matrices_for_as_many_steps_as_asked(backend: Any, frequency: int, changes: list[int]) -> None:
    network = make_mlp("gSDE")
    fragment = Fragment.empty(8, 2, network.encoder, network.head)
    fragment.obs[...] = observations(network, 2)  # the same observations at every step
    kernel = make_acting_backend(network, np.random.default_rng(0), prefer=backend, sde_sample_freq=frequency)
    kernel.begin(fragment)
    for step in range(8):
        kernel.act_at(step)
    moved = [t for t in range(1, 8) if not np.array_equal(fragment.actions[t], fragment.actions[t - 1])]
    assert moved == changes
    assert not np.array_equal(fragment.actions[0, 0], fragment.actions[0, 1])


def test_images_go_through_torch() -> None:
    network = make_network(spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(6), {})
    kernel = make_acting_backend(network, np.random.default_rng(0))
    assert (kernel.name, "CNN" in kernel.reason) == ("torch", True)
    obs = np.random.default_rng(0).integers(0, 256, (3, 4, 84, 84), dtype=np.uint8)
    actions, logp = kernel.act(obs)
    assert actions.shape == logp.shape == (3,)
    assert kernel.values(obs).shape == (3,)


def test_threads_with_a_kernel_each_do_not_meet() -> None:
    if "c" not in BACKENDS:
        pytest.skip("no C kernel here")
    networks = [make_mlp(name) for name in ("discrete", "box", "discrete, relu, odd widths", "gSDE")]
    obs = [observations(network, 200) for network in networks]
    expected = [
        make_acting_backend(n, np.random.default_rng(0), prefer="c").values(o)
        for n, o in zip(networks, obs, strict=True)
    ]
    wrong: list[int] = []

    def work(index: int) -> None:
        kernel = make_acting_backend(copy.deepcopy(networks[index]), np.random.default_rng(0), prefer="c")
        for _ in range(300):
            if not np.array_equal(kernel.values(obs[index]), expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(networks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_step_outside_of_the_fragment_is_an_error() -> None:
    network = make_mlp("discrete")
    fragment = Fragment.empty(2, 3, network.encoder, network.head)
    fragment.obs[...] = 0
    for backend in BACKENDS:
        kernel = make_acting_backend(network, np.random.default_rng(0), prefer=backend)  # type: ignore[arg-type]
        kernel.begin(fragment)
        with pytest.raises(IndexError):
            kernel.act_at(2)
