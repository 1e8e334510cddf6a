"""Steps a second of users' environments in sandboxes, against Gymnasium's SyncVectorEnv in this process.

``python -m tests.benchmarks.user_environments [--copies 64] [--seconds 3]``. Targets: 20,000 steps/s of a trivial
environment, and 0.8 of SyncVectorEnv's CartPole.
"""

from __future__ import annotations

import argparse
import inspect
import json
import time
from collections.abc import Callable

import numpy as np
from gymnasium.envs.classic_control import cartpole
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rlplatform.environments.sandboxed.docker_sessions import DockerSessions
from rlplatform.environments.sandboxed.faults import FaultLog
from rlplatform.environments.sandboxed.guest.spaces import describe
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.vector_env import SandboxedVectorEnv
from rlplatform.settings import Settings

TRIVIAL = """
import gymnasium as gym
import numpy as np

class Trivial(gym.Env):
    observation_space = gym.spaces.Box(-1, 1, (4,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._left = 100
        return np.zeros(4, np.float32), {}

    def step(self, action):
        self._left -= 1
        return np.zeros(4, np.float32), 1.0, not self._left, False, {}
"""


def rate(step: Callable[[], object], copies: int, seconds: float) -> float:
    """Steps a second of all copies together: the best of three measurements."""
    best = 0.0
    for _ in range(3):
        steps, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            step()
            steps += copies
        best = max(best, steps / spent)
    return best


def sandboxed(
    source: DockerSessions, name: str, text: str, make: type, copies: int, each: int, seconds: float
) -> float:
    env = make()
    spaces = {"observation": describe(env.observation_space), "action": describe(env.action_space)}
    code = UserCode(name, "environment", {"measured.py": text.encode()}, f"measured:{make.__name__}", spaces=spaces)
    envs = SandboxedVectorEnv(source.open, code, {}, range(copies), None, FaultLog(0), copies=each)
    try:
        envs.reset()
        actions = np.random.default_rng(0).integers(0, 2, (64, copies))
        number = iter(range(10**9))
        return rate(lambda: envs.step(actions[next(number) % 64]), copies, seconds)
    finally:
        envs.close()


def unsandboxed(make: type, copies: int, seconds: float) -> float:
    envs = SyncVectorEnv([make] * copies, copy=False, autoreset_mode=AutoresetMode.NEXT_STEP)
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, (64, copies))
    number = iter(range(10**9))
    return rate(lambda: envs.step(actions[next(number) % 64]), copies, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    names: dict[str, object] = {}
    exec(TRIVIAL, names)
    trivial = names["Trivial"]
    assert isinstance(trivial, type)
    source = DockerSessions(Settings().sandbox)
    try:
        for name, text, make in (
            ("trivial", TRIVIAL, trivial),
            ("CartPole", inspect.getsource(cartpole), cartpole.CartPoleEnv),
        ):
            row: dict[str, object] = {"environment": name, "copies": given.copies}
            row["sync_vector_env"] = round(unsandboxed(make, given.copies, given.seconds))
            for each in (16, 32, 64):
                row[f"sandboxed_{each}_a_process"] = round(
                    sandboxed(source, name, text, make, given.copies, each, given.seconds)
                )
            print(json.dumps(row), flush=True)
    finally:
        source.close()


if __name__ == "__main__":
    main()
