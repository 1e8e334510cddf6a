"""Many episodes of an environment, played side by side by one agent: a line of observations, a line of actions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rlplatform.episodes.played import Budget, PlayedEpisode
from rlplatform.errors import PlatformError, ServiceError
from rlplatform.evaluation.graders.base import Decision, TestAttempt
from rlplatform.evaluation.graders.episode_attempt import draw_seed, fitting_action, plain
from rlplatform.evaluation.graders.function import showable
from rlplatform.evaluation.graders.played_environments import EnvironmentFailed, PlayedEnvironments, Stepped
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Execution, Limits, Outcome
from rlplatform.statistics import bootstrap, significant

_ACTIONS_BYTES = 4 << 20


class _Live:
    """Episode that is being played, and what its agent sees."""

    def __init__(self, played: PlayedEpisode, observation: Any) -> None:
        self.played, self.observation = played, observation
        self.over = False

    def take(self, stepped: Stepped, max_steps: int) -> None:
        """Note the step that the last action was."""
        self.observation = stepped.observation
        self.played.rewarded(stepped.reward, terminated=stepped.terminated)
        self.over = stepped.terminated or stepped.truncated or self.played.length >= max_steps


class EpisodesAttempt(TestAttempt):
    """Attempt at a test of ``episode`` with several episodes, and the ``Interactor`` that plays them.

    Args:
        envs: a copy of the environment for each episode; the attempt closes them.
        episodes: number of episodes.
        seed: seed of the first episode, which the others follow; None: each is drawn.
    """

    def __init__(
        self,
        envs: PlayedEnvironments,
        episodes: int,
        seed: int | None,
        min_return: float | None,
        max_steps: int,
        turn_time_s: float,
        limits: Limits,
    ) -> None:
        super().__init__(Execution(limits))
        self.turn_time_s = turn_time_s
        self._min_return, self._max_steps, self._envs = min_return, max_steps, envs
        budget = Budget()
        seeds = [draw_seed() if seed is None else seed + number for number in range(episodes)]
        self.played = [PlayedEpisode(number, seed, budget) for number, seed in enumerate(seeds)]
        self._live: list[_Live] = []
        try:
            first = envs.reset(seeds)
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", str(failure))
        except PlatformError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise ServiceError(f"the environment failed to reset: {error!r}") from error
        else:
            self._live = [_Live(played, seen) for played, seen in zip(self.played, first, strict=True)]

    @property
    def interactor(self) -> EpisodesAttempt:
        return self

    def begin(self) -> bytes:
        return self._line()

    def reply(self, line: bytes) -> bytes | None:
        if self.decision is not None:
            return None
        try:
            self.wrong_already = self._step(line)
        except EnvironmentFailed as failure:
            self.decision = Decision("internal_error", str(failure))
        except PlatformError:
            raise
        except Exception as error:
            raise ServiceError(f"the environment failed: {error!r}") from error
        self._live = [one for one in self._live if not one.over]
        going = self._live and self.wrong_already is None and self.decision is None
        return self._line() if going else None

    def overhear(self, output: bytes) -> None:
        """Ignore actions after the end of the last episode."""

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002 - what counts is what was played here
        if self._live:
            return f"the program ended while {len(self._live)} of {len(self.played)} episodes were on"
        score = self._score()
        if self._min_return is not None and not score["episode_return"] >= self._min_return:
            low, high = score["interval"]
            return (
                f"interquartile mean of {len(self.played)} returns {score['episode_return']:g} "
                f"(95 % interval {low:g} to {high:g}); at least {self._min_return:g} is asked"
            )
        return None

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002 - what counts is what was played here
        """Interquartile mean of the returns with its interval, and all of them in order."""
        returns = [significant(one.episode_return) for one in self.played]
        lengths = [one.length for one in self.played]
        return showable({**self._score(), "episode_returns": returns, "episode_lengths": lengths})

    def close(self) -> None:
        self._envs.close()

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
        space = self._envs.action_space
        chosen = {}
        for one, given in zip(self._live, actions, strict=True):
            number = one.played.number
            if (action := fitting_action(space, given)) is None:
                shown, step = json.dumps(given)[:80], one.played.length + 1
                return f"episode {number + 1}, step {step}: the action {shown} is not in {space}"
            chosen[number] = action
        for one in self._live:
            one.played.acted(one.observation, chosen[one.played.number])
        stepped = self._envs.step(chosen)
        for one in self._live:
            one.take(stepped[one.played.number], self._max_steps)
        return None

    def _line(self) -> bytes:
        asked = {
            "episodes": [one.played.number for one in self._live],
            "observations": [plain(one.observation) for one in self._live],
        }
        return json.dumps(asked).encode() + b"\n"

    def _score(self) -> dict[str, Any]:
        found = bootstrap(np.array([[one.episode_return] for one in self.played]))
        iqm, low, high = (significant(float(of[0])) for of in found)
        return {"episode_return": iqm, "interval": [low, high]}
