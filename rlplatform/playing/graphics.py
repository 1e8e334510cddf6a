"""OpenGL without a screen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_contexts: list[Any] = []


def prepare_graphics() -> None:
    """Make an OpenGL context the current one, if there can be one: EnvPool's MuJoCo draws into it, and ends the process
    without one. Gymnasium's environments make their own."""
    with suppress(Exception):
        from mujoco.egl import GLContext

        _contexts.append(GLContext(640, 480))
        _contexts[-1].make_current()
