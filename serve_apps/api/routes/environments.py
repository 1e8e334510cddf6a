"""``/v1/environments``: what can be trained, and environments that users upload."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.environments.models import EnvironmentInfo, EnvironmentList
from rlplatform.ids import Kind, check_id
from rlplatform.runs.pages import Page
from rlplatform.user_environments.models import EnvironmentUpload, UserEnvironment
from rlplatform.user_environments.service import UserEnvironments
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.paging import PageQuery
from serve_apps.api.http.responses import document, page
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

PATH = "/v1/environments"
EXAMPLE = {
    "entry": "grid:GridWorld",
    "files": [{"path": "grid.py", "content": "import gymnasium as gym\n\nclass GridWorld(gym.Env): ..."}],
}


class EnvironmentQuery(BaseModel):
    """Filters and page of the list of environments."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(default="", max_length=128, description="only ids and names that contain this, in any case")
    backend: Literal["envpool", "gymnasium", "sandbox"] | None = Field(
        default=None, description="only those stepped by it; `sandbox`: those that users uploaded"
    )
    preset: bool | None = Field(default=None, description="only those with, or without, tuned hyperparameters")
    limit: int | None = Field(default=None, ge=1, le=5000, description="environments a page; left out: all")
    cursor: str | None = Field(default=None, max_length=128, description="`next_cursor` of the page before")


router = APIRouter(prefix="/v1", tags=["environments"])


@router.get(
    "/environments",
    summary="List the environments that can be trained on",
    responses={200: {"model": EnvironmentList, "description": "The environments."}, **problems(401, 403)},
)
async def index(ctx: Ctx, caller: Caller, query: Annotated[EnvironmentQuery, Query()]) -> EnvironmentList:
    """Return the environments that trainings of this platform can use, with their spaces, by id. Uploaded ones are
    among them once they are ready."""
    wanted = query.search.lower()
    found = [
        info
        for info in sorted([*ctx.services.environments(), *await _uploaded(ctx, caller)], key=lambda info: info.id)
        if (wanted in info.id.lower() or wanted in (info.name or "").lower())
        and (query.backend is None or info.backend == query.backend)
        and (query.preset is None or (info.preset is not None) == query.preset)
        and (query.cursor is None or info.id > query.cursor)
    ]
    shown = found if query.limit is None else found[: query.limit]
    return EnvironmentList(items=shown, next_cursor=shown[-1].id if len(shown) < len(found) else None)


@router.post(
    "/environments",
    summary="Upload an environment and check its contract",
    status_code=202,
    responses={
        200: {
            "model": UserEnvironment,
            "description": "Uploaded before: this is it.",
            "headers": headers("Location"),
        },
        202: {
            "model": UserEnvironment,
            "description": "Stored; its contract is being checked. Read it again until its state is not `checking`.",
            "headers": headers("Location"),
        },
        **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(EnvironmentUpload, EXAMPLE),
)
async def upload(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    body: Annotated[EnvironmentUpload, Depends(body_of(EnvironmentUpload))],
) -> Response:
    """Store an environment and have its contract checked in a sandbox: spaces, seeding, determinism, copies beside each
    other, ends of episodes, rewards, step rate. The same again gives the same environment: an upload can safely be
    repeated."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    info, new = await _service(ctx).upload(body, caller)
    location = {"Location": f"{PATH}/{info.id}"}
    status = 202 if new else 200
    return Response(info.model_dump_json(), status_code=status, media_type="application/json", headers=location)


@router.get(
    "/environments:uploaded",
    summary="List uploaded environments, newest first",
    responses={
        200: {"model": Page[UserEnvironment], "description": "A page of environments.", "headers": headers("Link")},
        **problems(401, 403, 422),
    },
)
async def uploaded(ctx: Ctx, request: Request, caller: Caller, query: Annotated[PageQuery, Query()]) -> Response:
    """Return one page of the uploaded environments that the caller sees, whatever their state, newest first."""
    query.check_cursor(Kind.ENVIRONMENT)
    found, cursor = await _service(ctx).list(caller, before=query.cursor, limit=query.limit)
    return page(request, found, cursor)


@router.get(
    "/environments/{environment_id}",
    summary="Show an uploaded environment and the report on its contract",
    responses={
        200: {"model": UserEnvironment, "description": "The environment.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404, 422),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, environment_id: str) -> Response:
    """Return an uploaded environment: its state, and the result of each check so far."""
    return document(request, await _service(ctx).find(check_id(environment_id, Kind.ENVIRONMENT), caller))


@router.delete(
    "/environments/{environment_id}",
    summary="Delete an uploaded environment",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Deleted."}, **problems(401, 403, 404, 409, 422, 503)},
)
async def delete(ctx: Ctx, caller: CanTrain, environment_id: str) -> Response:
    """Delete an uploaded environment. One that an unfinished training uses stays: 409."""
    await _service(ctx).delete(check_id(environment_id, Kind.ENVIRONMENT), caller)
    return Response(status_code=204)


async def _uploaded(ctx: Context, caller: Principal) -> list[EnvironmentInfo]:
    found, _ = await _service(ctx).list(caller, limit=1000)
    return [
        EnvironmentInfo(
            id=info.id,
            name=info.name,
            observation_space=info.observation_space or "",
            action_space=info.action_space or "",
            backend="sandbox",
            max_episode_steps=info.max_episode_steps,
        )
        for info in found
        if info.state == "ready"
    ]


def _service(ctx: Context) -> UserEnvironments:
    return UserEnvironments(ctx.services.store, ctx.services.clock, ctx.services.commands, ctx.files)
