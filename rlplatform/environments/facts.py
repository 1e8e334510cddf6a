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


def _depth(value: object) -> int:
    """Count the levels of lists and objects of a JSON value."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
