"""``/v1/images``: what submissions can run in."""

from __future__ import annotations

from fastapi import APIRouter

from rlplatform.sandbox.models import ImageList
from serve_apps.api.dependencies import Caller, Ctx
from serve_apps.api.openapi.document import problems

router = APIRouter(prefix="/v1", tags=["images"])


@router.get(
    "/images",
    summary="List the images that submissions can run in",
    responses={200: {"model": ImageList, "description": "The images."}, **problems(401, 403)},
)
async def index(ctx: Ctx, _: Caller) -> ImageList:
    """Return the images of the nodes with sandboxes, with the packages that can be imported in them, by name."""
    return ImageList(items=await ctx.services.commands.images())
