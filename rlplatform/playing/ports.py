"""Port of the service that draws recorded episodes and plays policies."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from rlplatform.episodes.models import EpisodeInfo
from rlplatform.episodes.ports import Video
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation


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
