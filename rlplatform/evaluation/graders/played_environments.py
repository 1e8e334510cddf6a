"""Environments in which agents play: copies that are stepped one by one, on the host or in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
from gymnasium import spaces

from rlplatform.errors import InvalidRequest, UnknownName


class Stepped(NamedTuple):
    """Result of one step in one copy."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool


class EnvironmentFailed(Exception):
    """The environment failed, which is not the agent's fault."""


class PlayedEnvironments(Protocol):
    """Copies of one environment, each for one episode."""

    @property
    def action_space(self) -> spaces.Space[Any]:
        """Space of one copy's actions."""

    def reset(self, seeds: Sequence[int]) -> list[Any]:
        """Start all copies, and return their first observations.

        Raises:
            EnvironmentFailed: it was uploaded, and failed.
            PlatformError: the platform failed.
        """

    def step(self, actions: Mapping[int, Any]) -> dict[int, Stepped]:
        """Take a step in each copy that ``actions`` names, which are those of the step before or fewer.

        Raises: as :meth:`reset`.
        """

    def close(self) -> None:
        """Free what they hold. Idempotent."""


class RegisteredEnvironments:
    """Copies of an environment of the host's Gymnasium registry."""

    def __init__(self, env: str, copies: int) -> None:
        self._envs = [make_environment(env) for _ in range(copies)]

    @property
    def action_space(self) -> spaces.Space[Any]:
        space: spaces.Space[Any] = self._envs[0].action_space
        return space

    def reset(self, seeds: Sequence[int]) -> list[Any]:
        return [env.reset(seed=seed)[0] for env, seed in zip(self._envs, seeds, strict=True)]

    def step(self, actions: Mapping[int, Any]) -> dict[int, Stepped]:
        found = {}
        for place, action in actions.items():
            observation, reward, terminated, truncated, _ = self._envs[place].step(action)
            found[place] = Stepped(observation, float(reward), bool(terminated), bool(truncated))
        return found

    def close(self) -> None:
        for env in self._envs:
            env.close()


def make_environment(env: str) -> Any:
    """A ``gymnasium.Env`` of the registry.

    :raises UnknownName: it has none of this id.
    :raises InvalidRequest: it cannot be made here, or its actions are not numbers.
    """
    if env not in gym.registry:
        raise UnknownName("environment", env, gym.registry, field="grader.env")
    try:
        made: Any = gym.make(env, disable_env_checker=True)
    except Exception as error:
        raise InvalidRequest(f"{env} cannot be made here: {error}", field="grader.env") from None
    if not isinstance(made.action_space, spaces.Discrete | spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        made.close()
        kinds = "Discrete, Box, MultiDiscrete and MultiBinary are taken"
        raise InvalidRequest(f"{env} has actions of {type(made.action_space).__name__}; {kinds}", field="grader.env")
    return made
