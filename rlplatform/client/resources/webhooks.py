"""Calls for webhooks, which notify others of finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads, segment, with_json
from rlplatform.webhooks.models import (
    Delivery,
    DeliveryList,
    Webhook,
    WebhookChange,
    WebhookCreated,
    WebhookList,
    WebhookRequest,
)


class WebhookCalls(AsyncTransport):
    """Manage the webhooks of the tenant, and read their deliveries."""

    async def create_webhook(self, request: WebhookRequest | Mapping[str, Any]) -> WebhookCreated:
        """Create a webhook for finished runs. Only this answer has its secret. Not repeated when the answer is lost."""
        return await self._send(with_json("POST", "/v1/webhooks", request, WebhookCreated, repeatable=False))

    async def webhooks(self) -> list[Webhook]:
        """Return the tenant's webhooks, newest first."""
        return (await self._send(Call("GET", "/v1/webhooks", reads(WebhookList)))).items

    async def change_webhook(self, webhook_id: str, change: WebhookChange | Mapping[str, Any]) -> Webhook:
        """Change the fields that are given; ``enabled: true`` restarts a disabled webhook."""
        return await self._send(with_json("PATCH", f"/v1/webhooks/{segment(webhook_id)}", change, Webhook))

    async def rotate_webhook(self, webhook_id: str, *, overlap_s: float = 86_400.0) -> WebhookCreated:
        """Create a new secret; the old one also signs for ``overlap_s``. Not repeated when the answer is lost."""
        path = f"/v1/webhooks/{segment(webhook_id)}/rotate"
        return await self._send(with_json("POST", path, {"overlap_s": overlap_s}, WebhookCreated, repeatable=False))

    async def test_webhook(self, webhook_id: str) -> Delivery:
        """Send a message of type ``webhook.test``, once."""
        path = f"/v1/webhooks/{segment(webhook_id)}/test"
        return await self._send(Call("POST", path, reads(Delivery), repeatable=False))

    async def deliveries(self, webhook_id: str, *, limit: int = 20) -> list[Delivery]:
        """Return the deliveries of a webhook, newest first, with every attempt."""
        path = f"/v1/webhooks/{segment(webhook_id)}/deliveries"
        return (await self._send(Call("GET", path, reads(DeliveryList), {"limit": limit}))).items

    async def delete_webhook(self, webhook_id: str) -> Webhook:
        """Delete a webhook and the record of its deliveries."""
        return await self._send(Call("DELETE", f"/v1/webhooks/{segment(webhook_id)}", reads(Webhook)))
