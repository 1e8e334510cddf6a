"""The environments worth showing, with their spaces, backends and presets.

``environments.json`` holds them for the versions of Gymnasium and EnvPool that it names, since asking EnvPool takes
seconds; ``python -m rlplatform.training.catalogue`` writes it anew. With other versions every environment is made once.
"""

from __future__ import annotations

import functools
import json
from importlib import metadata
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlplatform.errors import InvalidRequest
from rlplatform.ppo.presets import find_preset, preset_names
from rlplatform.training.environments import probe
from rlplatform.training.models import EnvironmentInfo

FILE = Path(__file__).with_name("environments.json")
_PACKAGES = ("gymnasium", "envpool")


@functools.cache
def list_environments() -> tuple[EnvironmentInfo, ...]:
    """Those with a preset, and those of Gymnasium's registry that can be made here, by id.

    EnvPool's hundreds of others are accepted for training, too. Plugins' environments are made once.
    """
    recorded = _recorded()
    found = (recorded[env] if env in recorded else _describe_or_none(env) for env in _candidates())
    return tuple(info for info in found if info is not None)


def describe_environment(env: str) -> EnvironmentInfo:
    """One environment's spaces, backend and preset. Raises as ``environments.probe`` does."""
    made = probe(env, {})
    try:
        return EnvironmentInfo(
            id=env,
            observation_space=describe_space(made.single_observation_space),
            action_space=describe_space(made.single_action_space),
            backend="envpool" if made.backend == "envpool" else "gymnasium",
            preset=env if find_preset(env) is not None else None,
            max_episode_steps=made.max_episode_steps,
        )
    finally:
        made.close()


def describe_space(space: spaces.Space[object]) -> str:
    """A space in a few words: ``Box(4,) float32``, with bounds where they are the same for all elements."""
    if isinstance(space, spaces.Box):
        low, high = np.unique(space.low), np.unique(space.high)
        bounds = (
            f" in [{low[0]:g}, {high[0]:g}]"
            if len(low) == len(high) == 1 and np.isfinite([low[0], high[0]]).all()
            else ""
        )
        return f"Box{space.shape} {space.dtype}{bounds}"
    return str(space)


def _candidates() -> list[str]:
    return sorted({*preset_names(), *gym.registry})


def _describe_or_none(env: str) -> EnvironmentInfo | None:
    try:
        return describe_environment(env)
    except InvalidRequest:
        return None


def _versions() -> dict[str, str | None]:
    """The installed versions that the spaces depend on; None where a package is not installed."""

    def version(package: str) -> str | None:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return None

    return {package: version(package) for package in _PACKAGES}


def _recorded() -> dict[str, EnvironmentInfo | None]:
    """What the file says of each candidate (None: it cannot be made); nothing where it is of other versions."""
    held = json.loads(FILE.read_text(encoding="utf-8"))
    if held["versions"] != _versions():
        return {}
    return {env: info and EnvironmentInfo(id=env, **info) for env, info in held["environments"].items()}


def main() -> None:
    """Make every environment once and write the file."""
    described = {env: _describe_or_none(env) for env in _candidates()}
    environments = {env: info and info.model_dump(mode="json", exclude={"id"}) for env, info in described.items()}
    lines = ",\n".join(f"  {json.dumps(env)}: {json.dumps(info)}" for env, info in environments.items())
    FILE.write_text(
        f'{{\n "versions": {json.dumps(_versions())},\n "environments": {{\n{lines}\n }}\n}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
