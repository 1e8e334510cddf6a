"""Handle of the deployment that draws episodes and plays policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlplatform.episodes.ports import Video
from rlplatform.playing.ports import PolicySource
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from serve_apps.deployment_handle import DeploymentHandle

START_S = 60.0
"""Seconds that the first request may take to start the deployment."""
TURNS = 4
"""Jobs that a request may wait for."""


class EpisodesHandle(DeploymentHandle):
    """The ``EpisodeService`` port over the Serve deployment of episodes."""

    def __init__(self, lookup: Callable[[], Any], job_s: float) -> None:
        """``job_s``: seconds that one job may take."""
        super().__init__(lookup, "episodes", START_S + TURNS * job_s)

    async def video(self, episode_id: str) -> Video:
        return Video(*await self._call("video", episode_id))

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        return await self._call("play", tuple(source), request)
