"""Port of the service that draws recorded episodes and plays policies."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from rlplatform.episodes.models import EpisodeInfo
from rlplatform.episodes.ports import Video
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation

FRAMES_PER_S = 10.0
"""Largest number of pictures a second that a viewer gets of a game."""


class PolicySource(NamedTuple):
    """Policy to play, and its environment.

    ``policy_id`` is that of a published policy, with the SHA-256 of its archive; without one the policy is that of
    ``checkpoint_id`` of the training ``run_id``. Episodes belong to ``run_id``.
    """

    run_id: str
    algorithm: str
    env: str
    env_config: dict[str, Any]
    options: dict[str, Any]
    checkpoint_id: str
    iteration: int
    env_steps: int
    policy_id: str | None = None
    sha256: str | None = None


class WatchedTraining(NamedTuple):
    """Training that is watched: its newest policy is played in its environment."""

    run_id: str
    tenant: str
    algorithm: str
    env: str
    env_config: dict[str, Any]
    options: dict[str, Any]


class GameState(BaseModel):
    """State of a game that the newest policy of a training plays, at the time of a picture."""

    number: int
    """Number of the picture; the next one has another."""
    checkpoint_id: str
    """Checkpoint whose policy plays."""
    iteration: int
    """Iteration of the checkpoint."""
    env_steps: int
    """Environment steps that the policy was trained for."""
    episode: int
    """Number of the episode, from 1."""
    step: int
    """Steps of the episode so far."""
    episode_return: float | None
    """Sum of its rewards so far; null if that is no finite number."""
    reward: float | None
    """Reward of the last step; null at the beginning of an episode."""
    action: list[float]
    """Action of the last step; empty at the beginning of an episode, or if it has more than 32 numbers."""
    observation: list[float]
    """Observation that the policy sees next; empty if it has more than 32 numbers."""
    over: bool
    """True if the episode has ended with the last step."""


class Frame(GameState):
    """One picture of a game, and the state of the game."""

    picture: bytes | None = None
    """JPEG file; null if the environment has no picture."""


class EpisodeService(Protocol):
    """Draws episodes and plays policies, away from trainings and from the API."""

    async def video(self, episode: EpisodeInfo) -> Video:
        """Return the video of an episode, drawn now if none is kept. Requests for one episode share one drawing.

        Raises:
            NotFound: there is no such episode.
            InvalidRequest: it cannot be drawn; says why.
            EngineError: drawing it failed.
            SandboxUnavailable: its environment is an uploaded one, and there is no sandbox.
        """

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        """Evaluate a policy, and keep the episodes worth seeing.

        Raises:
            NotFound: the policy or the checkpoint is gone.
            Conflict: the checkpoint holds no policy that can play.
            EngineError: the environment failed, or a limit was reached.
            SandboxUnavailable: the environment is an uploaded one, and there is no sandbox.
        """

    async def frame(self, training: WatchedTraining, after: int) -> Frame:
        """Return a picture of the game that the newest policy of a training plays: the newest picture, or the next one
        if the newest has the number ``after``.

        The game begins with the first call, is shared by all viewers of the training, and ends some seconds after the
        last call.

        Raises:
            NotReady: the training has no checkpoint yet.
            Conflict: the checkpoint holds no policy that can play.
            TooManyRequests: too many trainings are watched, of this tenant or altogether.
            EngineError: the environment failed.
            SandboxUnavailable: the environment is an uploaded one, and there is no sandbox.
        """
