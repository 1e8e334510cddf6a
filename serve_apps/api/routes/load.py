"""``/v1/load``: what waits and runs on the platform, for operators."""

from __future__ import annotations

from fastapi import APIRouter

from rlplatform.load import PlatformLoad
from serve_apps.api.dependencies import CanOperate, Ctx
from serve_apps.api.openapi.document import problems

router = APIRouter(prefix="/v1", tags=["health"])


@router.get(
    "/load",
    summary="Show what waits and runs, by tenant and node; for operators",
    responses={200: {"model": PlatformLoad, "description": "The load."}, **problems(401, 403, 503)},
)
async def load(ctx: Ctx, _: CanOperate) -> PlatformLoad:
    """Return the work of all tenants, the sandboxes and nodes, the store, and undelivered webhooks. Needs the scope
    `operate`."""
    return await ctx.services.commands.load()
