"""GAE against a slow reference that walks every episode on its own, under both autoreset modes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.rollout.advantages import fragment_advantages, gae, pack
from rlplatform.algorithms.ppo.rollout.fragment import Autoreset, Fragment
from rlplatform.errors import InvalidRequest


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


def value_of(obs: NDArray[Any]) -> NDArray[np.float32]:
    """A value function that tells observations apart."""
    return (3 * np.sin(obs[:, 0]) + obs[:, 0] * 0.01).astype(np.float32)


class World:
    """Episodes of random length; remembers for each its observations, rewards and how it ended."""

    def __init__(self, rng: np.random.Generator, p_end: float) -> None:
        self.rng = rng
        self.p_end = p_end
        self.clock = 0.0

    def observe(self) -> float:
        self.clock += 1.0
        return self.clock


def rollout(seed: int, steps: int, envs: int, p_end: float, mode: Autoreset) -> tuple[Fragment, list[list[Any]]]:
    """A fragment, and for each environment its episodes as lists of (row, obs, reward, next obs, terminated, ended)."""
    rng = np.random.default_rng(seed)
    world = World(rng, p_end)
    fields: dict[str, Any] = dict(  # noqa: C408
        obs=np.zeros((steps + 1, envs, 1), np.float32),
        actions=np.zeros((steps, envs), np.int64),
        logp=np.zeros((steps, envs), np.float32),
        rewards=np.zeros((steps, envs), np.float32),
        terminated=np.zeros((steps, envs), np.bool_),
        truncated=np.zeros((steps, envs), np.bool_),
        valid=np.ones((steps, envs), np.bool_),
        autoreset=mode,
        seq=0,
        episode_returns=np.empty(0),
        episode_lengths=np.empty(0, np.int64),
        final_obs=None,
        final_index=None,
    )
    f = Fragment(**fields)
    episodes: list[list[Any]] = []
    finals: list[list[float]] = []
    index: list[tuple[int, int]] = []
    for env in range(envs):
        obs, resetting = world.observe(), bool(rng.random() < 0.2) and mode == "next_step"
        current: list[Any] = []
        for t in range(steps):
            f.obs[t, env] = obs
            if resetting:
                f.valid[t, env] = False
                f.rewards[t, env] = rng.normal()  # whatever stands here must not matter
                obs, resetting = world.observe(), False
                continue
            reward = float(np.float32(rng.normal()))
            terminated, truncated = bool(rng.random() < p_end), bool(rng.random() < p_end)
            after = world.observe()
            f.rewards[t, env], f.terminated[t, env], f.truncated[t, env] = reward, terminated, truncated
            current.append((t, obs, reward, after, terminated))
            if terminated or truncated:
                episodes.append([env, current])
                current = []
                if mode == "next_step":
                    obs, resetting = after, True
                else:
                    finals.append([after])
                    index.append((t, env))
                    obs = world.observe()
            else:
                obs = after
        f.obs[steps, env] = obs
        if current:
            episodes.append([env, current])
    if mode == "same_step" and finals:
        f.set_finals(finals, index)
    return f, episodes


def reference(episodes: list[list[Any]], gamma: float, gae_lambda: float) -> dict[tuple[int, int], float]:
    """Advantage of each valid row (t, env): the sum of decayed temporal differences to the end of its episode."""

    def value(obs: float) -> float:
        return float(value_of(np.array([[obs]], np.float32))[0])

    found = {}
    for env, rows in episodes:
        deltas = [reward + gamma * value(after) * (not over) - value(obs) for _, obs, reward, after, over in rows]
        for k, row in enumerate(rows):
            found[row[0], env] = sum((gamma * gae_lambda) ** (j - k) * deltas[j] for j in range(k, len(rows)))
    return found


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
@given(
    seed=st.integers(0, 10**6),
    steps=st.integers(1, 40),
    envs=st.integers(1, 5),
    p_end=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    gamma=st.sampled_from([0.0, 0.9, 0.99, 1.0]),
    gae_lambda=st.sampled_from([0.0, 0.8, 0.95, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_advantages_are_those_of_each_episode_on_its_own(
    mode: Autoreset, seed: int, steps: int, envs: int, p_end: float, gamma: float, gae_lambda: float
) -> None:
    fragment, episodes = rollout(seed, steps, envs, p_end, mode)
    advantages, values = fragment_advantages(fragment, value_of, gamma, gae_lambda)
    expected = reference(episodes, gamma, gae_lambda)
    assert set(expected) == {(int(t), int(b)) for t, b in np.argwhere(fragment.valid)}
    for (t, b), advantage in expected.items():
        assert advantages[t, b] == pytest.approx(advantage, abs=2e-4, rel=1e-4)
    assert advantages.dtype == np.float32
    np.testing.assert_array_equal(values, value_of(fragment.obs[:-1].reshape(-1, 1)).reshape(steps, envs))


def test_both_modes_agree_on_the_same_episodes() -> None:
    # env steps 1..3, truncated after 2: NEXT_STEP spends a reset row on what SAME_STEP has at once
    one = np.float32(1)
    values = {name: np.float32(v) for name, v in {"o1": 1.0, "o2": 2.0, "final": 5.0, "r1": 3.0, "r2": 4.0}.items()}
    rewards = np.array([[1], [2], [0], [3]], np.float32)
    truncated = np.array([[False], [True], [False], [False]])
    no = np.zeros_like(truncated)
    v = np.array([[values["o1"]], [values["o2"]], [values["final"]], [values["r1"]]])
    after = np.array([[values["o2"]], [values["final"]], [values["r1"]], [values["r2"]]])
    next_step = gae(rewards, v, after, no, truncated, 0.9, 0.8)
    keep = [0, 1, 3]
    same_step = gae(rewards[keep], v[keep], after[keep], no[keep], truncated[keep], 0.9, 0.8)
    np.testing.assert_allclose(next_step[keep], same_step, rtol=1e-6)
    assert next_step[1, 0] == pytest.approx(float(2 * one + 0.9 * 5 - 2), rel=1e-6)


def test_pack_keeps_valid_rows_of_all_fragments_and_nothing_else() -> None:
    fragments = [rollout(seed, 12, 3, 0.3, "next_step")[0] for seed in (1, 2)]
    batch = pack(fragments, value_of, 0.9, 0.8)
    assert len(batch) == sum(fragment.env_steps() for fragment in fragments) < 2 * 12 * 3
    expected = np.concatenate([fragment.obs[:-1][fragment.valid] for fragment in fragments])
    np.testing.assert_array_equal(batch.obs, expected)
    np.testing.assert_allclose(batch.returns, batch.advantages + batch.values, rtol=1e-6)
    np.testing.assert_array_equal(batch.values, value_of(expected))


def test_invalid_rows_may_hold_anything_even_nan() -> None:
    fragment, _ = rollout(5, 30, 4, 0.3, "next_step")
    clean = pack([fragment], value_of, 0.9, 0.8)
    fragment.rewards[~fragment.valid] = np.nan
    dirty = pack([fragment], value_of, 0.9, 0.8)
    np.testing.assert_array_equal(clean.advantages, dirty.advantages)


def test_same_step_without_a_final_observation_is_refused() -> None:
    fragment, _ = rollout(3, 20, 2, 0.3, "same_step")
    fragment.final_obs = fragment.final_index = None
    with pytest.raises(InvalidRequest, match="final observation") as caught:
        pack([fragment], value_of, 0.9, 0.8)
    assert caught.value.extra["field"] == "fragment.final_obs"


def test_a_batch_without_rows_is_refused() -> None:
    from rlplatform.algorithms.ppo.rollout.batch import minibatch_bounds

    with pytest.raises(InvalidRequest):
        minibatch_bounds(0, 64)


@given(rows=st.integers(1, 500), size=st.integers(2, 600), data=st.data())
def test_minibatches_cut_every_row_once(rows: int, size: int, data: st.DataObject) -> None:
    from rlplatform.algorithms.ppo.rollout.batch import minibatch_bounds

    bounds = minibatch_bounds(rows, size)
    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (0, rows)
    assert (sizes > 0).all()
    assert (sizes[:-1] == size).all()
    count = data.draw(st.integers(1, rows))
    forced = np.diff(minibatch_bounds(rows, size, count))
    assert (len(forced), forced.sum()) == (count, rows)
    assert forced.max() - forced.min() <= 1


def test_arrays_that_do_not_fit_are_refused() -> None:
    one, flag = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.bool_)
    with pytest.raises(ValueError, match=r"expected|broadcast"):
        gae(one, np.zeros((3, 3), np.float32), one, flag, flag, 0.9, 0.9)
