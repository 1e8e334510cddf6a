"""``/v1/webhooks``: notifications about finished runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.errors import Conflict, QuotaExceeded
from rlplatform.ids import Kind, new_id
from rlplatform.webhooks.addresses import check_url
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
from rlplatform.webhooks.repository import LOG_LENGTH, WebhookBook
from serve_apps.api.dependencies import CanAdminister, Context, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["webhooks"])
EXAMPLE = {"url": "https://course.example/rlplatform", "events": ["evaluation.finished"]}
_BODY = (400, 401, 403, 408, 413, 415, 422)
_CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "model": WebhookCreated,
        "description": "Created. `secret` is shown this once.",
        "headers": headers("Location"),
    }
}


class LogQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=LOG_LENGTH, description="Largest number of messages.")


@router.post(
    "/webhooks",
    summary="Create a webhook for finished runs",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY, 429)},
    openapi_extra=accepts(WebhookRequest, EXAMPLE),
)
async def create(
    ctx: Ctx, request: Request, caller: CanAdminister, body: Annotated[WebhookRequest, Depends(body_of(WebhookRequest))]
) -> Response:
    """Create a webhook for finished runs. Its secret is shown this once."""
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
        include_hidden=body.include_hidden,
        created_by=caller.id,
        created_at=ctx.services.clock.now(),
    )
    await book.add_webhook(webhook)
    return _created(ctx, webhook)


@router.get(
    "/webhooks",
    summary="List webhooks, newest first",
    responses={200: {"model": WebhookList, "description": "The webhooks."}, **problems(401, 403)},
)
async def index(ctx: Ctx, caller: CanAdminister) -> WebhookList:
    """Return the webhooks of the tenant."""
    return WebhookList(items=await WebhookBook(ctx.services.store).webhooks(caller.tenant))


@router.get(
    "/webhooks/{webhook_id}",
    summary="Show a webhook",
    responses={200: {"model": Webhook, "description": "The webhook."}, **problems(401, 403, 404)},
)
async def show(ctx: Ctx, caller: CanAdminister, webhook_id: str) -> Webhook:
    """Return a webhook."""
    return await WebhookBook(ctx.services.store).webhook(webhook_id, caller.tenant)


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change a webhook, or enable it again",
    responses={200: {"model": Webhook, "description": "The webhook."}, **problems(*_BODY, 404)},
    openapi_extra=accepts(WebhookChange, {"enabled": True}),
)
async def change(
    ctx: Ctx, caller: CanAdminister, webhook_id: str, body: Annotated[WebhookChange, Depends(body_of(WebhookChange))]
) -> Webhook:
    """Change the address, the types of event or the description of a webhook, or enable it again."""

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
    responses={200: {"model": Webhook, "description": "The webhook."}, **problems(401, 403, 404)},
)
async def delete(ctx: Ctx, caller: CanAdminister, webhook_id: str) -> Webhook:
    """Delete a webhook and its log of deliveries."""
    book = WebhookBook(ctx.services.store)
    webhook = await book.webhook(webhook_id, caller.tenant)
    await book.delete_webhook(webhook)
    return webhook


@router.post(
    "/webhooks/{webhook_id}/rotate",
    summary="Replace the secret; messages are signed with both for a while",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY, 404)},
    openapi_extra=accepts(WebhookRotation, {"overlap_s": 86400}),
)
async def rotate(
    ctx: Ctx,
    caller: CanAdminister,
    webhook_id: str,
    body: Annotated[WebhookRotation, Depends(body_of(WebhookRotation))],
) -> Response:
    """Create a new secret. For `overlap_s`, messages are signed with both secrets."""
    until = ctx.services.clock.now() + timedelta(seconds=body.overlap_s)
    webhook = await WebhookBook(ctx.services.store).change_webhook(
        webhook_id,
        lambda known: {"secret_generation": known.secret_generation + 1, "old_secret_until": until},
        caller.tenant,
    )
    return _created(ctx, webhook)


@router.post(
    "/webhooks/{webhook_id}/test",
    summary="Send a test message",
    status_code=202,
    responses={
        202: {"model": Delivery, "description": "The message will be sent.", "headers": headers("Location")},
        **problems(401, 403, 404, 409),
    },
)
async def test(ctx: Ctx, request: Request, caller: CanAdminister, webhook_id: str) -> Response:
    """Send a message of type `webhook.test`, once. The deliveries show its result."""
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
    summary="List the messages that were sent, newest first, with every attempt",
    responses={200: {"model": DeliveryList, "description": "The messages."}, **problems(401, 403, 404, 422)},
)
async def deliveries(
    ctx: Ctx, caller: CanAdminister, webhook_id: str, query: Annotated[LogQuery, Query()]
) -> DeliveryList:
    """Return the messages that were sent, with every attempt."""
    book = WebhookBook(ctx.services.store)
    webhook = await book.webhook(webhook_id, caller.tenant)
    return DeliveryList(items=await book.deliveries(webhook.id, query.limit))


def _created(ctx: Context, webhook: Webhook) -> Response:
    secret = ctx.access.webhooks.secret(webhook)
    return accepted(f"/v1/webhooks/{webhook.id}", WebhookCreated(webhook=webhook, secret=secret), status=201)
