"""Hyperparameter presets by environment id: those of RL-Baselines3-Zoo, in ``presets.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters, check_names, merge
from rlplatform.errors import UnknownName

_LEGACY_ATARI = re.compile(r"(NoFrameskip|Deterministic)?-v[04]$")


class Preset(BaseModel):
    """One row of the zoo: how many environments, for how many env steps, with which wrapper and hyperparameters.

    ``env_wrapper`` names a wrapper class (``minigrid.wrappers.FlatObsWrapper``) or ``atari`` (Mnih et al.
    preprocessing); ``published_return`` and ``published_std`` are the zoo's benchmark row where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    env: str
    n_envs: int
    n_timesteps: int
    hyperparameters: dict[str, JsonValue]
    env_wrapper: str | None = None
    frame_stack: int | None = None
    published_return: float | None = None
    published_std: float | None = None
    note: str = ""


@cache
def _presets() -> dict[str, Preset]:
    text = resources.files(__package__).joinpath("presets.json").read_text(encoding="utf-8")
    return {name: Preset(env=name, **fields) for name, fields in json.loads(text).items()}


def preset_names() -> list[str]:
    """Every preset's name, which is its environment's id."""
    return sorted(_presets())


def get_preset(name: str) -> Preset:
    """The preset of that name. Raises ``UnknownName``."""
    if name not in _presets():
        raise UnknownName("preset", name, _presets(), field="preset")
    return _presets()[name]


def find_preset(env: str) -> Preset | None:
    """The environment's own preset, if it has one. EnvPool's spelling of Atari (``Pong-v5``) and ALE's are the same,
    and so are the old ids (``PongNoFrameskip-v4``): all get the same preprocessing.
    """
    name = env.rpartition(":")[2].removeprefix("ALE/")
    game = _presets().get(_LEGACY_ATARI.sub("-v5", name))
    if game is not None and game.env_wrapper == "atari":
        return game
    return _presets().get(name)


def resolve(env: str, preset: str | None, given: Mapping[str, Any]) -> tuple[Hyperparameters, Preset | None]:
    """The hyperparameters of a training: what is given, over the preset asked for (or the environment's own), over
    SB3's defaults.

    Raises ``UnknownName`` or ``InvalidRequest``, naming the field. ``Hyperparameters.check(n_envs)`` is up to the
    caller.
    """
    check_names(given)
    found = get_preset(preset) if preset is not None else find_preset(env)
    return Hyperparameters.of(merge(found.hyperparameters if found else {}, given)), found
