"""Calls for recorded episodes, their videos, and policy evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import POLICY_WAIT_S, Call, reads, segment, with_json
from rlplatform.client.downloads import saving
from rlplatform.episodes.models import Episode, EpisodeInfo, EpisodeList
from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.ids import Kind, kind_of
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation

EVALUATION_WAIT_S = 330.0
DRAWING_ATTEMPTS = 10
"""Requests for a video, each of which waits a minute for it."""


class EpisodeCalls(AsyncTransport):
    """List, read and watch episodes, and evaluate policies."""

    async def episodes(self, run_id: str) -> list[EpisodeInfo]:
        """Return the recorded episodes of a training, of a published policy, or of an evaluation.

        Raises:
            NotFound: there is no such run.
        """
        collections = {Kind.TRAINING: "trainings", Kind.POLICY: "policies", Kind.EVALUATION: "evaluations"}
        if (kind := kind_of(run_id)) not in collections:
            raise InvalidRequest(
                f"{run_id!r} is no training (train_…), policy (pol_…) or evaluation (eval_…)", field="id"
            )
        path = f"/v1/{collections[kind]}/{segment(run_id)}/episodes"
        return (await self._send(Call("GET", path, reads(EpisodeList)))).items

    async def episode(self, episode_id: str, *, observations: bool = False) -> Episode:
        """Return an episode with its actions and rewards; with its observations, too, if they are asked for.

        Raises:
            NotFound: there is no such episode.
        """
        params = {"observations": "true"} if observations else {}
        return await self._send(Call("GET", f"/v1/episodes/{segment(episode_id)}", reads(Episode), params))

    async def download_video(self, episode_id: str, target: Path) -> Path:
        """Save the video of an episode as an MP4 file, once it is drawn. ``target`` appears only once it is complete.

        Raises:
            NotFound: there is no such episode.
            InvalidRequest: it has no video: its environment has no picture, say.
            EngineError: drawing it failed.
        """
        call = Call("GET", f"/v1/episodes/{segment(episode_id)}/video", bytes, wait_s=POLICY_WAIT_S)
        for attempt in range(1, DRAWING_ATTEMPTS + 1):
            try:
                content = await self._send(call)
            except Unavailable:
                if attempt == DRAWING_ATTEMPTS:
                    raise
            else:
                break
        with saving(target) as file:
            file.write(content)
        return target

    async def evaluate_policy(
        self, source_id: str, request: EvaluatePolicyRequest | Mapping[str, Any] | None = None
    ) -> PolicyEvaluation:
        """Play episodes with a published policy, or with the policy of a checkpoint, and wait for the result.

        Args:
            source_id: ``pol_…`` or ``ckpt_…``.
            request: Number of episodes, seed, and whether actions are drawn; None: ten episodes.

        Raises:
            NotFound: there is no such policy or checkpoint.
            EngineError: the environment failed, or the evaluation took too long.
        """
        collections = {Kind.POLICY: "policies", Kind.CHECKPOINT: "checkpoints"}
        if (kind := kind_of(source_id)) not in collections:
            raise InvalidRequest(f"{source_id!r} is neither a policy (pol_…) nor a checkpoint (ckpt_…)", field="id")
        path = f"/v1/{collections[kind]}/{segment(source_id)}/evaluate"
        return await self._send(
            with_json("POST", path, request or {}, PolicyEvaluation, wait_s=EVALUATION_WAIT_S, repeatable=False)
        )
