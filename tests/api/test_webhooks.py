"""Webhooks over HTTP, from making one to what a receiver gets."""

from __future__ import annotations

import asyncio
import json

import pytest
import standardwebhooks

from rlplatform.access.principals import Scope
from rlplatform.client import AsyncClient
from rlplatform.errors import Conflict, InvalidRequest, NotAllowed, NotFound, QuotaExceeded
from rlplatform.evaluation.models import Verdict
from rlplatform.webhooks.deliverer import Deliverer
from rlplatform.webhooks.sender import Sender
from rlplatform.webhooks.signatures import Signer

pytestmark = pytest.mark.anyio
DEVELOPMENT = {"webhooks": {"allow_private": True, "max_per_tenant": 2}}


async def test_a_receiver_is_told_and_can_tell_who_told_it(platform, evaluation) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head if line)}
        got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with (
        platform(settings=DEVELOPMENT, judge=Verdict.ACCEPTED) as it,
        it.served() as url,
        AsyncClient(url, await it.key()) as client,
        await asyncio.start_server(receive, "127.0.0.1", 0) as receiver,
    ):
        port = receiver.sockets[0].getsockname()[1]
        made = await client.create_webhook({"url": f"http://127.0.0.1:{port}/hook", "events": ["evaluation.finished"]})
        submitted = await client.submit_evaluation(evaluation)
        test = await client.test_webhook(made.webhook.id)
        with pytest.raises(Conflict):
            await client.test_webhook(made.webhook.id)
        settings = it.app.state.context.settings
        sender = Sender(allow_private=True, timeout_s=5)
        clock = it.app.state.context.services.clock
        deliverer = Deliverer(it.store, settings.webhooks, Signer(settings.access.pepper), sender, clock)
        await deliverer.round()
        await deliverer.settle()
        messages = {json.loads(body)["type"]: (headers, body) for headers, body in got}
        assert set(messages) == {"evaluation.finished", "webhook.test"}
        headers, body = messages["evaluation.finished"]
        assert json.loads(body)["data"]["id"] == submitted.id
        assert json.loads(body)["data"]["verdict"] == "accepted"
        standardwebhooks.Webhook(made.secret).verify(body, headers)
        log = await client.deliveries(made.webhook.id)
        assert {(delivery.type, delivery.state) for delivery in log} == {
            ("evaluation.finished", "delivered"),
            ("webhook.test", "delivered"),
        }
        assert test.id in {delivery.id for delivery in log}
        assert [delivery.id for delivery in await client.deliveries(made.webhook.id, limit=1)] == [log[0].id]


async def test_make_change_rotate_and_delete(platform) -> None:
    async with platform(settings=DEVELOPMENT) as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        first = await client.create_webhook({"url": "https://example.com/a"})
        assert first.secret.startswith("whsec_")
        assert len(first.webhook.events) == 9
        second = await client.create_webhook({"url": "https://example.com/b"})
        assert first.secret != second.secret
        with pytest.raises(QuotaExceeded):
            await client.create_webhook({"url": "https://example.com/c"})
        assert [webhook.id for webhook in await client.webhooks()] == [second.webhook.id, first.webhook.id]
        off = await client.change_webhook(first.webhook.id, {"enabled": False})
        assert (off.enabled, off.url) == (False, "https://example.com/a")
        assert str(off.disabled_reason).startswith("by key_")
        on = await client.change_webhook(first.webhook.id, {"enabled": True, "events": ["training.failed"]})
        assert (on.enabled, on.disabled_reason, on.events) == (True, None, ["training.failed"])
        rotated = await client.rotate_webhook(first.webhook.id, overlap_s=60)
        assert rotated.secret != first.secret
        assert rotated.webhook.old_secret_until is not None
        await client.delete_webhook(first.webhook.id)
        with pytest.raises(NotFound):
            await client.deliveries(first.webhook.id)
        stored = [document.record for document in await it.store.list_documents("webhook")]
        assert second.secret not in str(stored)


async def test_what_makes_no_sense_is_refused(platform) -> None:
    async with platform() as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        for address in ("http://example.com/", "https://10.0.0.1/", "https://user@example.com/", "nonsense!"):
            with pytest.raises(InvalidRequest) as refused:
                await client.create_webhook({"url": address})
            assert refused.value.extra["field"] == "url"
        with pytest.raises(InvalidRequest, match=r"events.*evaluation\.finished"):
            await client.create_webhook({"url": "https://example.com/", "events": ["evaluation.done"]})
        made = await client.create_webhook({"url": "https://example.com/"})
        with pytest.raises(InvalidRequest):
            await client.change_webhook(made.webhook.id, {"url": "https://127.0.0.1/"})
        async with AsyncClient(url, await it.key(scopes=[Scope.TRAIN, Scope.READ])) as researcher:
            with pytest.raises(NotAllowed):
                await researcher.webhooks()
