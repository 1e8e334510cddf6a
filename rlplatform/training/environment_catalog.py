"""Catalogue of the environments that can be trained on, with their spaces, backends and presets.

Gymnasium's and EnvPool's environments are read from ``environments.json`` (``environments.recorded``);
``python -m rlplatform.training.environment_catalog`` writes that file.
"""

from __future__ import annotations

import functools
import json
import re
import time
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.environments import environment_modules
from rlplatform.environments.backends.envpool_backend import envpool_ids, envpool_spaces
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.environments.probe import check_spaces, probe
from rlplatform.environments.recorded import FILE, recorded, versions
from rlplatform.errors import InvalidRequest

BUDGET_S = 10.0
"""Seconds for making environments that are not recorded, mainly plugins'; later ones are listed without spaces."""
_PATH = re.compile(r"/\S+")  # paths of the machine that writes the file
UNKNOWN = "known once it is made"


@functools.cache
def list_environments() -> tuple[EnvironmentInfo, ...]:
    """Return all environments that can be made here, by id: Gymnasium's, the configured modules' and EnvPool's."""
    environment_modules.import_all()
    known = recorded()
    found = [EnvironmentInfo(id=env, **fields) for env, fields in known.items() if isinstance(fields, dict)]
    deadline = time.monotonic() + BUDGET_S
    for env in sorted({*_preset_names(), *gym.registry} - known.keys()):
        if time.monotonic() < deadline:
            described = describe_or_reason(env)
            found += [described] if isinstance(described, EnvironmentInfo) else []
        else:
            found.append(_info(env, UNKNOWN, UNKNOWN, "gymnasium", None))
    if not known:
        for env in envpool_ids() - {info.id for info in found}:
            with suppress(InvalidRequest):
                found.append(_describe_pooled(env))
    return tuple(sorted(found, key=lambda info: info.id))


def describe_environment(env: str) -> EnvironmentInfo:
    """Return one environment's spaces, backend and preset. Raises the same errors as ``environments.probe``."""
    made = probe(env, {})
    try:
        return _info(
            env,
            describe_space(made.single_observation_space),
            describe_space(made.single_action_space),
            "envpool" if made.backend == "envpool" else "gymnasium",
            made.max_episode_steps,
        )
    finally:
        made.close()


def describe_space(space: spaces.Space[object]) -> str:
    """Return a space in a few words: ``Box(4,) float32``, with bounds if they are the same for all elements."""
    if isinstance(space, spaces.Box):
        low, high = np.unique(space.low), np.unique(space.high)
        bounds = (
            f" in [{low[0]:g}, {high[0]:g}]"
            if len(low) == len(high) == 1 and np.isfinite([low[0], high[0]]).all()
            else ""
        )
        return f"Box{space.shape} {space.dtype}{bounds}"
    return str(space)


def _info(env: str, observations: str, actions: str, backend: Any, max_episode_steps: int | None) -> EnvironmentInfo:
    preset = next((found for each in ALGORITHMS.values() if (found := each.find_preset(env)) is not None), None)
    return EnvironmentInfo(
        id=env,
        observation_space=observations,
        action_space=actions,
        backend=backend,
        preset=preset.env if preset is not None else None,
        preset_env_steps=preset.n_timesteps if preset is not None else None,
        max_episode_steps=max_episode_steps,
    )


def _preset_names() -> set[str]:
    """Return the names of all algorithms' presets, which are ids of environments."""
    return {name for algorithm in ALGORITHMS.values() for name in algorithm.preset_names}


def _describe_pooled(env: str) -> EnvironmentInfo:
    """Describe an environment of EnvPool without making it.

    Raises:
        InvalidRequest: it cannot be trained on.
    """
    observations, actions, limit = envpool_spaces(env)
    check_spaces(env, observations, actions)
    return _info(env, describe_space(observations), describe_space(actions), "envpool", limit)


def describe_or_reason(env: str) -> EnvironmentInfo | str:
    """Describe an environment, or give the reason why it cannot be trained on."""
    try:
        return describe_environment(env)
    except InvalidRequest as error:
        return str(error)
    except Exception as error:  # any exception of the environment's package
        return f"env: {env} cannot be made here: {type(error).__name__}: {error}"


def describe_all() -> dict[str, EnvironmentInfo | str]:
    """Describe every environment of Gymnasium and EnvPool, or give the reason why it cannot be trained on.

    Environments that only EnvPool has are described by their specifications, a hundred times faster than by making
    them. Packages known to lack files are the exception: only making an environment reveals that.
    """
    candidates = {*_preset_names(), *gym.registry}
    described: dict[str, EnvironmentInfo | str] = {env: describe_or_reason(env) for env in candidates}
    for env in envpool_ids() - candidates:
        try:
            described[env] = describe_environment(env) if "Sudoku" in env else _describe_pooled(env)
        except InvalidRequest as error:
            described[env] = str(error)
    return dict(sorted(described.items()))


def write(described: dict[str, EnvironmentInfo | str]) -> str:
    """Return the text of ``environments.json``."""
    fields: dict[str, Any] = {}
    for env, found in described.items():
        if isinstance(found, str):
            fields[env] = _PATH.sub("…", found)
        else:
            fields[env] = found.model_dump(mode="json", exclude={"id"}, exclude_none=True)
    lines = ",\n".join(f"  {json.dumps(env)}: {json.dumps(found)}" for env, found in fields.items())
    return f'{{\n "versions": {json.dumps(versions())},\n "environments": {{\n{lines}\n }}\n}}\n'


def main() -> None:
    """Describe every environment, and write ``environments.json``."""
    FILE.write_text(write(describe_all()), encoding="utf-8")


if __name__ == "__main__":
    main()
