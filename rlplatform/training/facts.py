"""Facts about an environment, small and safe to pass between processes, and what is checked against them.

Importing this loads neither Gymnasium nor torch nor Ray.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from rlplatform.errors import InvalidRequest
from rlplatform.ppo.hyperparameters import Hyperparameters
from rlplatform.ppo.presets import Preset, resolve
from rlplatform.training.env_options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.training.models import Resources, TrainingCheck, TrainingRequest

DEFAULT_NUM_ENVS = 8
MAX_ROLLOUT_BYTES = 4 << 30
"""Observations of one rollout, of all environments together: an update holds them about twice."""
MAX_CONFIG_BYTES = 32 * 1024
MAX_CONFIG_DEPTH = 8


class EnvironmentFacts(BaseModel):
    """Facts of one environment with one configuration.

    ``observation_bytes`` is the size of one encoded observation in a rollout. ``image``: a convolutional network will
    read the observations. ``box_actions``: the actions are a Box. ``spaces`` is equal for environments
    that share policies.
    """

    model_config = ConfigDict(frozen=True)

    image: bool
    observation_bytes: int
    box_actions: bool
    backend: str
    max_episode_steps: int | None = None
    spaces: str = ""


class EnvironmentProbes(Protocol):
    """Learns about environments somewhere else than in this process."""

    async def facts(
        self, env: str, env_config: Mapping[str, Any], tenant: str = "", options: EnvOptions = DEFAULT_OPTIONS
    ) -> EnvironmentFacts:
        """Return the facts of an environment that a training asks for.

        Raises:
            UnknownName: nobody has the environment; says which are near.
            InvalidRequest: it cannot be made with ``env_config`` within the limits, or cannot be trained.
            Unavailable: whoever makes it does not answer.
        """

    async def check_known(self, env: str, env_config: Mapping[str, Any], tenant: str = "") -> None:
        """Check that somebody has ``env``, without making it. Raises as :meth:`facts` does."""

    async def check_episodes(self, env: str, tenant: str = "") -> None:
        """Check that an ``episode`` grader can play in ``env``.

        Raises:
            InvalidRequest: it cannot; ``field`` is ``grader.env``.
        """

    async def warm_up(self) -> None:
        """Get ready for the first question. Never raises."""

    async def close(self) -> None:
        """Free what answers. Idempotent."""


def check_config(env_config: Mapping[str, JsonValue], size: int) -> None:
    """Refuse an ``env_config`` whose JSON has ``size`` bytes, or whose depth is out of proportion.

    Raises:
        InvalidRequest: it is larger or deeper than accepted.
    """
    if size > MAX_CONFIG_BYTES:
        raise InvalidRequest(
            f"env_config: it has {size:,} bytes as JSON; at most {MAX_CONFIG_BYTES:,} are accepted. "
            "Put large data (a map, a level) into a package of environments, and name it in env_config",
            field="env_config",
        )
    if (depth := _depth(env_config)) > MAX_CONFIG_DEPTH:
        raise InvalidRequest(
            f"env_config: it is nested {depth} levels deep; at most {MAX_CONFIG_DEPTH} are accepted", field="env_config"
        )


def canonical(env_config: Mapping[str, Any]) -> str:
    """Return ``env_config`` as text that is equal for equal configurations."""
    return json.dumps(env_config, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check_hyperparameters(request: TrainingRequest) -> None:
    """Check preset and hyperparameters, without looking at the environment.

    Raises:
        UnknownName: a preset or a hyperparameter, with the nearest names.
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    hyperparameters.check(total_envs(request.resources, preset))


def planned(request: TrainingRequest) -> TrainingCheck:
    """Return what ``request`` would train with.

    Raises:
        UnknownName, InvalidRequest: as :func:`check_hyperparameters`.
    """
    hyperparameters, preset = effective(request)
    num_envs = total_envs(request.resources, preset)
    each = None if request.engine == "simulated" else hyperparameters.n_steps * num_envs
    wanted = request.stop.env_steps
    return TrainingCheck(
        preset=preset.env if preset is not None else None,
        hyperparameters=hyperparameters.model_dump(mode="json"),
        num_envs=num_envs,
        env_steps_per_iteration=each,
        env_steps=-(-wanted // each) * each if wanted is not None and each is not None else None,
    )


def check_facts(request: TrainingRequest, facts: EnvironmentFacts) -> None:
    """Check the hyperparameters against the environment.

    Raises:
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    _check_rollout(hyperparameters.n_steps, total_envs(request.resources, preset), facts.observation_bytes)
    if hyperparameters.use_sde and not facts.box_actions:
        field = "hyperparameters.use_sde"
        raise InvalidRequest(f"{field}: {request.env} has no Box actions", field=field)


def _check_rollout(n_steps: int, n_envs: int, each: int) -> None:
    size = n_steps * n_envs * each
    if size > MAX_ROLLOUT_BYTES:
        field = "hyperparameters.n_steps"
        raise InvalidRequest(
            f"{field}: a rollout of n_steps * n_envs = {n_steps} * {n_envs} observations of {each} bytes is "
            f"{size / 2**30:.1f} GiB; at most {MAX_ROLLOUT_BYTES / 2**30:g} GiB are accepted",
            field=field,
        )


def effective(request: TrainingRequest) -> tuple[Hyperparameters, Preset | None]:
    """The hyperparameters of a request: what is given, over its preset or the environment's own, over the defaults."""
    return resolve(request.env, request.preset, request.hyperparameters)


def envs_per_runner(resources: Resources, preset: Preset | None) -> int:
    """Environments of each env runner: what is asked for, else the preset's number split over the runners."""
    if resources.num_envs_per_env_runner is not None:
        return resources.num_envs_per_env_runner
    total = preset.n_envs if preset is not None else DEFAULT_NUM_ENVS
    return -(-total // max(1, resources.num_env_runners))


def total_envs(resources: Resources, preset: Preset | None) -> int:
    """Environments that sample in all."""
    return envs_per_runner(resources, preset) * max(1, resources.num_env_runners)


def _depth(value: object) -> int:
    """Count the levels of lists and objects of a JSON value."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
