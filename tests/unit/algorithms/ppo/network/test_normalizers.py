"""Normalisers against direct computation, and merged over runners."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.network.normalizers import (
    INITIAL_COUNT,
    Moments,
    ObservationNormalizer,
    RewardNormalizer,
)


@pytest.fixture(autouse=True, scope="module", params=["c", "numpy"])
def _both(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything in here holds with the C kernel and without."""
    if request.param == "c":
        if c_library.why_no_kernel():
            pytest.skip(c_library.why_no_kernel())
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c_library, "load_or_none", lambda: None)
        yield


def direct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of rows and VecNormalize's prior, by the definition."""
    weight = INITIAL_COUNT / (INITIAL_COUNT + len(rows))
    mean = rows.mean(0) * (1 - weight)
    square = weight * 1.0 + (1 - weight) * (rows**2).mean(0)
    return mean, square - mean**2


@given(
    seed=st.integers(0, 10**6), pieces=st.lists(st.integers(1, 20), min_size=1, max_size=8), shift=st.floats(-50, 50)
)
@settings(max_examples=50, deadline=None)
def test_running_moments_are_those_of_all_rows(seed: int, pieces: list[int], shift: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [rng.normal(shift, 3, (n, 4)) for n in pieces]
    normalizer = ObservationNormalizer((4,))
    for piece in rows:
        normalizer.update(piece)
    mean, var = direct(np.concatenate(rows))
    np.testing.assert_allclose(normalizer.moments.mean, mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(normalizer.moments.var, var, rtol=1e-6, atol=1e-6)
    assert normalizer.moments.count == pytest.approx(INITIAL_COUNT + sum(pieces))


def test_observations_are_shifted_scaled_and_clipped() -> None:
    normalizer = ObservationNormalizer((2,), clip=1.5)
    obs = np.random.default_rng(0).normal([5, -3], [2, 0.1], (1000, 2)).astype(np.float32)
    normalizer.update(obs)
    out = np.empty_like(obs)
    assert normalizer(obs, out=out, update=False) is out
    mean, var = direct(obs.astype(np.float64))
    expected = np.clip((obs - mean) / np.sqrt(var + 1e-8), -1.5, 1.5)
    np.testing.assert_allclose(out, expected, atol=1e-4)
    assert np.abs(out).max() == np.float32(1.5)


def test_only_the_rows_asked_for_enter_the_statistics() -> None:
    some, plain = ObservationNormalizer((1,)), ObservationNormalizer((1,))
    obs = np.array([[1.0], [100.0], [3.0]], np.float32)
    keep = np.array([True, False, True])
    some(obs, update=keep)
    plain.update(obs[keep])
    np.testing.assert_allclose(some.moments.mean, plain.moments.mean, rtol=1e-12)
    np.testing.assert_allclose(some.moments.var, plain.moments.var, rtol=1e-12)
    before = some.get_state()
    some(obs, update=False)
    some(obs, update=np.zeros(3, np.bool_))
    assert some.get_state()["count"] == before["count"]


def test_float64_observations_are_normalised_to_float32() -> None:
    normalizer = ObservationNormalizer((3,))
    assert normalizer(np.ones((2, 3), np.float64)).dtype == np.float32


def slow_rewards(rewards: np.ndarray, done: np.ndarray, gamma: float) -> np.ndarray:
    """VecNormalize's reward normalisation, written down a step and a list at a time."""
    returns = np.zeros(rewards.shape[1])
    seen: list[float] = []
    out = np.empty_like(rewards)
    for t in range(len(rewards)):
        returns = returns * gamma + rewards[t]
        seen.extend(returns)
        _, var = direct(np.array(seen)[:, None])
        out[t] = np.clip(rewards[t] / np.sqrt(var[0] + 1e-8), -10, 10)
        returns[done[t]] = 0
    return out


def test_rewards_are_divided_by_the_deviation_of_discounted_returns() -> None:
    rng = np.random.default_rng(0)
    rewards, done = rng.normal(1, 3, (60, 4)), rng.random((60, 4)) < 0.1
    normalizer = RewardNormalizer(4, 0.97)
    actual = np.stack([normalizer(rewards[t], done[t]) for t in range(60)])
    np.testing.assert_allclose(actual, slow_rewards(rewards, done, 0.97), rtol=1e-4)


def test_reset_rows_add_nothing_to_reward_statistics() -> None:
    with_resets, without = RewardNormalizer(2, 0.9), RewardNormalizer(2, 0.9)
    no = np.zeros(2, np.bool_)
    for normalizer in (with_resets, without):
        normalizer(np.array([1.0, 2.0]), np.array([True, False]))
    with_resets(np.array([0.0, 3.0]), no, valid=np.array([False, True]))
    without.returns[1] = without.returns[1] * 0.9 + 3.0
    without.moments.add(Moments.of(without.returns[1:]))
    for name, value in without.get_state().items():
        np.testing.assert_allclose(with_resets.get_state()[name], value, rtol=1e-12)
    np.testing.assert_array_equal(with_resets.returns, without.returns)


@given(seed=st.integers(0, 10**6), rounds=st.integers(1, 5), runners=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_runners_merged_are_one_runner_that_saw_everything(seed: int, rounds: int, runners: int) -> None:
    rng = np.random.default_rng(seed)
    driver, alone = ObservationNormalizer((3,)), ObservationNormalizer((3,))
    workers = [ObservationNormalizer((3,)) for _ in range(runners)]
    for _ in range(rounds):
        for worker in workers:
            rows = rng.normal(4, 2, (int(rng.integers(0, 30)), 3))
            worker.update(rows)
            alone.update(rows)
        driver.merge([pickle.loads(pickle.dumps(worker.pop_delta())) for worker in workers])
        for worker in workers:
            worker.set_state(driver.get_state())
    np.testing.assert_allclose(driver.moments.mean, alone.moments.mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(driver.moments.var, alone.moments.var, rtol=1e-5, atol=1e-6)
    assert driver.moments.count == pytest.approx(alone.moments.count)
    assert workers[0].pop_delta().count == 0


def test_state_goes_round_and_is_a_copy() -> None:
    normalizer = ObservationNormalizer((2,))
    normalizer(np.random.default_rng(0).normal(3, 2, (50, 2)))
    state = pickle.loads(pickle.dumps(normalizer.get_state()))
    other = ObservationNormalizer((2,))
    other(np.ones((1, 2)))
    other.set_state(state)
    obs = np.random.default_rng(1).normal(3, 2, (5, 2))
    np.testing.assert_array_equal(other(obs, update=False), normalizer(obs, update=False))
    other.update(obs)
    assert state["count"] == normalizer.moments.count < other.moments.count


def test_a_normalizer_survives_pickling_and_goes_on() -> None:
    normalizer = RewardNormalizer(3, 0.9)
    normalizer(np.array([1.0, 2.0, 3.0]), np.zeros(3, np.bool_))
    twin = pickle.loads(pickle.dumps(normalizer))
    rewards, done = np.array([2.0, 0.0, 1.0]), np.array([False, True, False])
    np.testing.assert_array_equal(twin(rewards, done), normalizer(rewards, done))
    np.testing.assert_array_equal(twin.returns, normalizer.returns)


def test_states_replaced_midway_are_used_at_once() -> None:
    obs = np.random.default_rng(0).normal(3, 2, (20, 2)).astype(np.float32)
    first, second = ObservationNormalizer((2,)), ObservationNormalizer((2,))
    first(obs)
    second.update(obs * 7)
    first.set_state(second.get_state())
    np.testing.assert_allclose(first(obs, update=False), second(obs, update=False), rtol=1e-6)
    first(obs)
    second(obs)
    np.testing.assert_allclose(first.moments.var, second.moments.var, rtol=1e-12)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3), np.float32), np.zeros((2,), np.float32)])
def test_observations_of_another_shape_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        ObservationNormalizer((2,))(wrong, out=np.empty((2, 2), np.float32))
