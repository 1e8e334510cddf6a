"""Pictures of environments: Gymnasium's `rgb_array`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .memory import FRAME_BYTES
from .user_code import Malformed

_MODE = "rgb_array"


def drawable(make: Any, config: Mapping[str, Any]) -> Callable[[], Any]:
    """Return a function that makes an environment to be drawn; one that takes no `render_mode` is made without."""

    def made() -> Any:
        if "render_mode" in config:
            return make(**{**config, "render_mode": _MODE})
        try:
            return make(**config, render_mode=_MODE)
        except TypeError as error:
            if "render_mode" not in str(error):
                raise
            return make(**config)

    return made


def picture_of(env: Any) -> Any:
    """Return the picture [height, width, 3] of an environment; None if it has none."""
    if _MODE not in ((getattr(env, "metadata", None) or {}).get("render_modes") or ()):
        return None
    if getattr(env, "render_mode", None) != _MODE:
        return None
    picture = np.asarray(env.render())
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise Malformed(f"render() returned an array of shape {picture.shape}; a picture is [height, width, 3]")
    if picture.dtype != np.uint8:
        raise Malformed(f"render() returned an array of {picture.dtype}; a picture has numbers of uint8, 0 to 255")
    if picture.size > FRAME_BYTES:
        raise Malformed(f"render() returned a picture of {picture.size:,} bytes; at most {FRAME_BYTES:,} are drawn")
    return picture
