"""Rewards of a user's function, computed by the real driver in a process of this machine in place of a container."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.rewarded_env import RewardedVectorEnv
from rlplatform.environments.vector_env import Array, Step, VectorEnv
from rlplatform.errors import EngineError
from rlplatform.testing.sessions import LocalSessions
from rlplatform.training.reward import RewardFunction
from tests.unit.environments.sandboxed.environments import GRID
from tests.unit.environments.sandboxed.test_vector_env import code_of

Make = Callable[..., RewardedVectorEnv]
ANGLE = (
    "def reward(obs, action, after, own, terminated, truncated):\n    return own - abs(float(after[2])) + 10 * action"
)


@pytest.fixture
def sessions() -> Iterator[LocalSessions]:
    sessions = LocalSessions()
    yield sessions
    sessions.close()


@pytest.fixture
def make(sessions: LocalSessions) -> Iterator[Make]:
    made: list[VectorEnv] = []

    def make(source: str, env: VectorEnv, faults: FaultLog | None = None, **options: Any) -> RewardedVectorEnv:
        code = RewardFunction(source=source).code()
        made.append(RewardedVectorEnv(env, sessions.open, code, faults or FaultLog(1000), **options))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.mark.parametrize("backend", ["envpool", "gymnasium"])
def test_rewards_are_the_functions_and_scores_the_environments(make: Make, backend: Any) -> None:
    env = make_vector_env("CartPole-v1", {}, [0, 1], options=EnvOptions(backend))
    envs = make(ANGLE, env)
    envs.reset()
    done = np.zeros(2, bool)
    ended = 0
    for number in range(80):
        actions = np.array([number % 2, 1])
        step = envs.step(actions)
        assert step.scores is not None
        for place in range(2):
            if done[place]:  # this step was a reset
                assert step.rewards[place] == 0
            else:
                expected = step.scores[place] - abs(step.obs[place][2]) + 10 * actions[place]
                assert step.rewards[place] == pytest.approx(expected, abs=1e-6)
        done = step.terminated | step.truncated
        ended += int(done.sum())
    assert ended > 2
    assert envs.describe()["reward"]["entry"] == "reward:reward"


class Counter(VectorEnv):
    """Counts to 3, and resets in the same step."""

    backend, autoreset = "envpool", "same_step"
    single_observation_space = gym.spaces.Box(0, 9, (1,), np.float32)
    single_action_space = gym.spaces.Discrete(2)

    def reset(self) -> Array:
        self._count = np.zeros((self.num_envs, 1), np.float32)
        return self._count.copy()

    def step(self, actions: Array) -> Step:
        self._count += 1
        ended = self._count[:, 0] == 3
        finals = self._count[ended].copy(), np.flatnonzero(ended)
        self._count[ended] = 0
        return Step(self._count.copy(), np.ones(self.num_envs), ended, ~ended & False, finals)


def test_the_last_observation_of_an_episode_is_shown_where_copies_reset_at_once(make: Make) -> None:
    envs = make("def reward(obs, action, after, own, over, cut): return 10 * obs[0] + after[0]", Counter(2))
    envs.reset()
    assert [list(envs.step(np.zeros(2, int)).rewards) for _ in range(4)] == [[1, 1], [12, 12], [23, 23], [1, 1]]


def test_observations_of_several_parts_arrive_as_a_mapping(make: Make, sessions: LocalSessions) -> None:
    registry.install([code_of(GRID, "Grid")], sessions, budget=10)
    inner = registry.make(registry.find("env_test", field="env"), {}, [0], DEFAULT_OPTIONS)
    envs = make("def reward(obs, action, after, own, over, cut): return after['place'] - obs['place'] + own", inner)
    envs.reset()
    step = envs.step(np.array([1]))
    assert step.rewards[0] == 1 + step.scores[0]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("raise ValueError('no idea')", "exception", "reward.py, line 2"),
        ("return float('nan')", "invalid", "not finite"),
        ("return 'much'", "exception", "could not convert"),
        ("import os; os._exit(3)", "crash", "exit status 3"),
    ],
)
def test_a_failing_function_is_a_fault_and_a_reward_of_zero(make: Make, body: str, kind: str, said: str) -> None:
    faults = FaultLog(1000)
    source = f"def reward(obs, action, after, own, over, cut):\n    {body}\n"
    envs = make(source, make_vector_env("CartPole-v1", {}, [0, 1]), faults)
    envs.reset()
    step = envs.step(np.array([0, 1]))
    assert list(step.rewards) == [0, 0]
    assert list(step.scores) == [1, 1]
    assert not (step.terminated | step.truncated).any()
    (fault,) = faults.pop()
    assert (fault.source, fault.kind, fault.count) == ("reward", kind, 2)
    assert said in fault.message


def test_a_function_that_does_not_exist_ends_the_training_with_the_reason(make: Make) -> None:
    envs = make("def other(): pass", make_vector_env("CartPole-v1", {}, [0]))
    with pytest.raises(EngineError, match=r"(?s)reward cannot be started .*defines no reward"):
        envs.reset()


def test_a_restored_state_continues_the_same(make: Make) -> None:
    source = "def reward(obs, action, after, own, over, cut): return float(obs[0]) + float(after[0])"
    one, other = (make(source, make_vector_env("CartPole-v1", {}, [0, 1])) for _ in range(2))
    one.reset()
    other.reset()
    for _ in range(5):
        one.step(np.array([1, 0]))
    state = one.get_state()
    assert state is not None
    other.set_state(state)
    for _ in range(20):
        ours, theirs = one.step(np.array([1, 1])), other.step(np.array([1, 1]))
        np.testing.assert_array_equal(ours.rewards, theirs.rewards)


def test_only_trainings_use_the_function(sessions: LocalSessions) -> None:
    registry.install([RewardFunction(source=ANGLE).code()], sessions, budget=0)
    try:
        training = make_vector_env("CartPole-v1", {}, [0])
        evaluating = make_vector_env("CartPole-v1", {}, [0], training=False)
        assert isinstance(training, RewardedVectorEnv)
        assert not isinstance(evaluating, RewardedVectorEnv)
    finally:
        registry.close()
