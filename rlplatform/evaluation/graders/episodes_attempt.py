"""Many episodes of an environment, played side by side by one agent: a line of observations, a line of actions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rlplatform.errors import ServiceError
from rlplatform.evaluation.graders.base import TestAttempt
from rlplatform.evaluation.graders.episode_attempt import draw_seed, fitting_action, plain
from rlplatform.evaluation.graders.function import showable
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Execution, Limits, Outcome
from rlplatform.statistics import bootstrap

_ACTIONS_BYTES = 4 << 20


class _Episode:
    """Episode of an attempt, numbered from 0."""

    def __init__(self, number: int, env: Any, seed: int, max_steps: int) -> None:
        self.number, self._env, self._max_steps = number, env, max_steps
        self.total = 0.0
        self.steps = 0
        self.over = False
        self.observation, _ = env.reset(seed=seed)

    def step(self, given: Any) -> str | None:
        """Take the action that a JSON value means; return why it means none."""
        space = self._env.action_space
        if (action := fitting_action(space, given)) is None:
            shown = json.dumps(given)[:80]
            return f"episode {self.number + 1}, step {self.steps + 1}: the action {shown} is not in {space}"
        self.observation, reward, terminated, truncated, _ = self._env.step(action)
        self.total += float(reward)
        self.steps += 1
        self.over = bool(terminated or truncated) or self.steps >= self._max_steps
        return None


class EpisodesAttempt(TestAttempt):
    """Attempt at a test of ``episode`` with several episodes, and the ``Interactor`` that plays them.

    Args:
        envs: environments of ``gymnasium.Env``, one for each episode; the attempt closes them.
        seed: seed of the first episode, which the others follow; None: each is drawn.
    """

    def __init__(
        self,
        envs: list[Any],
        seed: int | None,
        min_return: float | None,
        max_steps: int,
        turn_time_s: float,
        limits: Limits,
    ) -> None:
        super().__init__(Execution(limits))
        self.turn_time_s = turn_time_s
        self._min_return, self._envs = min_return, envs
        try:
            self._episodes = [
                _Episode(number, env, draw_seed() if seed is None else seed + number, max_steps)
                for number, env in enumerate(envs)
            ]
        except Exception as error:
            self.close()
            raise ServiceError(f"the environment failed to reset: {error!r}") from error
        self._live = self._episodes

    @property
    def interactor(self) -> EpisodesAttempt:
        return self

    def begin(self) -> bytes:
        return self._line()

    def reply(self, line: bytes) -> bytes | None:
        try:
            self.wrong_already = self._step(line)
        except Exception as error:
            raise ServiceError(f"the environment failed: {error!r}") from error
        self._live = [one for one in self._live if not one.over]
        return self._line() if self._live and self.wrong_already is None else None

    def overhear(self, output: bytes) -> None:
        """Ignore actions after the end of the last episode."""

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was played here
        if self._live:
            return f"the program ended while {len(self._live)} of {len(self._episodes)} episodes were on"
        score = self._score()
        if self._min_return is not None and not score["episode_return"] >= self._min_return:
            low, high = score["interval"]
            return (
                f"interquartile mean of {len(self._episodes)} returns {score['episode_return']:g} "
                f"(95 % interval {low:g} to {high:g}); at least {self._min_return:g} is asked"
            )
        return None

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002 - what counts is what was played here
        """Interquartile mean of the returns with its interval, and all of them in order."""
        returns = [one.total for one in self._episodes]
        lengths = [one.steps for one in self._episodes]
        return showable({**self._score(), "episode_returns": returns, "episode_lengths": lengths})

    def close(self) -> None:
        for env in self._envs:
            env.close()

    def _step(self, line: bytes) -> str | None:
        """Take one step in each episode that is on; return what is wrong with the actions."""
        if len(line) > _ACTIONS_BYTES:
            return f"actions of {len(line)} bytes"
        try:
            actions = values.decode(line)
        except values.ValueRefused as refusal:
            return f"the actions are refused: {refusal}"
        if not isinstance(actions, list) or len(actions) != len(self._live):
            return f"a list of {len(self._live)} actions is asked, one for each observation; got {line[:80]!r}"
        for one, action in zip(self._live, actions, strict=True):
            if (wrong := one.step(action)) is not None:
                return wrong
        return None

    def _line(self) -> bytes:
        asked = {
            "episodes": [one.number for one in self._live],
            "observations": [plain(one.observation) for one in self._live],
        }
        return json.dumps(asked).encode() + b"\n"

    def _score(self) -> dict[str, Any]:
        found = bootstrap(np.array([[one.total] for one in self._episodes]))
        low, high = float(found.low[0]), float(found.high[0])
        return {"episode_return": float(found.iqm[0]), "interval": [low, high]}
