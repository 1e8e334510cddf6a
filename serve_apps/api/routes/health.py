"""``/healthz`` and ``/readyz``, for probes: no credentials, no details of a tenant."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from rlplatform.errors import PlatformError
from rlplatform.health import Dependency, DependencyState, Health, Readiness
from serve_apps.api.dependencies import Context, Ctx

router = APIRouter(tags=["health"])
_BUDGET_S = 3.0
_OPTIONAL = frozenset({"sandbox"})


@router.get(
    "/healthz",
    summary="Check that the process runs",
    responses={200: {"model": Health, "description": "Alive."}},
)
async def healthz() -> Health:
    """Answer 200 while the process runs."""
    return Health()


@router.get(
    "/readyz",
    summary="Check that the platform is ready, with one entry for each part that it depends on",
    responses={
        200: {"model": Readiness, "description": "Ready, or degraded."},
        503: {"model": Readiness, "description": "The store or Ray does not answer."},
    },
)
async def readyz(ctx: Ctx) -> Response:
    """Check the parts that the platform depends on. Without a sandbox it is `degraded`, which is still 200."""
    readiness = await _readiness(ctx)
    status = 503 if readiness.status == "unavailable" else 200
    return Response(readiness.model_dump_json(), status_code=status, media_type="application/json")


async def _readiness(ctx: Context) -> Readiness:
    found = [await _store(ctx)]
    counts = {}
    try:
        async with asyncio.timeout(_BUDGET_S):
            status = await ctx.services.commands.status()
        found += [dependency for dependency in status.dependencies if dependency.name != "store"]
        counts = {name: getattr(status, name) for name in status._fields if name != "dependencies"}
    except TimeoutError:
        found.append(Dependency("ray", ok=False, detail=f"the supervisor did not answer within {_BUDGET_S:.0f} s"))
    except PlatformError as error:
        found.append(Dependency("ray", ok=False, detail=error.detail))
    failed = {dependency.name for dependency in found if not dependency.ok}
    return Readiness(
        status="ready" if not failed else "degraded" if failed <= _OPTIONAL else "unavailable",
        dependencies=[DependencyState(**dependency._asdict()) for dependency in found],
        **counts,
    )


async def _store(ctx: Context) -> Dependency:
    try:
        async with asyncio.timeout(_BUDGET_S):
            await ctx.services.store.summaries("training", limit=1)
    except TimeoutError:
        return Dependency("store", ok=False, detail=f"no answer within {_BUDGET_S:.0f} s")
    except PlatformError as error:
        return Dependency("store", ok=False, detail=error.detail)
    return Dependency("store", ok=True)
