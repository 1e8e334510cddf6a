"""Facts about an environment, small and safe to pass between processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.errors import InvalidRequest

MAX_CONFIG_BYTES = 32 * 1024
MAX_CONFIG_DEPTH = 8


class EnvironmentFacts(BaseModel):
    """Facts of one environment with one configuration.

    ``observation_bytes`` is the size of one encoded observation in a rollout. ``image`` is True if a convolutional
    network reads the observations; ``box_actions`` is True if the action space is a Box; ``masked`` if the observations
    have an action mask. ``spaces`` is equal for environments that can share policies.
    """

    model_config = ConfigDict(frozen=True)

    image: bool
    observation_bytes: int
    box_actions: bool
    masked: bool = False
    backend: str
    max_episode_steps: int | None = None
    spaces: str = ""


class EnvironmentProbes(Protocol):
    """Determines facts about environments in another process."""

    async def facts(
        self, env: str, env_config: Mapping[str, Any], tenant: str = "", options: EnvOptions = DEFAULT_OPTIONS
    ) -> EnvironmentFacts:
        """Return the facts of the environment of a training request.

        Raises:
            UnknownName: the environment does not exist; suggests similar names.
            InvalidRequest: it cannot be made with ``env_config`` within the limits, or cannot be trained.
            Unavailable: the process that makes environments does not answer.
        """

    async def check_known(self, env: str, env_config: Mapping[str, Any], tenant: str = "") -> None:
        """Check that ``env`` exists, without making it. Raises the same errors as :meth:`facts`."""

    async def check_episodes(self, env: str, tenant: str = "") -> None:
        """Check that an ``episode`` grader can run episodes of ``env``.

        Raises:
            InvalidRequest: it cannot; ``field`` is ``grader.env``.
        """

    async def warm_up(self) -> None:
        """Prepare for the first call. Never raises."""

    async def close(self) -> None:
        """Stop the process that answers. Idempotent."""


def check_config(env_config: Mapping[str, JsonValue], size: int) -> None:
    """Refuse an ``env_config`` whose JSON, of ``size`` bytes, is too large or nested too deeply.

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


def _depth(value: object) -> int:
    """Count the levels of lists and objects of a JSON value."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
