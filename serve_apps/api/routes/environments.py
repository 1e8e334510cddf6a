"""``/v1/environments``: what can be trained."""

from __future__ import annotations

from fastapi import APIRouter

from rlplatform.documents import EnvironmentList
from serve_apps.api.deps import Caller, Ctx
from serve_apps.api.openapi import problems

router = APIRouter(prefix="/v1", tags=["environments"])


@router.get(
    "/environments",
    summary="List the environments that can be trained on",
    responses={200: {"model": EnvironmentList, "description": "The environments."}, **problems(401, 403)},
)
def index(ctx: Ctx, _: Caller) -> EnvironmentList:
    """Return the environments that trainings of this platform can use, with their spaces."""
    return EnvironmentList(items=list(ctx.services.environments()))
