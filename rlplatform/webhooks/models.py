"""A webhook, what is asked for, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

WebhookEvent = Literal[
    "evaluation.finished",
    "evaluation.cancelled",
    "evaluation.failed",
    "training.succeeded",
    "training.stopped",
    "training.failed",
]
EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
TEST = "webhook.test"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookRequest(_Strict):
    """What a client asks for with ``POST /v1/webhooks``: where to send what."""

    url: str = Field(min_length=8, max_length=2048)
    events: list[WebhookEvent] = Field(default_factory=lambda: list(EVENTS), min_length=1, max_length=len(EVENTS))
    description: str = Field(default="", max_length=200)


class WebhookChange(_Strict):
    """What is to be different. ``enabled: true`` starts one again that was disabled."""

    url: str | None = Field(default=None, min_length=8, max_length=2048)
    events: list[WebhookEvent] | None = Field(default=None, min_length=1, max_length=len(EVENTS))
    description: str | None = Field(default=None, max_length=200)
    enabled: bool | None = None


class WebhookRotation(_Strict):
    """For how long deliveries are signed with the old secret, too."""

    overlap_s: float = Field(default=86_400.0, ge=0, le=30 * 86_400)


class Webhook(_Strict):
    """A webhook. ``failing_since``: nothing has been delivered since then, and something should have been."""

    id: str
    tenant: str
    url: str
    events: list[WebhookEvent]
    description: str = ""
    enabled: bool = True
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    secret_generation: int = 1
    old_secret_until: datetime | None = None
    created_by: str
    created_at: datetime


class WebhookCreated(_Strict):
    """A webhook and its ``secret``, which is shown this once."""

    webhook: Webhook
    secret: str


class WebhookList(_Strict):
    """Newest first."""

    items: list[Webhook]


class Attempt(_Strict):
    """One try: the status that was answered, or why there was none."""

    at: datetime
    duration_s: float
    status: int | None = None
    error: str | None = None


class Delivery(_Strict):
    """One message to one webhook. ``id`` is its ``webhook-id``, the same at every attempt: receivers tell repeats by
    it. ``next_attempt_at`` None: there will be none."""

    id: str
    webhook_id: str
    type: str
    run_id: str | None = None
    state: Literal["pending", "delivered", "failed"] = "pending"
    created_at: datetime
    next_attempt_at: datetime | None = None
    attempts: list[Attempt] = Field(default_factory=list)


class DeliveryList(_Strict):
    """Newest first."""

    items: list[Delivery]
