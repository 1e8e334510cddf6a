"""Tests of value iteration."""

import gymnasium
import pytest
from main import value_iteration

CHAIN = [
    [[(1.0, 0, 0.0, False)], [(1.0, 1, 0.0, False)]],
    [[(1.0, 0, 0.0, False)], [(1.0, 2, 1.0, True)]],
    [[(1.0, 2, 0.0, True)], [(1.0, 2, 0.0, True)]],
]


@pytest.mark.points(2)
def test_values_of_a_chain():
    values, _ = value_iteration(CHAIN, 0.9, 1e-9)
    assert values == pytest.approx([0.9, 1.0, 0.0])


@pytest.mark.points(2)
def test_policy_of_a_chain():
    _, policy = value_iteration(CHAIN, 0.9, 1e-9)
    assert policy == [1, 1, 0]


@pytest.mark.hidden
@pytest.mark.points(2)
def test_no_future_counts_without_a_discount_factor():
    values, policy = value_iteration(CHAIN, 0.0, 1e-9)
    assert values == pytest.approx([0.0, 1.0, 0.0])
    assert policy == [0, 1, 0]


@pytest.mark.hidden
@pytest.mark.points(4)
def test_frozen_lake():
    table = gymnasium.make("FrozenLake-v1", is_slippery=True).unwrapped.P
    transitions = [
        [[(float(p), int(s), float(r), bool(d)) for p, s, r, d in table[state][action]] for action in range(4)]
        for state in range(16)
    ]
    values, _ = value_iteration(transitions, 0.99, 1e-10)
    assert values[0] == pytest.approx(0.542, abs=1e-3)
    assert values[14] == pytest.approx(0.863, abs=1e-3)
