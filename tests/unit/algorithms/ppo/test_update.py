"""Hand-written gradients and whole phases against torch, over hundreds of updates and for every kind of head."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.selection import select_backend
from rlplatform.algorithms.ppo.backends.update_phase import Phase, UpdateSettings
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch
from rlplatform.algorithms.ppo.update import PPOUpdate
from rlplatform.errors import CheckpointError, EngineError, InvalidRequest
from tests.unit.algorithms.ppo.cases import BACKENDS, BY_HAND, MLPS, make_batch, make_mlp, make_network


def phase(**kwargs: Any) -> Phase:
    """A phase whose every term takes part."""
    settings = UpdateSettings(ent_coef=0.01, vf_coef=0.7, **kwargs)
    return Phase(settings, learning_rate=1e-3, clip_range=0.2, clip_range_vf=0.4, ent_coef=0.01)


def autograd_reference(network: ActorCritic, batch: Batch, rows: NDArray[np.int64], now: Phase) -> NDArray[Any]:
    """The gradient by torch's own distributions and autograd in float64, written down independently."""
    model = copy.deepcopy(network).double()
    pick = lambda array: torch.from_numpy(array[rows]).double()  # noqa: E731
    obs = torch.from_numpy(batch.obs[rows])
    obs = obs if network.encoder.image else obs.double()
    out, latent, values = model.evaluate(obs)
    actions = torch.from_numpy(batch.actions[rows])
    log_std = model.log_std
    if network.head.nvec:
        parts = [torch.distributions.Categorical(logits=z) for z in torch.split(out, list(network.head.nvec), -1)]
        columns = actions.reshape(len(rows), -1)
        logp = torch.stack([p.log_prob(columns[:, i]) for i, p in enumerate(parts)]).sum(0)
        entropy = torch.stack([p.entropy() for p in parts]).sum(0)
    else:
        assert log_std is not None
        if network.architecture.use_sde:
            std = torch.sqrt(torch.mm(latent.detach() ** 2, torch.exp(log_std) ** 2) + 1e-6)
        else:
            std = torch.ones_like(out) * log_std.exp()
        normal = torch.distributions.Normal(out, std)
        logp, entropy = normal.log_prob(actions.double()).sum(1), normal.entropy().sum(1)
    advantages = pick(batch.advantages)
    if len(rows) > 1 and now.settings.normalize_advantage:
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    ratio = torch.exp(logp - pick(batch.logp))
    clipped = torch.clamp(ratio, 1 - now.clip_range, 1 + now.clip_range)
    loss = -torch.min(advantages * ratio, advantages * clipped).mean() - now.ent_coef * entropy.mean()
    if now.clip_range_vf is not None:
        old = pick(batch.values)
        values = old + torch.clamp(values - old, -now.clip_range_vf, now.clip_range_vf)
    loss = loss + now.settings.vf_coef * torch.nn.functional.mse_loss(pick(batch.returns), values)
    parameters = model.ordered_parameters()
    weights = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Linear)}
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    pieces = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        gradient = torch.zeros_like(parameter) if gradient is None else gradient
        pieces.append((gradient.t() if id(parameter) in weights else gradient).reshape(-1))
    return torch.cat(pieces).numpy()


@pytest.mark.parametrize("rows", [1, 63, 130])
@pytest.mark.parametrize("name", MLPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_gradient_is_autograds(backend: Any, name: str, rows: int) -> None:
    network = make_mlp(name)
    batch = make_batch(network, 256)
    indices = np.random.default_rng(1).permutation(256)[:rows]
    update = PPOUpdate(network, UpdateSettings(), prefer=backend)
    update._impl.bind(batch)
    before = network.flat_numpy.copy()
    update._impl.backward(indices, phase())
    expected = autograd_reference(network, batch, indices, phase())
    assert np.abs(update._impl.gradient[:-1] - expected).max() <= 3e-6 * max(1.0, np.abs(expected).max())
    np.testing.assert_array_equal(network.flat_numpy, before)


@pytest.mark.parametrize("name", MLPS)
def test_hundreds_of_updates_stay_with_torch(name: str) -> None:
    networks = {which: make_mlp(name) for which in BACKENDS}
    batch = make_batch(networks["torch"], 330)
    settings = UpdateSettings(n_epochs=25, batch_size=64, ent_coef=0.01, max_grad_norm=0.5)
    statistics = {}
    for which, network in networks.items():
        update = PPOUpdate(network, settings, seed=7, prefer=which)  # type: ignore[arg-type]
        for rate in (1e-3, 5e-4):
            statistics[which] = update.run(batch, learning_rate=rate, clip_range=0.2, clip_range_vf=0.3)
        assert update.adam.steps == 2 * 25 * 6  # 330 rows: five minibatches of 64 and one of 10
        assert update.n_updates == 50
    start, end = make_mlp(name).flat_numpy, networks["torch"].flat_numpy
    moved = np.abs(end - start).max()
    assert moved > 0.02
    for which in BY_HAND:
        # rounding decides on which side of the clip range a row falls, so that two runs part slowly
        assert np.abs(end - networks[which].flat_numpy).max() < 0.02 * moved
        assert set(statistics["torch"]) == set(statistics[which])
        for key, value in statistics["torch"].items():
            assert statistics[which][key] == pytest.approx(value, abs=1e-3, rel=1e-2), key


@pytest.mark.parametrize("name", MLPS)
def test_each_of_hundreds_of_steps_is_torchs(name: str) -> None:
    """From the same parameters and moments at every step, so that nothing adds up."""
    networks = {which: make_mlp(name) for which in BACKENDS}
    batch = make_batch(networks["torch"], 256)
    now = phase(max_grad_norm=0.5)
    updates = {which: PPOUpdate(network, now.settings, prefer=which) for which, network in networks.items()}  # type: ignore[arg-type]
    for update in updates.values():
        update._impl.bind(batch)
    theirs = updates["torch"]
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = rng.permutation(256)[:48]
        for update in updates.values():
            update._impl.backward(rows, now)
        gradient = theirs._impl.gradient.copy()
        for update in updates.values():
            assert np.abs(gradient - update._impl.gradient).max() < 1e-5 * np.abs(gradient).max()
            update._impl.step(now)
        for which in BY_HAND:
            ours = updates[which]
            assert np.abs(networks["torch"].flat_numpy - networks[which].flat_numpy).max() < 1e-5
            networks[which].flat_numpy[...] = networks["torch"].flat_numpy
            ours.adam.m[...], ours.adam.v[...] = theirs.adam.m, theirs.adam.v


@pytest.mark.parametrize("backend", BACKENDS)
def test_torchs_own_adam_and_clip_make_the_same_steps(backend: Any) -> None:
    network, plain = make_mlp("discrete"), make_mlp("discrete")
    batch = make_batch(network, 128)
    settings = UpdateSettings(n_epochs=1, batch_size=128, max_grad_norm=0.3)
    update = PPOUpdate(network, settings, prefer=backend)
    optimizer = torch.optim.Adam(plain.parameters(), lr=2e-3, eps=1e-5)
    now = Phase(settings, 2e-3, 0.2, None, 0.0)
    for _ in range(50):
        update.run(batch, learning_rate=2e-3, clip_range=0.2)
        flat = torch.from_numpy(autograd_reference(plain, batch, np.arange(128), now)).float()
        for parameter, gradient in zip(plain.ordered_parameters(), plain.gradient_views(flat), strict=True):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.3)
        optimizer.step()
    assert np.abs(network.flat_numpy - plain.flat_numpy).max() < 1e-4


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("given", [{"normalize_advantage": False}, {"max_grad_norm": 1e9}, {"vf_coef": 0.0}])
def test_settings_are_obeyed(backend: Any, given: dict[str, Any]) -> None:
    network = make_mlp("box")
    batch = make_batch(network, 64)
    now = Phase(UpdateSettings(**given), 1e-3, 0.1, None, 0.05)
    update = PPOUpdate(network, now.settings, prefer=backend)
    update._impl.bind(batch)
    update._impl.backward(np.arange(64), now)
    expected = autograd_reference(network, batch, np.arange(64), now)
    np.testing.assert_allclose(update._impl.gradient[:-1], expected, atol=2e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_epochs_are_the_same_together_and_one_by_one(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KL limit that is never met, or bundles of other sizes, change nothing: not a bit of it."""
    ends, statistics = [], []
    for rows, limit in ((2**16, None), (700, None), (1, None), (2**16, 1e9)):
        monkeypatch.setattr("rlplatform.algorithms.ppo.update.BUNDLE_ROWS", rows)
        network = make_mlp("discrete")
        batch = make_batch(network, 150)
        update = PPOUpdate(network, UpdateSettings(n_epochs=7, batch_size=64, target_kl=limit), seed=5, prefer=backend)
        for _ in range(2):
            told = update.run(batch, learning_rate=1e-3, clip_range=0.2)
        assert told.pop("n_updates") == update.n_updates == 14
        ends.append(network.flat_numpy.copy())
        statistics.append(told)
    for end, told in zip(ends, statistics, strict=True):
        np.testing.assert_array_equal(end, ends[0])
        assert told == pytest.approx(statistics[0], rel=1e-9)


def test_every_epoch_takes_all_rows_once_in_an_order_of_its_own() -> None:
    """The first one, too: rows are never trained on in the order of time."""
    network = make_mlp("discrete")
    batch = make_batch(network, 150)
    update = PPOUpdate(network, UpdateSettings(n_epochs=3, batch_size=64), prefer="numpy")
    taken: list[NDArray[np.int64]] = []
    backward = update._impl.backward
    update._impl.backward = lambda rows, now: (taken.append(rows), backward(rows, now))[1]
    update.run(batch, learning_rate=1e-3, clip_range=0.2)
    assert [len(rows) for rows in taken] == [64, 64, 22] * 3
    epochs = [np.concatenate(taken[start : start + 3]) for start in (0, 3, 6)]
    orders = [np.arange(150), *epochs]
    assert all(np.array_equal(np.sort(epoch), np.arange(150)) for epoch in epochs)
    assert len({order.tobytes() for order in orders}) == 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_target_kl_stops_before_the_step_that_it_forbids(backend: Any) -> None:
    network = make_mlp("discrete")
    batch = make_batch(network, 256)
    settings = UpdateSettings(n_epochs=50, batch_size=64, target_kl=0.05)
    update = PPOUpdate(network, settings, prefer=backend)
    statistics = update.run(batch, learning_rate=5e-3, clip_range=0.2)
    assert 1 <= statistics["n_updates"] < 50
    assert update.adam.steps < 4 * statistics["n_updates"]
    steps, at = update.adam.steps, network.flat_numpy.copy()
    again = PPOUpdate(network, UpdateSettings(n_epochs=1, batch_size=64, target_kl=1e-9), prefer=backend)
    again.run(batch, learning_rate=5e-3, clip_range=0.2)
    assert again.adam.steps == 0
    np.testing.assert_array_equal(network.flat_numpy, at)
    assert steps == update.adam.steps


@pytest.mark.parametrize("backend", BACKENDS)
def test_restore_goes_on_exactly_where_it_was_saved(backend: Any) -> None:
    network = make_mlp("box")
    batch = make_batch(network, 200)
    settings = UpdateSettings(n_epochs=3, batch_size=64)
    update = PPOUpdate(network, settings, seed=3, prefer=backend)
    update.run(batch, learning_rate=1e-3, clip_range=0.2)
    saved = pickle.loads(pickle.dumps(update.get_state()))
    parameters = {name: value.clone() for name, value in network.state_dict().items()}
    expected = update.run(batch, learning_rate=1e-3, clip_range=0.2)
    end = network.flat_numpy.copy()

    # in the same object, after it has gone on: moments and step must be re-bound, not copies of them
    network.load_state_dict(parameters)
    update.set_state(saved)
    assert update.run(batch, learning_rate=1e-3, clip_range=0.2) == expected
    np.testing.assert_array_equal(network.flat_numpy, end)

    # in a fresh one
    other = make_mlp("box", seed=9)
    other.load_state_dict(parameters)
    fresh = PPOUpdate(other, settings, seed=99, prefer=backend)
    fresh.set_state(saved)
    assert fresh.run(batch, learning_rate=1e-3, clip_range=0.2) == expected
    np.testing.assert_array_equal(other.flat_numpy, end)


def test_a_checkpoint_goes_on_in_another_backend() -> None:
    batch = make_batch(make_mlp("discrete"), 128)
    settings = UpdateSettings(n_epochs=2, batch_size=32)
    ends = []
    for first, second in [("torch", "torch"), *[(a, b) for a in BACKENDS for b in BACKENDS if a != b]]:
        network = make_mlp("discrete")
        update = PPOUpdate(network, settings, prefer=first)  # type: ignore[arg-type]
        update.run(batch, learning_rate=1e-3, clip_range=0.2)
        resumed = PPOUpdate(network, settings, prefer=second)  # type: ignore[arg-type]
        resumed.set_state(update.get_state())
        resumed.run(batch, learning_rate=1e-3, clip_range=0.2)
        ends.append(network.flat_numpy.copy())
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], atol=2e-6)


def test_moments_of_another_network_are_refused() -> None:
    state = PPOUpdate(make_mlp("discrete"), UpdateSettings()).get_state()
    with pytest.raises(CheckpointError, match="parameters"):
        PPOUpdate(make_mlp("box"), UpdateSettings()).set_state(state)


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_learners_step_like_one(backend: Any) -> None:
    """Each has half of every minibatch; without advantage normalisation the averaged gradient is the whole one's."""
    settings = UpdateSettings(n_epochs=1, batch_size=10**6, normalize_advantage=False)
    network = make_mlp("discrete")
    batch = make_batch(network, 128)
    names = ("obs", "actions", "logp", "advantages", "returns", "values")
    halves = [Batch(*(getattr(batch, name)[part] for name in names)) for part in (slice(0, 64), slice(64, 128))]

    shares: list[NDArray[Any]] = []
    for half in halves:
        probe = PPOUpdate(copy.deepcopy(network), settings, prefer=backend)
        probe.run(
            half,
            learning_rate=0.0,
            clip_range=0.2,
            reduce=lambda vector: shares.append(vector.copy()),
            minibatches_per_epoch=1,
        )
    mean = (shares[0] + shares[1]) / 2
    assert mean.shape == (network.flat.numel() + 1,)

    def average(vector: NDArray[np.float32]) -> None:
        vector[...] = mean

    ends = []
    for half in halves:
        learner = copy.deepcopy(network)
        statistics = PPOUpdate(learner, settings, prefer=backend).run(
            half, learning_rate=1e-3, clip_range=0.2, reduce=average, minibatches_per_epoch=1
        )
        assert statistics["approx_kl"] == pytest.approx(float(mean[-1]))
        ends.append(learner.flat_numpy.copy())
    whole = copy.deepcopy(network)
    PPOUpdate(whole, settings, prefer=backend).run(batch, learning_rate=1e-3, clip_range=0.2)
    np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_allclose(ends[0], whole.flat_numpy, atol=1e-6)


def test_several_learners_must_say_how_many_minibatches() -> None:
    network = make_mlp("discrete")
    with pytest.raises(InvalidRequest, match="minibatches_per_epoch"):
        PPOUpdate(network, UpdateSettings()).run(
            make_batch(network, 64), learning_rate=1e-3, clip_range=0.2, reduce=lambda vector: None
        )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("column", "culprit"), [("obs", "observations"), ("returns", "rewards")])
def test_what_the_environment_gave_is_named_where_that_is_not_finite(backend: Any, column: str, culprit: str) -> None:
    network = make_mlp("discrete")
    batch = make_batch(network, 20)
    getattr(batch, column)[7] = np.nan
    update = PPOUpdate(network, UpdateSettings(n_epochs=1), prefer=backend)
    with pytest.raises(EngineError, match=f"the environment's {culprit} are not all finite"):
        update.run(batch, learning_rate=1e-3, clip_range=0.2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_last_step_into_infinity_is_an_error_at_once(backend: Any) -> None:
    """The loss is looked at before the step: it is finite, but nothing must be saved of what comes of it."""
    network = make_mlp("discrete")
    update = PPOUpdate(network, UpdateSettings(n_epochs=1, batch_size=20), prefer=backend)
    with pytest.raises(EngineError, match="diverged"), np.errstate(over="ignore", invalid="ignore"):
        update.run(make_batch(network, 20), learning_rate=1e39, clip_range=0.2)


def test_the_cnn_learns_by_torch_and_its_gradient_is_autograds() -> None:
    network = make_network(spaces.Box(0, 255, (44, 36, 3), np.uint8), spaces.Discrete(4), {})
    assert network.architecture.shared_critic
    assert select_backend(network)[0] == "torch"
    batch = make_batch(network, 24)
    update = PPOUpdate(network, UpdateSettings(n_epochs=2, batch_size=8))
    update._impl.bind(batch)
    update._impl.backward(np.arange(8), phase())
    expected = autograd_reference(network, batch, np.arange(8), phase())
    assert np.abs(update._impl.gradient[:-1] - expected).max() < 1e-5 * np.abs(expected).max()
    first = update.run(batch, learning_rate=1e-4, clip_range=0.2)
    for _ in range(5):
        last = update.run(batch, learning_rate=1e-4, clip_range=0.2)
    assert last["value_loss"] < first["value_loss"]


def test_backends_are_chosen_with_a_reason() -> None:
    assert select_backend(make_mlp("discrete"))[0] == BACKENDS[-1]
    wide = make_network(spaces.Box(-1, 1, (4,)), spaces.Discrete(2), {"policy_kwargs": {"net_arch": [1024]}})
    name, reason = select_backend(wide)
    assert name == "torch"
    assert "1024" in reason or "wider" in reason
    with pytest.raises(InvalidRequest, match="CNN"):
        select_backend(make_network(spaces.Box(0, 255, (36, 36, 3), np.uint8), spaces.Discrete(2), {}), "numpy")


def test_rows_from_elsewhere_cannot_reach_outside_of_memory() -> None:
    if "c" not in BACKENDS:
        pytest.skip("no C kernel here")
    network = make_mlp("discrete")
    batch = make_batch(network, 16)
    update = PPOUpdate(network, UpdateSettings(batch_size=16), prefer="c")
    batch.actions[3] = 77
    with pytest.raises(ValueError, match="outside"):
        update.run(batch, learning_rate=1e-3, clip_range=0.2)
    batch.actions[3] = 1
    update._impl.bind(batch)
    with pytest.raises(ValueError, match="row numbers"):
        update._impl.backward(np.array([16]), phase())
