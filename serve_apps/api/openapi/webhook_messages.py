"""Messages to webhooks in the OpenAPI document: the models that the deliverer sends, and the headers that sign them."""

from __future__ import annotations

from typing import Any, get_args

from rlplatform.webhooks.models import (
    TEST,
    EvaluationEnd,
    EvaluationMessage,
    StudyEnd,
    StudyMessage,
    TrainingEnd,
    TrainingMessage,
    WebhookTestMessage,
)
from serve_apps.api.openapi.schemas import REF

_HEADERS = {
    "webhook-id": "Id of the message, the same at every attempt: recognise repeats by it.",
    "webhook-timestamp": "Time of this attempt, in seconds since 1970. Refuse a message that is too old.",
    "webhook-signature": (
        "Signatures of this attempt, separated by blanks: `v1,` and the Base64 HMAC-SHA256 of"
        " `<webhook-id>.<webhook-timestamp>.<body>` with the webhook's secret (Standard Webhooks)."
        " During a rotation there are two."
    ),
}


def webhooks() -> dict[str, Any]:
    """Return ``webhooks`` of the document: one for each type of message."""
    messages = {
        **dict.fromkeys(get_args(EvaluationEnd), EvaluationMessage.__name__),
        **dict.fromkeys(get_args(TrainingEnd), TrainingMessage.__name__),
        **dict.fromkeys(get_args(StudyEnd), StudyMessage.__name__),
        TEST: WebhookTestMessage.__name__,
    }
    return {kind: {"post": _operation(kind, message)} for kind, message in messages.items()}


def _operation(kind: str, model: str) -> dict[str, Any]:
    about, _, happened = kind.partition(".")
    return {
        "operationId": f"webhook_{about}_{happened}",
        "tags": ["webhooks"],
        "summary": "Receive a test message" if kind == TEST else f"Receive an {about} that has ended: `{kind}`",
        "description": "Sent to the address of each webhook that asks for it, until it is delivered or given up.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}}
            for name, description in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "description": "The message.",
            "content": {"application/json": {"schema": {"$ref": REF.format(model=model)}}},
        },
        "responses": {
            "2XX": {"description": "Delivered. The content is not read."},
            "410": {"description": "Gone: the webhook is disabled."},
            "default": {"description": "Not delivered: tried again later, or as late as `Retry-After` asks."},
        },
    }
