"""Environments of a user, for tests: a small one that works, and one that fails on request."""

GRID = '''
import gymnasium as gym
import numpy as np


class Grid(gym.Env):
    """Walks on a line to its end; observations of two parts."""

    def __init__(self, size=5):
        self.size = size
        self.observation_space = gym.spaces.Dict(
            {"place": gym.spaces.Discrete(size), "sight": gym.spaces.Box(0, 1, (2,), np.float32)}
        )
        self.action_space = gym.spaces.Discrete(2)

    def _see(self):
        return {"place": self.place, "sight": np.array([self.place / self.size, self.goal / self.size], np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        self.goal = int(self.np_random.integers(1, self.size))
        return self._see(), {}

    def step(self, action):
        self.place = min(self.size - 1, max(0, self.place + (1 if action else -1)))
        done = self.place == self.goal
        return self._see(), float(done), done, False, {}
'''

DRAWN = GRID.replace(
    "class Grid(gym.Env):",
    """class Grid(gym.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}
    mistake = None

    def render(self):
        if self.mistake == "raise":
            raise ValueError("no brush")
        picture = np.zeros((40, 10 * self.size, 3), np.float32 if self.mistake == "floats" else np.uint8)
        picture[:, 10 * self.place : 10 * self.place + 10] = 200
        return picture[..., 0] if self.mistake == "grey" else picture
""",
).replace("size=5):", "size=5, render_mode=None):\n        self.render_mode = render_mode")
"""The grid with a picture: a bright column where the agent stands."""

FAILING = '''
import ctypes
import os
import time

import gymnasium as gym
import numpy as np


class Failing(gym.Env):
    """Fails in step ``at`` of its first life, in the copy whose seed is 1."""

    observation_space = gym.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, how="none", at=3):
        self.how, self.at, self.steps, self.seed, self.resets = how, at, 0, None, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seed = seed if seed is not None else self.seed
        self.resets += 1
        if self.how == "reset" and self.seed == 1 and self.resets == 2:
            raise RuntimeError("no second episode")
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.steps += 1
        obs, reward = np.full(3, 0.5, np.float32), 1.0
        if self.seed == 1 and self.steps == self.at:
            if self.how == "raise":
                raise ValueError("it fails here")
            if self.how == "nan":
                obs[1] = np.nan
            if self.how == "infinite reward":
                reward = float("inf")
            if self.how == "shape":
                obs = np.zeros(4, np.float32)
            if self.how == "four values":
                return obs, reward, False, {}
            if self.how == "crash":
                ctypes.string_at(0)
            if self.how == "exit":
                os._exit(3)
            if self.how == "sys.exit":
                raise SystemExit(0)
            if self.how == "hang":
                time.sleep(60)
            if self.how == "forged answer":
                for descriptor in range(3, 20):
                    try:
                        os.write(descriptor, b"...")
                    except OSError:
                        pass
        return obs, reward, self.how == "reset" and self.steps == self.at, False, {}
'''
