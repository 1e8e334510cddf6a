"""``/v1/webhooks``: who is told of finished runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.errors import Conflict, QuotaExceeded
from rlplatform.ids import Kind, new_id
from rlplatform.webhooks.addresses import check_url
from rlplatform.webhooks.book import LOG_LENGTH, WebhookBook
from rlplatform.webhooks.deliverer import delivery_id
from rlplatform.webhooks.models import (
    TEST,
    Delivery,
    DeliveryList,
    Webhook,
    WebhookChange,
    WebhookCreated,
    WebhookList,
    WebhookRequest,
    WebhookRotation,
)
from serve_apps.api.bodies import body_of
from serve_apps.api.deps import Admin, Context, Ctx
from serve_apps.api.openapi import accepts, problems
from serve_apps.api.responses import accepted

router = APIRouter(prefix="/v1", tags=["webhooks"])
EXAMPLE = {"url": "https://course.example/rlplatform", "events": ["evaluation.finished"]}
_BODY = (400, 401, 403, 408, 413, 415, 422)
_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": WebhookCreated, "description": "`secret` is shown this once"}
}


class LogQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=LOG_LENGTH)


@router.post(
    "/webhooks",
    summary="Be told of finished runs; the secret is shown once",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY, 429)},
    openapi_extra=accepts(WebhookRequest, EXAMPLE),
)
async def create(
    ctx: Ctx, request: Request, caller: Admin, body: Annotated[WebhookRequest, Depends(body_of(WebhookRequest))]
) -> Response:
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    settings = ctx.settings.webhooks
    check_url(body.url, allow_private=settings.allow_private)
    book = WebhookBook(ctx.services.store)
    if (used := len(await book.webhooks(caller.tenant))) >= settings.max_per_tenant:
        raise QuotaExceeded("webhooks", used=used, limit=settings.max_per_tenant, retry_after_s=3600.0)
    webhook = Webhook(
        id=new_id(Kind.WEBHOOK),
        tenant=caller.tenant,
        url=body.url,
        events=body.events,
        description=body.description,
        created_by=caller.id,
        created_at=ctx.services.clock.now(),
    )
    await book.add_webhook(webhook)
    return _created(ctx, webhook)


@router.get(
    "/webhooks",
    summary="List webhooks, newest first",
    responses={200: {"model": WebhookList}, **problems(401, 403)},
)
async def index(ctx: Ctx, caller: Admin) -> WebhookList:
    return WebhookList(items=await WebhookBook(ctx.services.store).webhooks(caller.tenant))


@router.get(
    "/webhooks/{webhook_id}",
    summary="Show a webhook",
    responses={200: {"model": Webhook}, **problems(401, 403, 404)},
)
async def show(ctx: Ctx, caller: Admin, webhook_id: str) -> Webhook:
    return await WebhookBook(ctx.services.store).webhook(webhook_id, caller.tenant)


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change a webhook, or enable it again",
    responses={200: {"model": Webhook}, **problems(*_BODY, 404)},
    openapi_extra=accepts(WebhookChange, {"enabled": True}),
)
async def change(
    ctx: Ctx, caller: Admin, webhook_id: str, body: Annotated[WebhookChange, Depends(body_of(WebhookChange))]
) -> Webhook:
    def changes(_: Webhook) -> dict[str, Any]:
        if body.url is not None:
            check_url(body.url, allow_private=ctx.settings.webhooks.allow_private)
        wanted = body.model_dump(exclude_none=True)
        if body.enabled is not None:
            wanted |= {"disabled_reason": None if body.enabled else f"by {caller.id}", "failing_since": None}
        return wanted

    return await WebhookBook(ctx.services.store).change_webhook(webhook_id, changes, caller.tenant)


@router.delete(
    "/webhooks/{webhook_id}",
    summary="Delete a webhook and its deliveries",
    responses={200: {"model": Webhook}, **problems(401, 403, 404)},
)
async def delete(ctx: Ctx, caller: Admin, webhook_id: str) -> Webhook:
    book = WebhookBook(ctx.services.store)
    webhook = await book.webhook(webhook_id, caller.tenant)
    await book.delete_webhook(webhook)
    return webhook


@router.post(
    "/webhooks/{webhook_id}/rotate",
    summary="Make a new secret; deliveries are signed with the old one, too, for a while",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY, 404)},
    openapi_extra=accepts(WebhookRotation, {"overlap_s": 86400}),
)
async def rotate(
    ctx: Ctx, caller: Admin, webhook_id: str, body: Annotated[WebhookRotation, Depends(body_of(WebhookRotation))]
) -> Response:
    until = ctx.services.clock.now() + timedelta(seconds=body.overlap_s)
    webhook = await WebhookBook(ctx.services.store).change_webhook(
        webhook_id,
        lambda known: {"secret_generation": known.secret_generation + 1, "old_secret_until": until},
        caller.tenant,
    )
    return _created(ctx, webhook)


@router.post(
    "/webhooks/{webhook_id}/test",
    summary="Send a message of type `webhook.test`, once; the deliveries say what came of it",
    status_code=202,
    responses={202: {"model": Delivery}, **problems(401, 403, 404, 409)},
)
async def test(ctx: Ctx, request: Request, caller: Admin, webhook_id: str) -> Response:
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    book = WebhookBook(ctx.services.store)
    webhook = await book.webhook(webhook_id, caller.tenant)
    waiting = [found for found in await book.deliveries(webhook.id, LOG_LENGTH) if found.state == "pending"]
    if any(found.type == TEST for found in waiting):
        raise Conflict("a test is on its way already", state="pending")
    delivery = Delivery(
        id=delivery_id(new_id(Kind.EVENT), webhook.id),
        webhook_id=webhook.id,
        type=TEST,
        created_at=ctx.services.clock.now(),
    )
    await book.put_delivery(delivery)
    return accepted(f"/v1/webhooks/{webhook.id}/deliveries", delivery)


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    summary="What was sent, newest first, with every attempt",
    responses={200: {"model": DeliveryList}, **problems(401, 403, 404, 422)},
)
async def deliveries(ctx: Ctx, caller: Admin, webhook_id: str, query: Annotated[LogQuery, Query()]) -> DeliveryList:
    book = WebhookBook(ctx.services.store)
    webhook = await book.webhook(webhook_id, caller.tenant)
    return DeliveryList(items=await book.deliveries(webhook.id, query.limit))


def _created(ctx: Context, webhook: Webhook) -> Response:
    secret = ctx.access.webhooks.secret(webhook)
    return accepted(f"/v1/webhooks/{webhook.id}", WebhookCreated(webhook=webhook, secret=secret), status=201)
