"""Errors of environments that could not be made: they blame an entry of ``env_config``, or the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rlplatform.errors import InvalidRequest

_OURS = ("max_episode_steps", "render_mode")
"""Arguments that the platform adds to those of the user."""
_ADDED = re.compile(r" was raised from the environment creator for .*", re.DOTALL)


def refusal(env: str, env_config: Mapping[str, Any], error: Exception) -> InvalidRequest:
    """Return the error of a request for ``env`` whose constructor raised ``error``.

    Its field is the only entry of ``env_config``, or the only one that the error's text names; ``env_config`` if there
    are several; ``env`` if none was given.
    """
    text = _ADDED.sub("", str(error))
    why = f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} in its own code"
    given = [name for name in env_config if name not in _OURS]
    if not given:
        return InvalidRequest(f"env: {env} cannot be made here: {why}", field="env")
    named = [name for name in given if re.search(rf"\b{re.escape(name)}\b", text)] if len(given) > 1 else given
    if len(named) != 1:
        return InvalidRequest(f"env_config: {env} cannot be made with {', '.join(given)}: {why}", field="env_config")
    field, value = f"env_config.{named[0]}", repr(env_config[named[0]])
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    return InvalidRequest(f"{field}: {env} cannot be made with {shown}: {why}", field=field)
