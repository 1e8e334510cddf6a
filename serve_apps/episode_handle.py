"""Handles of the deployments that draw episodes and play policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlplatform.environments.sandboxed.user_code import is_user_environment
from rlplatform.episodes.models import EpisodeInfo
from rlplatform.episodes.ports import Video
from rlplatform.playing.ports import Frame, PolicySource, WatchedTraining
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from serve_apps.deployment_handle import DeploymentHandle

START_S = 60.0
"""Seconds that the first request may take to start a deployment."""
TURNS = 4
"""Jobs that a request may wait for."""


class EpisodesHandle:
    """The ``EpisodeService`` port over the Serve deployments of episodes."""

    def __init__(self, lookup: Callable[[], Any], lookup_sandboxed: Callable[[], Any], job_s: float) -> None:
        """``lookup`` finds the deployment for installed environments, ``lookup_sandboxed`` that for uploaded ones.
        ``job_s``: seconds that one job may take."""
        patience_s = START_S + TURNS * job_s
        self._installed = DeploymentHandle(lookup, "episodes", patience_s)
        self._uploaded = DeploymentHandle(lookup_sandboxed, "episodes of uploaded environments", patience_s)

    async def video(self, episode: EpisodeInfo) -> Video:
        return Video(*await self._of(episode.env).call("video", episode))

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        played: PolicyEvaluation = await self._of(source.env).call("play", tuple(source), request)
        return played

    async def frame(self, training: WatchedTraining, after: int) -> Frame:
        shown: Frame = await self._of(training.env).call("frame", tuple(training), after)
        return shown

    def _of(self, env: str) -> DeploymentHandle:
        return self._uploaded if is_user_environment(env) else self._installed
