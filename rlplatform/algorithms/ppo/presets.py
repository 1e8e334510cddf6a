"""Hyperparameter presets by environment id, from RL-Baselines3-Zoo (``presets.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from rlplatform.algorithms.base import Preset
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters, check_names, merge
from rlplatform.errors import UnknownName

_LEGACY_ATARI = re.compile(r"(NoFrameskip|Deterministic)?-v[04]$")


@cache
def _presets() -> dict[str, Preset]:
    text = resources.files(__package__).joinpath("presets.json").read_text(encoding="utf-8")
    return {name: Preset(env=name, **fields) for name, fields in json.loads(text).items()}


def preset_names() -> list[str]:
    """Return the names of all presets: the ids of their environments."""
    return sorted(_presets())


def get_preset(name: str) -> Preset:
    """Return the preset named ``name``.

    Raises:
        UnknownName: there is no such preset.
    """
    if name not in _presets():
        hint = (
            "presets have the names of their environments, such as CartPole-v1; leave it out for the environment's own"
        )
        raise UnknownName("preset", name, _presets(), field="preset", hint=hint)
    return _presets()[name]


def find_preset(env: str) -> Preset | None:
    """Return the environment's own preset; None if it has none.

    EnvPool's spelling of Atari games (``Pong-v5``), ALE's, and the old ids (``PongNoFrameskip-v4``) find the same
    preset: all get the same preprocessing.
    """
    name = env.rpartition(":")[2].removeprefix("ALE/")
    game = _presets().get(_LEGACY_ATARI.sub("-v5", name))
    if game is not None and game.env_wrapper == "atari":
        return game
    return _presets().get(name)


def resolve(env: str, preset: str | None, given: Mapping[str, Any]) -> tuple[Hyperparameters, Preset | None]:
    """Merge the hyperparameters of a training, from highest priority to lowest.

    These are the given ones, the preset asked for (or the environment's own), and the defaults of SB3. The caller still
    has to call ``Hyperparameters.check(n_envs)``.

    Raises:
        UnknownName: a preset or a hyperparameter does not exist.
        InvalidRequest: a value is not accepted; names the field.
    """
    check_names(given)
    found = get_preset(preset) if preset is not None else find_preset(env)
    return Hyperparameters.of(merge(found.hyperparameters if found else {}, given)), found
