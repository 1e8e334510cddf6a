"""Tests of a reward: a Q-learner is trained on it, and judged on the environment's own rewards."""

import functools
import math
import random

import gymnasium
import pytest
from gymnasium.envs.toy_text.frozen_lake import generate_random_map
from main import reward

CELLS, ACTIONS, GOAL = 64, 4, 63
EPISODES, STEPS = 400, 100
LEARNING_RATE, GAMMA, EXPLORE = 0.5, 0.97, 0.2


@functools.cache
def lake(seed):
    """Return the transitions [cell][action] of a lake: the next cell, the environment's reward, and whether it ends."""
    chosen = {"map_name": "8x8"} if seed is None else {"desc": generate_random_map(8, 0.85, seed)}
    table = gymnasium.make("FrozenLake-v1", is_slippery=False, **chosen).unwrapped.P
    return [[table[cell][action][0][1:] for action in range(ACTIONS)] for cell in range(CELLS)]


@functools.cache
def shaped(seed):
    """Return the submission's rewards [cell][action] of a lake, each asked for once. Some cells end an episode."""
    return [
        [
            0.0 if over(row) else float(reward(cell, action, int(after), float(own), bool(ended), False))
            for action, (after, own, ended) in enumerate(row)
        ]
        for cell, row in enumerate(lake(seed))
    ]


def over(row):
    """Return True for the transitions of a hole, and of the goal: all of them end there."""
    return all(ended for _, _, ended in row)


def train(transitions, rewards, seed):
    """Return the action values that Q-learning finds in :data:`EPISODES` episodes."""
    rng = random.Random(seed)
    values = [[0.0] * ACTIONS for _ in range(CELLS)]
    for _ in range(EPISODES):
        cell = 0
        for _ in range(STEPS):
            action = rng.randrange(ACTIONS) if rng.random() < EXPLORE else best(values[cell], rng)
            after, _, ended = transitions[cell][action]
            future = 0.0 if ended else GAMMA * max(values[after])
            error = rewards[cell][action] + future - values[cell][action]
            values[cell][action] += LEARNING_RATE * error
            cell = after
            if ended:
                break
    return values


def best(row, rng):
    most = max(row)
    return rng.choice([action for action, value in enumerate(row) if value == most])


def play(transitions, values):
    """Return the environment's own return of the greedy policy, and its steps."""
    cell, total = 0, 0.0
    for step in range(1, STEPS + 1):
        cell, own, ended = transitions[cell][values[cell].index(max(values[cell]))]
        total += own
        if ended:
            return total, step
    return total, STEPS


def own_return(lake_seed, seed):
    transitions = lake(lake_seed)
    return play(transitions, train(transitions, shaped(lake_seed), seed))[0]


@pytest.mark.points(1)
def test_rewards_are_finite_numbers():
    assert all(math.isfinite(value) for row in shaped(None) for value in row)


@pytest.mark.points(3)
def test_it_teaches_the_way_to_the_goal():
    assert own_return(None, seed=0) == 1.0, "trained on this reward, the learner does not reach the goal"


@pytest.mark.hidden
@pytest.mark.points(2)
@pytest.mark.parametrize("lake_seed", [11, 12])
def test_it_teaches_the_way_across_other_lakes(lake_seed):
    reached = sum(own_return(lake_seed, seed) for seed in range(5))
    assert reached >= 4, f"the learner reaches the goal in {reached:g} of 5 trainings"


@pytest.mark.hidden
@pytest.mark.points(2)
def test_the_way_is_not_a_detour():
    transitions = lake(None)
    played = [play(transitions, train(transitions, shaped(None), seed)) for seed in range(3)]
    assert (1.0, 14) in played, f"own returns and steps: {played}; the shortest way has 14 steps"
