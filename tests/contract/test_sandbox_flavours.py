"""Flavour *python-rl*: NumPy and Gymnasium are there, preloaded, in both tiers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlplatform.sandbox.models import Execution, Flavour, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

EPISODE = b"""
import sys
preloaded = "numpy" in sys.modules and "gymnasium" in sys.modules
import gymnasium as gym
import numpy as np
env = gym.make("CartPole-v1")
observation, _ = env.reset(seed=1)
total = 0.0
for _ in range(200):
    observation, reward, terminated, truncated, _ = env.step(int(observation[2] + observation[3] > 0))
    total += reward
    if terminated or truncated:
        break
print(preloaded, total, np.linalg.inv(np.eye(3)).sum())
"""


@pytest.fixture(scope="module")
def pool(make_pool) -> Iterator[DockerPool]:
    pool = make_pool("tests-python-rl", image=Flavour.PYTHON_RL.image, warm=0)
    yield pool
    pool.close()


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
def test_an_episode_runs_with_preloaded_libraries(pool: DockerPool, tier: Tier) -> None:
    sandbox = pool.open(Program({"main.py": EPISODE}), Limits(), tier)
    outcome = sandbox.run(Execution(Limits()))
    sandbox.close()
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), outcome.stderr
    assert outcome.stdout == b"True 200.0 3.0\n"
    assert outcome.usage.cpu_time_s < 0.5
    assert outcome.usage.peak_memory_bytes < 64 << 20, "the libraries themselves do not count"


def test_numpys_random_numbers_differ_between_executions(pool: DockerPool) -> None:
    sandbox = pool.open(Program({"main.py": b"import numpy; print(numpy.random.rand())"}), Limits(), Tier.SINGLE_USE)
    drawn = {sandbox.run(Execution(Limits())).stdout for _ in range(3)}
    sandbox.close()
    assert len(drawn) == 3
