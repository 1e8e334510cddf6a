"""Handle of the deployment that draws episodes and plays policies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from actors.rpc.ray_calls import ask, first_line, result
from rlplatform.episodes.ports import Video
from rlplatform.errors import Unavailable
from rlplatform.playing.ports import PolicySource
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation

START_S = 60.0
"""Seconds that the first request may take to start the deployment."""
TURNS = 4
"""Jobs that a request may wait for."""


class EpisodesHandle:
    """The ``EpisodeService`` port over the Serve deployment of episodes."""

    def __init__(self, lookup: Callable[[], Any], job_s: float) -> None:
        """``job_s``: seconds that one job may take."""
        self._lookup = lookup
        self._patience_s = START_S + TURNS * job_s
        self._deployment: Any = None

    async def video(self, episode_id: str) -> Video:
        return Video(*await self._call("video", episode_id))

    async def play(self, source: PolicySource, request: EvaluatePolicyRequest) -> PolicyEvaluation:
        return await self._call("play", tuple(source), request)

    async def _call(self, method: str, *args: Any) -> Any:
        from ray.serve.exceptions import RayServeException  # seconds, and here Serve runs already

        self._deployment = self._deployment or self._lookup()
        response = ask(self._deployment, method, *args)
        try:
            return await asyncio.wait_for(result(response, method), self._patience_s)
        except TimeoutError:
            raise Unavailable(f"{method}: no replica for episodes answered within {self._patience_s:g} s") from None
        except RayServeException as error:
            raise Unavailable(f"{method}: {first_line(error)}") from None
