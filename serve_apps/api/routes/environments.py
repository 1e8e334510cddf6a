"""``/v1/environments``: what can be trained."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from rlplatform.environments.models import EnvironmentList
from serve_apps.api.dependencies import Caller, Ctx
from serve_apps.api.openapi.document import problems


class EnvironmentQuery(BaseModel):
    """Filters and page of the list of environments."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(default="", max_length=128, description="only ids that contain this, in any case")
    backend: Literal["envpool", "gymnasium"] | None = Field(default=None, description="only those stepped by it")
    preset: bool | None = Field(default=None, description="only those with, or without, tuned hyperparameters")
    limit: int | None = Field(default=None, ge=1, le=5000, description="environments a page; left out: all")
    cursor: str | None = Field(default=None, max_length=128, description="`next_cursor` of the page before")


router = APIRouter(prefix="/v1", tags=["environments"])


@router.get(
    "/environments",
    summary="List the environments that can be trained on",
    responses={200: {"model": EnvironmentList, "description": "The environments."}, **problems(401, 403)},
)
def index(ctx: Ctx, _: Caller, query: Annotated[EnvironmentQuery, Query()]) -> EnvironmentList:
    """Return the environments that trainings of this platform can use, with their spaces, by id."""
    wanted = query.search.lower()
    found = [
        info
        for info in ctx.services.environments()
        if wanted in info.id.lower()
        and (query.backend is None or info.backend == query.backend)
        and (query.preset is None or (info.preset is not None) == query.preset)
        and (query.cursor is None or info.id > query.cursor)
    ]
    page = found if query.limit is None else found[: query.limit]
    return EnvironmentList(items=page, next_cursor=page[-1].id if len(page) < len(found) else None)
