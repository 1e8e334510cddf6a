"""Webhooks in the store, changed by several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta

import pytest

from rlplatform.errors import NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.storage.memory import MemoryStore
from rlplatform.store import Document
from rlplatform.testing.clock import FakeClock
from rlplatform.webhooks.models import Webhook
from rlplatform.webhooks.repository import WebhookBook

pytestmark = pytest.mark.anyio


class DistantStore(MemoryStore):
    """Others get their turn between an answer and what is made of it."""

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        found = await super().get_document(kind, document_id)
        await asyncio.sleep(0)
        return found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def book() -> WebhookBook:
    return WebhookBook(DistantStore(FakeClock()))


async def added(book: WebhookBook) -> Webhook:
    webhook = Webhook(
        id=new_id(Kind.WEBHOOK),
        tenant="acme",
        url="https://example.com/hook",
        events=["evaluation.finished"],
        created_by="key_1",
        created_at=FakeClock().now(),
    )
    await book.add_webhook(webhook)
    return webhook


async def test_changes_at_the_same_time_all_count(book: WebhookBook) -> None:
    webhook = await added(book)

    def rotate(until: datetime) -> Awaitable[Webhook]:
        def change(known: Webhook) -> dict[str, object]:
            return {"secret_generation": known.secret_generation + 1, "old_secret_until": until}

        return book.change_webhook(webhook.id, change)

    rotations = [rotate(webhook.created_at + timedelta(seconds=second)) for second in range(5)]
    described = book.change_webhook(webhook.id, lambda _: {"description": "for the course"}, "acme")
    *rotated, _ = await asyncio.gather(*rotations, described)
    assert sorted(changed.secret_generation for changed in rotated) == [2, 3, 4, 5, 6]
    last = await book.webhook(webhook.id)
    assert (last.secret_generation, last.description) == (6, "for the course")


async def test_a_change_does_not_bring_back_what_is_deleted_meanwhile(book: WebhookBook) -> None:
    webhook = await added(book)
    changing = asyncio.ensure_future(book.change_webhook(webhook.id, lambda _: {"enabled": False}))
    await asyncio.sleep(0)
    await book.delete_webhook(webhook)
    with pytest.raises(NotFound):
        await changing
    assert await book.webhooks("acme") == []


async def test_a_record_of_fewer_fields_can_be_changed(book: WebhookBook) -> None:
    webhook = await added(book)
    record = webhook.model_dump_json(exclude={"description", "failing_since"})
    await book._store.put_document(Document("webhook", webhook.id, "acme", record))
    assert (await book.change_webhook(webhook.id, lambda _: {"enabled": False})).enabled is False
    assert (await book.webhook(webhook.id)).enabled is False


async def test_another_tenants_is_not_found(book: WebhookBook) -> None:
    webhook = await added(book)
    with pytest.raises(NotFound):
        await book.change_webhook(webhook.id, lambda _: {"enabled": False}, "other")
