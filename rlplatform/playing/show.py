"""A worker's job ``watch``: play the newest policy for as long as somebody asks for pictures.

Each line of stdin is a request, JSON with the folder of the ``checkpoint`` to play with. Its answer is a description
and a JPEG file, and comes at most ``FRAMES_PER_S`` times a second. Between two pictures the game advances by the time
that has passed, so that a slow viewer sees the same pace.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.faults import environment_errors
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.seeds import evaluation_seeds
from rlplatform.episodes.replay import FRAMES_PER_S as STEPS_PER_S
from rlplatform.playing.graphics import prepare_graphics
from rlplatform.playing.ports import FRAMES_PER_S
from rlplatform.playing.process import answer
from rlplatform.playing.video import jpeg

MAX_LEAP_S = 1.0
"""Longest time between two pictures that the game catches up with."""
MAX_NUMBERS = 32
"""Numbers of an observation or an action that a description has."""


class Show:
    """A game that never ends, one episode after the other."""

    def __init__(self, job: dict[str, Any]) -> None:
        seeds = evaluation_seeds(int.from_bytes(os.urandom(4)), 1)
        options = EnvOptions(**job["options"])
        self._envs = make_vector_env(
            job["env"], job["env_config"], seeds, options=options, training=False, rendered=True
        )
        self.steps_per_s = self._envs.frames_per_s or STEPS_PER_S
        self._obs = self._envs.reset()
        self._episode, self._length, self._return = 1, 0, 0.0
        self._over = False
        self._reward: float | None = None
        self._action: list[float] = []

    def step(self, policy: Any) -> None:
        """Take a step with ``policy``."""
        actions = policy.act(self._obs, deterministic=True)[0]
        begins = self._over and self._envs.autoreset == "next_step"  # this step only resets
        if self._over:
            self._episode, self._length, self._return = self._episode + 1, 0, 0.0
        step = self._envs.step(actions)
        self._obs = step.obs
        self._reward, self._action = (None, []) if begins else (float(step.rewards[0]), numbers(actions[0]))
        if not begins:
            self._length += 1
            self._return += float(step.rewards[0])
        self._over = bool((step.terminated | step.truncated)[0])

    def describe(self) -> dict[str, Any]:
        """Return what the game has come to, as JSON."""
        return {
            "episode": self._episode,
            "step": self._length,
            "episode_return": finite(self._return),
            "reward": finite(self._reward),
            "action": self._action,
            "observation": numbers(self._obs[0]),
            "over": self._over,
        }

    def picture(self) -> bytes:
        """Return the picture as a JPEG file; empty if the environment has none."""
        frame = self._envs.frame(0)
        return b"" if frame is None else jpeg(np.ascontiguousarray(frame, np.uint8))


def numbers(value: Any) -> list[float]:
    """Return the numbers of an array; none of them if they are many, or if it holds something else."""
    try:
        flat = np.asarray(value, np.float64).ravel()
    except (TypeError, ValueError):
        return []
    return [float(one) for one in np.nan_to_num(flat)] if flat.size <= MAX_NUMBERS else []


def finite(value: float | None) -> float | None:
    """Return the number, or None if JSON cannot say it."""
    return value if value is not None and math.isfinite(value) else None


def watch(folder: Path, job: dict[str, Any]) -> None:
    """Answer requests until stdin ends."""
    import torch

    from rlplatform.algorithms.registry import ALGORITHMS
    from rlplatform.playing.policies import load_checkpoint

    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # an environment may print
    prepare_graphics()
    with environment_errors():
        show = Show(job)
        playing, policy = "", None
        shown_at = time.monotonic()
        behind = 0.0
        for line in sys.stdin:
            if (asked := json.loads(line)["checkpoint"]) != playing:
                policy, playing = load_checkpoint(folder / asked, ALGORITHMS[job["algorithm"]]), asked
            time.sleep(max(0.0, shown_at + 1 / FRAMES_PER_S - time.monotonic()))
            now = time.monotonic()
            behind += min(now - shown_at, MAX_LEAP_S) * show.steps_per_s
            shown_at = now
            steps, behind = int(behind), behind % 1
            for _ in range(steps):
                show.step(policy)
            answer(answers, show.describe(), show.picture())
