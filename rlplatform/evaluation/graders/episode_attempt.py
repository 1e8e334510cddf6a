"""One episode of a Gymnasium environment, played by an agent in a sandbox.

The environment runs on the host, or in a sandbox of its own if it was uploaded, so that an agent can neither read nor
change its state. On the host only environments of its own Gymnasium registry are made, without arguments of the
submitter's. Actions come from the sandbox as JSON lines and are checked against the action space; an environment's own
time counts towards the agent's wall time.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlplatform.errors import InvalidRequest, PlatformError, ServiceError, UnknownName
from rlplatform.evaluation.graders.base import Decision, TestAttempt
from rlplatform.evaluation.graders.function import showable
from rlplatform.evaluation.graders.uploaded_environment import EnvironmentFailed
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Execution, Limits, Outcome

SEED_BITS = 63
_ACTION_BYTES = 65_536


class EpisodeAttempt(TestAttempt):
    """Attempt at a test of ``episode``, and the ``Interactor`` that plays the episode in ``env``.

    ``env`` is a ``gymnasium.Env`` or an :class:`UploadedEnvironment`, which the attempt closes.
    """

    def __init__(
        self,
        env: Any,
        seed: int | None,
        min_return: float | None,
        max_steps: int,
        turn_time_s: float,
        limits: Limits,
    ) -> None:
        super().__init__(Execution(limits))
        self.turn_time_s = turn_time_s
        self._min_return = min_return
        self._max_steps = max_steps
        self._env = env
        self._over = False
        self._return = 0.0
        self._steps = 0
        self._first: Any = None
        try:
            self._first, _ = self._env.reset(seed=draw_seed() if seed is None else seed)
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", str(failure))
        except PlatformError:
            self._env.close()
            raise
        except Exception as error:
            self._env.close()
            raise ServiceError(f"the environment failed to reset: {error!r}") from error

    @property
    def interactor(self) -> EpisodeAttempt:
        return self

    def begin(self) -> bytes:
        return _line(self._first)

    def reply(self, line: bytes) -> bytes | None:
        if self.decision is not None:
            return None
        try:
            action = read_action(self._env.action_space, line)
        except ValueError as error:
            self.wrong_already = f"step {self._steps + 1}: {error}"
            return None
        try:
            observation, reward, terminated, truncated, _ = self._env.step(action)
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", f"step {self._steps + 1}: {failure}")
            return None
        except PlatformError:
            raise
        except Exception as error:
            raise ServiceError(f"the environment failed in step {self._steps + 1}: {error!r}") from error
        self._return += float(reward)
        self._steps += 1
        self._over = bool(terminated or truncated) or self._steps >= self._max_steps
        return None if self._over else _line(observation)

    def overhear(self, output: bytes) -> None:
        """Ignore actions after the end of the episode."""

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was played here
        if self.wrong_already is not None:
            return self.wrong_already
        if not self._over:
            return f"the program ended after {self._steps} steps, before the episode did"
        if self._min_return is not None and not self._return >= self._min_return:
            return f"episode return {self._return:g} after {self._steps} steps; at least {self._min_return:g} is asked"
        return None

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002 - what counts is what was played here
        """Return and length of what was played."""
        return {"episode_return": showable(self._return), "episode_length": self._steps}

    def close(self) -> None:
        self._env.close()


def draw_seed() -> int:
    """Seed of an episode whose test gives none: from the operating system, and too wide to be guessed."""
    return secrets.randbits(SEED_BITS)


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


def read_action(space: spaces.Space[Any], line: bytes) -> Any:
    """The action that a line of the program holds.

    :raises ValueError: it is none; says what would be.
    """
    if len(line) > _ACTION_BYTES:
        raise ValueError(f"an action of {len(line)} bytes")
    try:
        given = values.decode(line)
    except values.ValueRefused as refusal:
        raise ValueError(f"the action is refused: {refusal}") from None
    if (action := fitting_action(space, given)) is None:
        raise ValueError(f"the action {line[:80].decode('utf-8', 'replace')} is not in {space}")
    return action


def fitting_action(space: spaces.Space[Any], given: Any) -> Any:
    """Return the action of ``space`` that a JSON value means; None if it means none."""
    whole = not np.issubdtype(space.dtype, np.floating)
    if isinstance(space, spaces.Discrete):
        if isinstance(given, int) and given.bit_length() < 63 and space.contains(np.int64(given)):
            return int(given)
    elif isinstance(given, list) and _numeric(given, _kinds(space)):
        with suppress(ValueError, OverflowError), np.errstate(over="ignore"):
            exact = np.asarray(given, np.int64 if whole else np.float64)
            action = exact.astype(space.dtype)
            unchanged = np.array_equal(action, exact) if whole else np.isfinite(action).all()
            if unchanged and space.contains(action):
                return action
    return None


def _kinds(space: spaces.Space[Any]) -> tuple[type, ...]:
    """Types of the numbers in an action of ``space``. As in Gymnasium, true and false are whole numbers of choices."""
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return int, bool
    return (int, float) if np.issubdtype(space.dtype, np.floating) else (int,)


def _numeric(items: list[Any], kinds: tuple[type, ...]) -> bool:
    return all(_numeric(item, kinds) if type(item) is list else type(item) in kinds for item in items)


def _line(observation: Any) -> bytes:
    return json.dumps({"observation": plain(observation)}).encode() + b"\n"


def plain(observation: Any) -> Any:
    """Return an observation as JSON: numbers, lists of them, and what Tuple and Dict spaces make of these."""
    if isinstance(observation, np.ndarray | np.generic):
        return observation.tolist()
    if isinstance(observation, dict):
        return {str(key): plain(item) for key, item in observation.items()}
    if isinstance(observation, list | tuple):
        return [plain(item) for item in observation]
    return observation
