"""Recorded episodes: list, read step by step, watch as a video; policy evaluations that record them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.environments.options import EnvOptions
from rlplatform.episodes.models import Episode, EpisodeInfo, EpisodeList
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import InvalidRequest, NotFound, NotReady, Unavailable
from rlplatform.ids import Kind, kind_of
from rlplatform.playing.ports import EpisodeService, PolicySource
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.retries import with_timeout
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.ranges import part_of
from serve_apps.api.http.responses import unchanged
from serve_apps.api.openapi.document import accepts, binary, problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.routes.checkpoints import find_checkpoint

router = APIRouter(prefix="/v1", tags=["episodes"])
VIDEO_WAIT_S = 60.0
EXAMPLE = {"episodes": 100, "seed": 1}
_MEDIA_TYPE = "video/mp4"
_HEADERS = headers("Accept-Ranges", "ETag")
_LISTED = {200: {"model": EpisodeList, "description": "The episodes."}, **problems(401, 403, 404, 503)}
_EVALUATED = {
    201: {"model": PolicyEvaluation, "description": "The result, and the episodes that were recorded."},
    **problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
}


@router.get(
    "/trainings/{training_id}/episodes",
    name="of_training",
    summary="List the recorded episodes of a training, oldest first",
    responses=_LISTED,
)
async def of_training(ctx: Ctx, caller: Caller, training_id: str) -> EpisodeList:
    """Return the episodes that policy evaluations of a training have recorded: of each the first, the best, the worst
    and the last. Of more than 128 evaluations not all are recorded, but always the last."""
    run = await ctx.training(training_id, caller)
    return await _listed(ctx, run.id)


@router.get(
    "/policies/{policy_id}/episodes",
    name="of_policy",
    summary="List the recorded episodes of a published policy, oldest first",
    responses=_LISTED,
)
async def of_policy(ctx: Ctx, caller: Caller, policy_id: str) -> EpisodeList:
    """Return the episodes that evaluations of a published policy have recorded."""
    record = await ctx.policy(policy_id, caller)
    return await _listed(ctx, record.id)


@router.get(
    "/evaluations/{evaluation_id}/episodes",
    name="of_evaluation",
    summary="List the recorded episodes of an evaluation, test by test",
    responses=_LISTED,
)
async def of_evaluation(ctx: Ctx, caller: Caller, evaluation_id: str) -> EpisodeList:
    """Return the best, the median and the worst episode that the agent played in each test. Those of hidden tests are
    for staff alone, whose key has the scope `read`. They are there once the evaluation has finished."""
    run = await ctx.evaluation(evaluation_id, caller)
    found = await _listed(ctx, run.id)
    shown = [info for info in found.items if caller.sees_hidden or not info.hidden]
    order = {test.id: place for place, test in enumerate(run.request.tests)}
    return EpisodeList(items=sorted(shown, key=lambda info: order.get(info.test or "", 0)))


@router.get(
    "/episodes/{episode_id}",
    summary="Show an episode, step by step",
    responses={200: {"model": Episode, "description": "The episode."}, **problems(401, 403, 404, 422, 503)},
)
async def show(
    ctx: Ctx,
    caller: Caller,
    episode_id: str,
    observations: Annotated[bool, Query(description="True: with the observations, too.")] = False,
) -> Episode:
    """Return actions and rewards of each step, and what is known of its video. Observations are returned on request."""
    store = _store(ctx)
    info = await _find(ctx, caller, episode_id)
    recording = await asyncio.to_thread(store.get, info.id)
    video = await asyncio.to_thread(store.get_video_info, info.id)
    return await asyncio.to_thread(recording.document, video, observations=observations)


@router.get(
    "/episodes/{episode_id}/video",
    summary="Watch an episode: an MP4 file",
    response_class=Response,
    responses={
        200: {"description": "The video.", "headers": _HEADERS, "content": binary(_MEDIA_TYPE)},
        206: {
            "description": "The part that `Range` asks for.",
            "headers": _HEADERS | headers("Content-Range"),
            "content": binary(_MEDIA_TYPE),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404, 416, 422, 503),
    },
)
async def video(ctx: Ctx, request: Request, caller: Caller, episode_id: str) -> Response:
    """Return the video of an episode. It is drawn by the first request, which takes seconds to minutes, and kept: if it
    is not finished after a minute, the answer is 503 `not_ready`, and the same request later continues to wait for it.

    The episode is replayed with its seed and actions. `GET /v1/episodes/{episode_id}` says in `video` whether the
    replay gave the same rewards. An environment without pictures is 422."""
    info = await _find(ctx, caller, episode_id)
    tag = f'"{info.id}"'
    about = {"ETag": tag, "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if unchanged(request, tag):
        return Response(status_code=304, headers=about)
    try:
        found = await with_timeout(ctx.services.clock, VIDEO_WAIT_S, _service(ctx).video(info))
    except TimeoutError:
        raise NotReady("the video is being drawn; ask again", retry_after_s=1) from None
    part = part_of(request.headers, len(found.content), tag)
    content = found.content[part.start : part.end]
    return Response(content, 200 if part.whole else 206, {**about, **part.headers}, _MEDIA_TYPE)


@router.post(
    "/policies/{policy_id}/evaluate",
    name="evaluate_policy",
    summary="Evaluate a published policy",
    status_code=201,
    responses=_EVALUATED,
    openapi_extra=accepts(EvaluatePolicyRequest, EXAMPLE),
)
async def evaluate_policy(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    policy_id: str,
    body: Annotated[EvaluatePolicyRequest, Depends(body_of(EvaluatePolicyRequest))],
) -> PolicyEvaluation:
    """Play episodes with a published policy, and answer when all have ended. The first, the best, the worst and the
    last are recorded. Equal requests give equal results."""
    policy = (await ctx.policy(policy_id, caller)).document
    source = PolicySource(
        run_id=policy.id,
        algorithm=policy.algorithm,
        env=policy.env,
        env_config=policy.env_config,
        options=EnvOptions.of(policy).as_json(),
        checkpoint_id=policy.checkpoint_id,
        iteration=policy.iteration,
        env_steps=policy.env_steps,
        policy_id=policy.id,
        sha256=policy.sha256,
    )
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return await _service(ctx).play(source, body)


@router.post(
    "/checkpoints/{checkpoint_id}/evaluate",
    name="evaluate_checkpoint",
    summary="Evaluate the policy of a checkpoint",
    status_code=201,
    responses=_EVALUATED,
    openapi_extra=accepts(EvaluatePolicyRequest, EXAMPLE),
)
async def evaluate_checkpoint(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    checkpoint_id: str,
    body: Annotated[EvaluatePolicyRequest, Depends(body_of(EvaluatePolicyRequest))],
) -> PolicyEvaluation:
    """Play episodes with the policy of a checkpoint, and answer when all have ended. The first, the best, the worst and
    the last are recorded, and belong to the training."""
    checkpoint = await find_checkpoint(ctx, caller, checkpoint_id)
    asked = (await ctx.training(checkpoint.training_id, caller)).document.request
    source = PolicySource(
        run_id=checkpoint.training_id,
        algorithm=asked.algorithm,
        env=asked.env,
        env_config=asked.env_config,
        options=EnvOptions.of(asked).as_json(),
        checkpoint_id=checkpoint.id,
        iteration=checkpoint.iteration,
        env_steps=checkpoint.env_steps,
    )
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return await _service(ctx).play(source, body)


async def _listed(ctx: Context, run_id: str) -> EpisodeList:
    return EpisodeList(items=await asyncio.to_thread(_store(ctx).list, run_id))


async def _find(ctx: Context, caller: Principal, episode_id: str) -> EpisodeInfo:
    """Return an episode.

    Raises:
        NotFound: there is none, or the caller may not see it.
    """
    try:
        info = (await asyncio.to_thread(_store(ctx).get, episode_id)).info
        find = {Kind.TRAINING: ctx.training, Kind.POLICY: ctx.policy, Kind.EVALUATION: ctx.evaluation}
        await find[kind_of(info.run_id)](info.run_id, caller)
        if info.hidden and not caller.sees_hidden:
            raise NotFound("hidden")
    except (InvalidRequest, NotFound):
        raise NotFound("no such episode") from None
    return info


def _store(ctx: Context) -> EpisodeStore:
    if ctx.services.episodes is None:
        raise Unavailable("this deployment keeps no episodes")
    return ctx.services.episodes


def _service(ctx: Context) -> EpisodeService:
    if ctx.services.player is None:
        raise Unavailable("this deployment draws and plays no episodes")
    return ctx.services.player
