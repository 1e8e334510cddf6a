"""``/v1/usage``: what the tenant uses. ``/v1/tenants/…/quotas``: what a tenant may use."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from rlplatform import patterns
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotFound
from rlplatform.quotas.models import TenantQuotas, Usage
from rlplatform.settings import Quotas
from serve_apps.api.dependencies import CanAdminister, CanRead, Context, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.openapi.document import accepts, problems

router = APIRouter(prefix="/v1", tags=["usage"])
_AUDIT = logging.getLogger("rlplatform.audit")
_QUOTAS: dict[int | str, dict[str, Any]] = {200: {"model": TenantQuotas, "description": "The quotas."}}

Tenant = Annotated[str, Path(pattern=patterns.TENANT)]


@router.get(
    "/usage",
    summary="Show the usage of the tenant, now and today, and its quotas",
    responses={200: {"model": Usage, "description": "The usage."}, **problems(401, 403)},
)
async def show_usage(ctx: Ctx, caller: CanRead) -> Usage:
    """Return the runs and the daily use of the caller's tenant, with its quotas."""
    return await ctx.accounts.usage(caller.tenant)


@router.get(
    "/tenants/{tenant}/quotas",
    summary="Show the quotas of a tenant",
    responses={**_QUOTAS, **problems(401, 403, 404, 422)},
)
async def show_quotas(ctx: Ctx, caller: CanAdminister, tenant: Tenant) -> TenantQuotas:
    """Return the quotas that apply to a tenant. Another tenant than the caller's needs the scope `operate`."""
    _check(caller, tenant)
    return await _document(ctx, tenant)


@router.put(
    "/tenants/{tenant}/quotas",
    summary="Set the quotas of a tenant; for operators",
    responses={**_QUOTAS, **problems(400, 401, 403, 404, 408, 413, 415, 422)},
    openapi_extra=accepts(Quotas, {"concurrent_trainings": 2, "env_steps_per_day": 50_000_000, "weight": 2}),
)
async def set_quotas(
    ctx: Ctx, caller: CanAdminister, tenant: Tenant, body: Annotated[Quotas, Depends(body_of(Quotas))]
) -> TenantQuotas:
    """Replace the quotas that were set for a tenant. Quotas that are left out have the operator's defaults. Needs the
    scope `operate`."""
    return await _set(ctx, caller, tenant, body)


@router.delete(
    "/tenants/{tenant}/quotas",
    summary="Reset the quotas of a tenant to the defaults; for operators",
    responses={**_QUOTAS, **problems(401, 403, 404, 422)},
)
async def reset_quotas(ctx: Ctx, caller: CanAdminister, tenant: Tenant) -> TenantQuotas:
    """Remove the quotas that were set for a tenant, so that the defaults apply. Needs the scope `operate`."""
    return await _set(ctx, caller, tenant, Quotas())


async def _set(ctx: Context, caller: Principal, tenant: str, overrides: Quotas) -> TenantQuotas:
    _check(caller, tenant)
    caller.require(Scope.OPERATE)
    await ctx.accounts.override(tenant, overrides)
    _AUDIT.info("quotas of %s set by %s: %s", tenant, caller.id, overrides.model_dump_json(exclude_unset=True))
    return await _document(ctx, tenant)


async def _document(ctx: Context, tenant: str) -> TenantQuotas:
    overrides = (await ctx.accounts.overrides(tenant)).model_dump(exclude_unset=True)
    return TenantQuotas(tenant=tenant, quotas=await ctx.accounts.quotas(tenant), overrides=overrides)


def _check(caller: Principal, tenant: str) -> None:
    if tenant != caller.tenant and not caller.has(Scope.OPERATE):
        raise NotFound("no such tenant")
