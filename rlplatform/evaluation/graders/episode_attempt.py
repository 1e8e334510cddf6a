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

import numpy as np
from gymnasium import spaces

from rlplatform.episodes.played import Budget, PlayedEpisode
from rlplatform.errors import PlatformError, ServiceError
from rlplatform.evaluation.graders.base import Decision, TestAttempt
from rlplatform.evaluation.graders.function import showable
from rlplatform.evaluation.graders.played_environments import EnvironmentFailed, PlayedEnvironments
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Execution, Limits, Outcome
from rlplatform.statistics import significant

SEED_BITS = 63
_ACTION_BYTES = 65_536


class EpisodeAttempt(TestAttempt):
    """Attempt at a test of ``episode``, and the ``Interactor`` that plays the episode in ``envs``.

    ``envs`` has one copy; the attempt closes it.
    """

    def __init__(
        self,
        envs: PlayedEnvironments,
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
        self._envs = envs
        self._over = False
        self._episode = PlayedEpisode(0, draw_seed() if seed is None else seed, Budget())
        self.played = [self._episode]
        self._observation: Any = None
        try:
            (self._observation,) = envs.reset([self._episode.seed])
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", str(failure))
        except PlatformError:
            envs.close()
            raise
        except Exception as error:
            envs.close()
            raise ServiceError(f"the environment failed to reset: {error!r}") from error

    @property
    def interactor(self) -> EpisodeAttempt:
        return self

    def begin(self) -> bytes:
        return self._line()

    def reply(self, line: bytes) -> bytes | None:
        if self.decision is not None:
            return None
        step = self._episode.length + 1
        try:
            action = read_action(self._envs.action_space, line)
        except ValueError as error:
            self.wrong_already = f"step {step}: {error}"
            return None
        self._episode.acted(self._observation, action)
        try:
            stepped = self._envs.step({0: action})[0]
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", f"step {step}: {failure}")
            return None
        except PlatformError:
            raise
        except Exception as error:
            raise ServiceError(f"the environment failed in step {step}: {error!r}") from error
        self._observation = stepped.observation
        self._episode.rewarded(stepped.reward, terminated=stepped.terminated)
        self._over = stepped.terminated or stepped.truncated or step >= self._max_steps
        return None if self._over else self._line()

    def overhear(self, output: bytes) -> None:
        """Ignore actions after the end of the episode."""

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was played here
        if self.wrong_already is not None:
            return self.wrong_already
        found, steps = significant(self._episode.episode_return), self._episode.length
        if not self._over:
            return f"the program ended after {steps} steps, before the episode did"
        if self._min_return is not None and not found >= self._min_return:
            return f"episode return {found:g} after {steps} steps; at least {self._min_return:g} is asked"
        return None

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002 - what counts is what was played here
        """Return and length of what was played."""
        return {
            "episode_return": showable(significant(self._episode.episode_return)),
            "episode_length": self._episode.length,
        }

    def close(self) -> None:
        self._envs.close()

    def _line(self) -> bytes:
        return json.dumps({"observation": plain(self._observation)}).encode() + b"\n"


def draw_seed() -> int:
    """Seed of an episode whose test gives none: from the operating system, and too wide to be guessed."""
    return secrets.randbits(SEED_BITS)


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


def plain(observation: Any) -> Any:
    """Return an observation as JSON: numbers, lists of them, and what Tuple and Dict spaces make of these."""
    if isinstance(observation, np.ndarray | np.generic):
        return observation.tolist()
    if isinstance(observation, dict):
        return {str(key): plain(item) for key, item in observation.items()}
    if isinstance(observation, list | tuple):
        return [plain(item) for item in observation]
    return observation
