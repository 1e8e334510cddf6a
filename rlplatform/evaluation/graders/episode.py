"""The program is an agent: its function picks the actions of one episode of a Gymnasium environment.

The half that needs Gymnasium and NumPy is ``episode_attempt``, imported where an episode is played: clients have
neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from rlplatform import patterns
from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders import agent_loop
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields, refuse_checker
from rlplatform.sandbox.languages import PYTHON
from rlplatform.sandbox.models import Limits, Program


class EpisodeTest(TestFields):
    """A test of ``episode``."""

    seed: int | None = Field(default=None, ge=0, lt=2**53)
    """Seed of the episode (episode). Null: the host draws 63 random bits and tells them to nobody. Leave it null in
    hidden tests: an agent can try the small seeds and foresee the episode."""
    min_return: float | None = Field(default=None, allow_inf_nan=False)
    """Return that the episode must reach (episode); null: playing it to its end is enough."""


class EpisodeGrader(Grader):
    """The program is an agent: `entry(observation)` chooses the actions of one episode of a Gymnasium environment.
    Observations and actions are JSON: a number for Discrete spaces, lists for arrays."""

    test_model: ClassVar[type[TestFields]] = EpisodeTest

    kind: Literal["episode"] = "episode"
    """Selects this grader."""
    env: str = Field(min_length=1, max_length=128)
    """Id of a Gymnasium environment, for example `CartPole-v1`."""
    entry: str = Field(default="act", pattern=patterns.FUNCTION)
    """Name of the function that chooses an action."""
    max_steps: int = Field(default=1000, ge=1, le=100_000)
    """Steps after which an episode ends that the environment does not end."""
    turn_time_s: float = Field(default=1.0, gt=0, le=60)
    """Time for one action, in seconds."""

    @property
    def environment(self) -> str | None:
        return self.env

    def check_environment(self) -> None:
        """Make the agents' environment once, which may take a while.

        Raises:
            InvalidRequest: it cannot be made.
        """
        from rlplatform.evaluation.graders.episode_attempt import make_environment

        make_environment(self.env).close()

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:  # noqa: ARG002
        refuse_checker(checker)

    languages: ClassVar[tuple[str, ...] | None] = (PYTHON,)

    def program(self, files: dict[str, bytes]) -> Program:
        """Put the loop that asks the agent in front of it."""
        loop = agent_loop.source(self.entry, next(iter(files)))
        return Program({**files, agent_loop.PATH: loop}, agent_loop.PATH)

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> TestAttempt:  # noqa: ARG002
        from rlplatform.evaluation.graders.episode_attempt import EpisodeAttempt

        assert isinstance(test, EpisodeTest)
        return EpisodeAttempt(self.env, test.seed, test.min_return, self.max_steps, self.turn_time_s, limits)
