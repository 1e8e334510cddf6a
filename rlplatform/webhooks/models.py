"""A webhook, what is asked for, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from pydantic import Field

from rlplatform.evaluation.models import Evaluation
from rlplatform.json_models import StrictModel
from rlplatform.studies.models import Study
from rlplatform.training.models import Training

EvaluationEnd = Literal["evaluation.finished", "evaluation.cancelled", "evaluation.failed"]
TrainingEnd = Literal["training.succeeded", "training.stopped", "training.failed"]
StudyEnd = Literal["study.succeeded", "study.stopped", "study.failed"]
TestType = Literal["webhook.test"]
WebhookEvent = Literal[EvaluationEnd, TrainingEnd, StudyEnd]
EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
TEST: TestType = "webhook.test"


class WebhookRequest(StrictModel):
    """A webhook to create (`POST /v1/webhooks`)."""

    url: str = Field(min_length=8, max_length=2048)
    """Address to send messages to, https."""
    events: list[WebhookEvent] = Field(default_factory=lambda: list(EVENTS), min_length=1, max_length=len(EVENTS))
    """Types of event to send; all if left out."""
    description: str = Field(default="", max_length=200)
    """Text for people."""
    include_hidden: bool = False
    """True: messages have the results of hidden tests in full. For receivers that learners cannot read."""


class WebhookChange(StrictModel):
    """Changes of a webhook; what is null stays unchanged."""

    url: str | None = Field(default=None, min_length=8, max_length=2048)
    """New address."""
    events: list[WebhookEvent] | None = Field(default=None, min_length=1, max_length=len(EVENTS))
    """New types of event."""
    description: str | None = Field(default=None, max_length=200)
    """New text for people."""
    enabled: bool | None = None
    """True: start sending again; false: stop."""


class WebhookRotation(StrictModel):
    """Overlap of the old and the new secret."""

    overlap_s: float = Field(default=86_400.0, ge=0, le=30 * 86_400)
    """Time during which messages are signed with both secrets, in seconds."""


class Webhook(StrictModel):
    """An address that is notified of finished runs."""

    id: str
    """Id of the webhook: `hook_…`."""
    tenant: str
    """Tenant that it belongs to."""
    url: str
    """Address that messages are sent to."""
    events: list[WebhookEvent]
    """Types of event that are sent."""
    description: str = ""
    """Text for people."""
    include_hidden: bool = False
    """True: messages have the results of hidden tests in full."""
    enabled: bool = True
    """False: nothing is sent."""
    disabled_reason: str | None = None
    """Reason why it is disabled; null if it is enabled."""
    failing_since: datetime | None = None
    """Time since which no message could be delivered; null: the last one was."""
    secret_generation: int = 1
    """Number of its secret, counted from 1."""
    old_secret_until: datetime | None = None
    """Time until which messages are signed with the previous secret, too; null: never rotated."""
    created_by: str
    """Id of the principal that created it."""
    created_at: datetime
    """Time of creation."""


class WebhookCreated(StrictModel):
    """A webhook and its secret."""

    webhook: Webhook
    """The webhook."""
    secret: str
    """Secret that signs messages (`whsec_…`), shown this once."""


class WebhookList(StrictModel):
    """Webhooks of the tenant, newest first."""

    items: list[Webhook]
    """The webhooks."""


class Attempt(StrictModel):
    """One attempt at a delivery."""

    at: datetime
    """Time of the attempt."""
    duration_s: float
    """Duration, in seconds."""
    status: int | None = None
    """HTTP status of the answer; null: there was none."""
    error: str | None = None
    """Reason why there was no answer; null: there was one."""


class Delivery(StrictModel):
    """One message to one webhook."""

    id: str
    """Id of the message, sent as `webhook-id` with every attempt: receivers recognise repeats by it."""
    webhook_id: str
    """Id of the webhook."""
    type: str
    """Type of the event."""
    run_id: str | None = None
    """Id of the run; null for a test message."""
    state: Literal["pending", "delivered", "failed"] = "pending"
    """`pending` until it is delivered or given up."""
    created_at: datetime
    """Time of the event."""
    next_attempt_at: datetime | None = None
    """Time of the next attempt; null: there will be none."""
    attempts: list[Attempt] = Field(default_factory=list)
    """Attempts so far, oldest first."""


class DeliveryList(StrictModel):
    """Messages to a webhook, newest first."""

    items: list[Delivery]
    """The messages."""


class EvaluationMessage(StrictModel):
    """Message that an evaluation has ended."""

    type: EvaluationEnd
    """Type of the event."""
    timestamp: datetime
    """Time of the end."""
    data: Evaluation
    """The evaluation; of hidden tests, verdicts and points alone, unless the webhook was created with
    `include_hidden`."""


class TrainingMessage(StrictModel):
    """Message that a training has ended."""

    type: TrainingEnd
    """Type of the event."""
    timestamp: datetime
    """Time of the end."""
    data: Training
    """The training."""


class StudyMessage(StrictModel):
    """Message that a study has ended."""

    type: StudyEnd
    """Type of the event."""
    timestamp: datetime
    """Time of the end."""
    data: Study
    """The study, without its trials."""


class WebhookTestData(StrictModel):
    """Content of a test message."""

    webhook_id: str
    """Id of the webhook that is tested."""


class WebhookTestMessage(StrictModel):
    """Message that was requested with `POST /v1/webhooks/{webhook_id}/test`."""

    type: TestType = TEST
    """Type of the message."""
    timestamp: datetime
    """Time of the request."""
    data: WebhookTestData
    """The webhook that is tested."""
