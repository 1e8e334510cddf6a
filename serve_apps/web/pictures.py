"""Write the pictures of environments that the page's list shows: ``python serve_apps/web/pictures.py``.

Each is a frame after some random steps, of an environment that Gymnasium lists and can draw here, or that a preset
is for. One without a picture is left out; the list then shows its text alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
from PIL import Image, ImageOps

from rlplatform.environments.factory import make_vector_env
from rlplatform.training.environment_catalog import list_environments

FOLDER = Path(__file__).parent / "src" / "pictures"
SIZE = (144, 96)
"""Pixels: twice those of the page, for dense screens."""
STEPS = 40


def picture(env: str) -> Image.Image | None:
    """Return a frame of an environment; None if it has no picture."""
    made = make_vector_env(env, {}, [1], rendered=True)
    try:
        made.reset()
        made.single_action_space.seed(1)
        for _ in range(STEPS):
            made.step(np.stack([made.single_action_space.sample()]))
        frame = made.frame(0)
        return None if frame is None else ImageOps.fit(Image.fromarray(frame.astype(np.uint8)), SIZE)
    finally:
        made.close()


def _wanted() -> Iterator[str]:
    """Yield the environments to draw, those of MuJoCo last: without a working OpenGL it ends the process."""
    found = [info.id for info in list_environments() if info.preset or info.backend == "gymnasium"]
    yield from sorted(found, key=lambda env: (_is_mujoco(env), env))


def _is_mujoco(env: str) -> bool:
    spec = gym.registry.get(env)
    return spec is not None and "mujoco" in str(spec.entry_point)


def main() -> None:
    os.environ |= {"MUJOCO_GL": "egl", "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    FOLDER.mkdir(exist_ok=True)
    for env in _wanted():
        try:
            drawn = picture(env)
        except Exception as error:
            print(f"{env}: {error}", file=sys.stderr)  # noqa: T201
            continue
        if drawn is not None:
            drawn.quantize(64).save(FOLDER / f"{env}.png", optimize=True)


if __name__ == "__main__":
    main()
