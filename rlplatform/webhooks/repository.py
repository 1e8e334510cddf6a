"""Webhooks and deliveries in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlplatform.errors import NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.store import Document, DocumentStore
from rlplatform.webhooks.models import Delivery, Webhook

LOG_LENGTH = 100
_WEBHOOK, _PENDING, _DONE = "webhook", "delivery.pending", "delivery"
_PAGE = 200


class WebhookBook:
    """Reads and writes them."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    async def webhook(self, webhook_id: str, tenant: str | None = None) -> Webhook:
        """:raises NotFound: there is none, or it is another tenant's than ``tenant``."""
        return Webhook.model_validate_json((await self._found(webhook_id, tenant)).record)

    async def webhooks(self, tenant: str) -> list[Webhook]:
        """All of a tenant's, newest first."""
        found = await self._store.list_documents(_WEBHOOK, owner=tenant, limit=_PAGE)
        return [Webhook.model_validate_json(document.record) for document in found]

    async def add_webhook(self, webhook: Webhook) -> None:
        """Add it."""
        check_id(webhook.id, Kind.WEBHOOK)
        await self._store.put_document(Document(_WEBHOOK, webhook.id, webhook.tenant, webhook.model_dump_json()))

    async def change_webhook(
        self, webhook_id: str, change: Callable[[Webhook], Mapping[str, Any]], tenant: str | None = None
    ) -> Webhook:
        """The webhook with what ``change`` says of it. Where somebody else changed it meanwhile, it is asked again.

        Raises:
            NotFound: there is none, or it is another tenant's than ``tenant``.
        """
        while True:
            found = await self._found(webhook_id, tenant)
            webhook = Webhook.model_validate_json(found.record)
            changed = webhook.model_copy(update=change(webhook))
            if changed == webhook:
                return webhook
            if await self._store.replace_document(found._replace(record=changed.model_dump_json()), found):
                return changed

    async def delete_webhook(self, webhook: Webhook) -> None:
        """Delete it, and its deliveries."""
        await self._store.delete_document(_WEBHOOK, webhook.id)
        for kind in (_PENDING, _DONE):
            while found := await self._store.list_documents(kind, owner=webhook.id, limit=_PAGE):
                for document in found:
                    await self._store.delete_document(kind, document.id)

    async def _found(self, webhook_id: str, tenant: str | None) -> Document:
        found = await self._store.get_document(_WEBHOOK, webhook_id)
        if found is None or tenant not in (None, found.owner):
            raise NotFound("no such webhook")
        return found

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery, pending or not."""
        for kind in (_DONE, _PENDING):
            if (found := await self._store.get_document(kind, delivery_id)) is not None:
                return Delivery.model_validate_json(found.record)
        return None

    async def deliveries(self, webhook_id: str, limit: int) -> list[Delivery]:
        """The newest, pending or not, newest first."""
        found: list[Document] = []
        for kind in (_PENDING, _DONE):
            found += await self._store.list_documents(kind, owner=webhook_id, limit=limit)
        distinct = {document.id: document for document in found}
        newest = sorted(distinct.values(), key=lambda document: document.id, reverse=True)[:limit]
        return [Delivery.model_validate_json(document.record) for document in newest]

    async def pending(self, *, before: str | None = None, limit: int = _PAGE) -> Sequence[Delivery]:
        """Deliveries that are to be tried, of all webhooks, newest first."""
        found = await self._store.list_documents(_PENDING, before=before, limit=limit)
        return [Delivery.model_validate_json(document.record) for document in found]

    async def put_delivery(self, delivery: Delivery) -> None:
        """Add or replace a delivery. Of finished ones, a webhook keeps the newest hundred."""
        kind = _PENDING if delivery.state == "pending" else _DONE
        await self._store.put_document(Document(kind, delivery.id, delivery.webhook_id, delivery.model_dump_json()))
        if kind == _DONE:
            await self._store.delete_document(_PENDING, delivery.id)
            kept = await self._store.list_documents(_DONE, owner=delivery.webhook_id, limit=LOG_LENGTH + 20)
            for old in kept[LOG_LENGTH:]:
                await self._store.delete_document(_DONE, old.id)

    async def delete_delivery(self, delivery_id: str) -> None:
        """Forget a delivery. Idempotent."""
        for kind in (_PENDING, _DONE):
            await self._store.delete_document(kind, delivery_id)
