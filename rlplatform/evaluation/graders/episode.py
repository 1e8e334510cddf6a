"""The program is an agent: its function picks the actions of one episode of an environment.

The half that needs Gymnasium and NumPy is ``episode_attempt``, imported where an episode is played: clients have
neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PrivateAttr

from rlplatform import patterns
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.errors import ServiceError
from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders import agent_loop
from rlplatform.evaluation.graders.base import Grader, Session, Stage, TestAttempt, TestFields, refuse_checker
from rlplatform.sandbox.languages import PYTHON
from rlplatform.sandbox.models import Limits, Program

if TYPE_CHECKING:
    from rlplatform.evaluation.graders.played_environments import PlayedEnvironments

MAX_EPISODES = 256
"""Largest number of episodes of one test."""


class EpisodeTest(TestFields):
    """A test of ``episode``."""

    seed: int | None = Field(default=None, ge=0, lt=2**53)
    """Seed of the episode (episode). Null: the host draws 63 random bits and tells them to nobody. Leave it null in
    hidden tests: an agent can try the small seeds and foresee the episode. A version of an assignment draws the seeds
    of its hidden tests once, for all submissions."""
    min_return: float | None = Field(default=None, allow_inf_nan=False)
    """Return that the episode must reach (episode); null: playing it to its end is enough. Of several episodes, their
    interquartile mean must reach it."""
    episodes: int | None = Field(default=None, ge=2, le=MAX_EPISODES)
    """Episodes that are played side by side (episode), with a line of observations and one of actions for each step of
    all of them; `seed` is that of the first one, and the others follow. Null: one."""


class EpisodeGrader(Grader):
    """The program is an agent: a function `entry`, or a class, chooses the actions of one episode of an environment.
    Observations and actions are JSON: a number for Discrete spaces, lists for arrays."""

    test_model: ClassVar[type[TestFields]] = EpisodeTest

    kind: Literal["episode"] = "episode"
    """Selects this grader."""
    env: str = Field(min_length=1, max_length=128)
    """Id of a Gymnasium environment, for example `CartPole-v1`, or `env_…` of an uploaded one, which is stepped in a
    sandbox of its own."""
    entry: str = Field(default="act", pattern=patterns.FUNCTION)
    """Name of the function that chooses an action, or of a class: an object of it is made for each episode, its
    `reset()` is called if there is one, and its `act(observation)` chooses. With `act_batch(observations)` one object
    chooses for all episodes that are played side by side."""
    max_steps: int = Field(default=1000, ge=1, le=100_000)
    """Steps after which an episode ends that the environment does not end."""
    turn_time_s: float = Field(default=1.0, gt=0, le=60)
    """Time for one action, in seconds. The first one includes importing the program and making its agent."""

    _code: UserCode | None = PrivateAttr(None)

    @property
    def environment(self) -> str | None:
        return self.env

    def check_environment(self) -> None:
        """Make the agents' environment once, which may take a while.

        Raises:
            InvalidRequest: it cannot be made.
        """
        from rlplatform.evaluation.graders.played_environments import make_environment

        make_environment(self.env).close()

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:  # noqa: ARG002
        refuse_checker(checker)

    def playing(self, code: UserCode) -> EpisodeGrader:
        """Return the grader with the code of its uploaded environment."""
        grader = self.model_copy()
        grader._code = code
        return grader

    languages: ClassVar[tuple[str, ...] | None] = (PYTHON,)

    def program(self, files: dict[str, bytes]) -> Program:
        """Put the loop that asks the agent in front of it."""
        loop = agent_loop.source(self.entry, next(iter(files)))
        return Program({**files, agent_loop.PATH: loop}, agent_loop.PATH)

    def open(self, checker: Checker, stage: Stage) -> Session:
        return _EpisodeSession(self, checker, stage, self._code)


class _EpisodeSession(Session):
    """Judging of one agent, in an environment of this process, or in an uploaded one beside its sandbox."""

    def __init__(self, grader: EpisodeGrader, checker: Checker, stage: Stage, code: UserCode | None) -> None:
        super().__init__(grader, checker)
        self._settings, self._stage, self._code = grader, stage, code

    def attempt(self, test: EpisodeTest, limits: Limits) -> TestAttempt:
        from rlplatform.evaluation.graders.episode_attempt import EpisodeAttempt
        from rlplatform.evaluation.graders.episodes_attempt import EpisodesAttempt

        grader = self._settings
        envs = self._environments(test.episodes or 1)
        if test.episodes is None:
            return EpisodeAttempt(envs, test.seed, test.min_return, grader.max_steps, grader.turn_time_s, limits)
        return EpisodesAttempt(
            envs, test.episodes, test.seed, test.min_return, grader.max_steps, grader.turn_time_s, limits
        )

    def _environments(self, copies: int) -> PlayedEnvironments:
        from rlplatform.evaluation.graders.played_environments import RegisteredEnvironments
        from rlplatform.evaluation.graders.uploaded_environment import UploadedEnvironments

        if not is_user_environment(self._settings.env):
            return RegisteredEnvironments(self._settings.env, copies)
        if self._code is None:
            raise ServiceError(f"{self._settings.env} is not here")
        return UploadedEnvironments(self._stage.open_beside, self._code, self._settings.max_steps)
