"""The deliverer over a store in memory, and a receiver that does what a test says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from rlplatform.errors import StorageError
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import Kind, new_id
from rlplatform.settings import WebhookSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.actors import FlakyStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import evaluation_run, finished, queued, training_run
from rlplatform.training.events import TrainingQueued, TrainingStopped, TrainingSucceeded
from rlplatform.training.models import Progress
from rlplatform.webhooks.deliverer import Deliverer
from rlplatform.webhooks.models import TEST, Delivery, Webhook
from rlplatform.webhooks.repository import LOG_LENGTH, WebhookBook
from rlplatform.webhooks.sender import Answer, Undelivered
from rlplatform.webhooks.signatures import Signer

pytestmark = pytest.mark.anyio

SETTINGS = WebhookSettings(max_attempts=3, first_retry_s=10, disable_after_s=3600)


class Receiver:
    """Answers with ``status``, or not at all; keeps what came."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.retry_after_s = 0.0
        self.got: list[tuple[str, Mapping[str, str], bytes]] = []

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.got.append((url, headers, body))
        if self.status is None:
            raise Undelivered("no answer within 10 s")
        return Answer(self.status, self.retry_after_s)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.flaky = FlakyStore(self.store)
        self.book = WebhookBook(self.store)
        self.receiver = Receiver()
        self.signer = Signer(SecretStr("pepper"))
        self.restart()

    def restart(self) -> None:
        """A new deliverer, as after a supervisor's death."""
        self.deliverer = Deliverer(self.flaky, SETTINGS, self.signer, self.receiver, self.clock)

    async def webhook(self, tenant: str = "acme", **fields: object) -> Webhook:
        hook = Webhook.model_validate(
            {
                "id": new_id(Kind.WEBHOOK),
                "tenant": tenant,
                "url": "https://example.com/hook",
                "events": ["evaluation.finished"],
                "created_by": "key_1",
                "created_at": self.clock.now(),
                **fields,
            }
        )
        await self.book.add_webhook(hook)
        return hook

    async def finish(self, tenant: str = "acme") -> EvaluationRun:
        run = evaluation_run(self.clock, tenant)
        await self.store.create(run, queued(run, self.clock))
        await self.store.append(run.stream, [finished(run, self.clock)])
        return run

    async def round(self) -> None:
        await self.deliverer.round()
        await self.deliverer.settle()

    async def log(self, hook: Webhook) -> list[Delivery]:
        return await self.book.deliveries(hook.id, 100)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_finished_run_is_told_once_signed_and_without_what_is_hidden(bench: Bench) -> None:
    hook = await bench.webhook()
    run = await bench.finish()
    for _ in range(2):
        await bench.round()
    ((url, headers, body),) = bench.receiver.got
    message = json.loads(body)
    assert (url, message["type"], message["data"]["id"]) == (hook.url, "evaluation.finished", run.id)
    assert message["data"]["tests"][0]["stdout"] is None, "the test is hidden"
    secret = base64.b64decode(bench.signer.secret(hook).removeprefix("whsec_"))
    assert len(secret) == 32
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    (delivery,) = await bench.log(hook)
    assert (delivery.state, delivery.id, delivery.attempts[0].status) == ("delivered", headers["webhook-id"], 200)
    assert await bench.store.read_outbox() == []


async def test_a_webhook_created_with_hidden_tests_receives_them(bench: Bench) -> None:
    await bench.webhook(include_hidden=True)
    await bench.finish()
    await bench.round()
    ((_, _, body),) = bench.receiver.got
    (test,) = json.loads(body)["data"]["tests"]
    assert (test["hidden"], test["stdout"], test["value"]) == (True, "é\n", [1, 1.0])


async def test_only_the_tenants_own_webhooks_and_only_what_they_asked_for(bench: Bench) -> None:
    await bench.webhook("other")
    await bench.webhook(events=["training.succeeded"])
    await bench.webhook(enabled=False)
    await bench.finish()
    await bench.round()
    assert bench.receiver.got == []
    assert await bench.store.read_outbox() == [], "nobody wants it"


@pytest.mark.parametrize(("asked_s", "waits_s"), [(120.0, 120.0), (0.0, 10.0), (1e9, SETTINGS.max_retry_s)])
async def test_a_receiver_that_asks_to_be_left_alone_is(bench: Bench, asked_s: float, waits_s: float) -> None:
    hook = await bench.webhook()
    bench.receiver.status, bench.receiver.retry_after_s = 503, asked_s
    await bench.finish()
    await bench.round()
    (delivery,) = await bench.log(hook)
    assert delivery.next_attempt_at is not None
    wait_s = (delivery.next_attempt_at - bench.clock.now()).total_seconds()
    assert 0.5 * waits_s <= wait_s <= waits_s
    assert wait_s == waits_s or not asked_s


async def test_what_tells_of_a_run_that_was_removed_is_given_up(bench: Bench) -> None:
    hook = await bench.webhook()
    bench.receiver.status = None
    await bench.finish()
    await bench.round()
    (run,) = await bench.store.find("evaluation")
    await bench.store.remove(run.id)
    await bench.clock.advance(10)
    for _ in range(2):
        await bench.round()
    (delivery,) = await bench.log(hook)
    assert (delivery.state, delivery.next_attempt_at, len(delivery.attempts)) == ("failed", None, 1)
    assert len(bench.receiver.got) == 1


async def test_a_fault_of_ours_is_not_met_again_every_second(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    hook = await bench.webhook()
    tried: list[str] = []

    async def broken(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        tried.append(url)
        raise RuntimeError("nobody thought of that")

    deliverer = Deliverer(bench.store, SETTINGS, bench.signer, broken, bench.clock)
    await bench.finish()
    for _ in range(5):
        await deliverer.round()
        await deliverer.settle()
        await bench.clock.advance(1)
    assert tried == [hook.url]
    assert "nobody thought of that" in caplog.text
    await bench.clock.advance(SETTINGS.max_retry_s)
    await deliverer.round()
    await deliverer.settle()
    assert len(tried) == 2, "nothing is given up for it"


@pytest.mark.parametrize("status", [200, 500])
async def test_nothing_is_kept_of_a_webhook_that_goes_while_a_message_is_on_its_way(bench: Bench, status: int) -> None:
    hook = await bench.webhook()

    async def deleting(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        await bench.book.delete_webhook(hook)
        return status

    deliverer = Deliverer(bench.store, SETTINGS, bench.signer, deleting, bench.clock)
    await bench.finish()
    for _ in range(2):
        await deliverer.round()
        await deliverer.settle()
    assert await bench.log(hook) == []


async def test_what_is_pending_for_no_webhook_is_forgotten(bench: Bench) -> None:
    hook = await bench.webhook()
    await bench.book.delete_webhook(hook)
    await bench.book.put_delivery(Delivery(id="msg_1", webhook_id=hook.id, type=TEST, created_at=bench.clock.now()))
    await bench.round()
    assert await bench.log(hook) == []


async def test_an_outcome_that_cannot_be_noted_is_not_told_again_every_second(bench: Bench) -> None:
    hook = await bench.webhook()

    async def filling(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        bench.flaky.error = StorageError("the disk is full")
        return await bench.receiver(url, headers, body)

    deliverer = Deliverer(bench.flaky, SETTINGS, bench.signer, filling, bench.clock)
    await bench.finish()
    for _ in range(5):
        bench.flaky.error = None
        await deliverer.round()
        await deliverer.settle()
        await bench.clock.advance(1)
    assert len(bench.receiver.got) == 1
    bench.flaky.error = None
    bench.restart()
    await bench.round()
    assert [delivery.state for delivery in await bench.log(hook)] == ["delivered"]
    assert len({headers["webhook-id"] for _, headers, _ in bench.receiver.got}) == 1


@pytest.mark.parametrize("status", [500, 301, 404, None])
async def test_what_fails_is_tried_again_with_the_same_id_and_body_then_given_up(
    bench: Bench, status: int | None
) -> None:
    hook = await bench.webhook()
    bench.receiver.status = status
    await bench.finish()
    await bench.round()
    (delivery,) = await bench.log(hook)
    wait = delivery.next_attempt_at - bench.clock.now()
    assert timedelta(seconds=5) <= wait <= timedelta(seconds=10)
    await bench.round()
    assert len(bench.receiver.got) == 1, "not before it is due"
    await bench.clock.advance(10)
    await bench.round()
    (delivery,) = await bench.log(hook)
    wait = delivery.next_attempt_at - bench.clock.now()
    assert timedelta(seconds=20) <= wait <= timedelta(seconds=40), "four times as long"
    await bench.clock.advance(40)
    await bench.round()
    await bench.clock.advance(10_000)
    await bench.round()
    assert len(bench.receiver.got) == 3
    assert len({(headers["webhook-id"], body) for _, headers, body in bench.receiver.got}) == 1
    (delivery,) = await bench.log(hook)
    assert (delivery.state, delivery.next_attempt_at, len(delivery.attempts)) == ("failed", None, 3)
    assert [attempt.status for attempt in delivery.attempts] == [status] * 3
    assert (await bench.book.webhook(hook.id)).failing_since is not None


async def test_a_webhook_that_takes_nothing_for_long_is_disabled_and_one_success_clears_it(bench: Bench) -> None:
    hook = await bench.webhook()
    bench.receiver.status = 500
    await bench.finish()
    await bench.round()
    bench.receiver.status = 200
    await bench.clock.advance(10)
    await bench.round()
    assert (await bench.book.webhook(hook.id)).failing_since is None
    bench.receiver.status = 500
    await bench.finish()
    await bench.round()
    await bench.clock.advance(3600)
    await bench.finish()
    await bench.round()
    found = await bench.book.webhook(hook.id)
    assert not found.enabled
    assert "nothing could be delivered since 2026-01-01" in str(found.disabled_reason)
    sent = len(bench.receiver.got)
    await bench.finish()
    await bench.clock.advance(10_000)
    await bench.round()
    assert len(bench.receiver.got) == sent
    assert {delivery.state for delivery in await bench.log(hook)} == {"delivered", "failed"}


async def test_410_gone_disables_it_at_once(bench: Bench) -> None:
    hook = await bench.webhook()
    bench.receiver.status = 410
    await bench.finish()
    await bench.round()
    assert (await bench.book.webhook(hook.id)).disabled_reason == "it answered 410 Gone"


async def test_within_a_rotation_both_secrets_sign(bench: Bench) -> None:
    hook = await bench.webhook()
    old = bench.signer.secret(hook)
    until = bench.clock.now() + timedelta(seconds=60)
    rotation = {"secret_generation": 2, "old_secret_until": until}
    hook = await bench.book.change_webhook(hook.id, lambda _: rotation)
    assert bench.signer.secret(hook) != old
    await bench.finish()
    await bench.round()
    await bench.clock.advance(60)
    await bench.finish()
    await bench.round()
    both, one = (headers["webhook-signature"].split(" ") for _, headers, _ in bench.receiver.got)
    assert (len(both), len(one)) == (2, 1)


class TestNothingIsLost:
    async def test_what_was_noted_but_not_settled_is_told_once(self, bench: Bench) -> None:
        hook = await bench.webhook()
        await bench.finish()
        entries = await bench.store.read_outbox()
        await bench.round()
        bench.restart()
        bench.store._finished = list(entries)  # as if the settling had been lost
        await bench.round()
        assert len(bench.receiver.got) == 1
        assert len(await bench.log(hook)) == 1

    async def test_a_new_deliverer_goes_on_with_what_was_pending(self, bench: Bench) -> None:
        await bench.webhook()
        bench.receiver.status = None
        await bench.finish()
        await bench.round()
        bench.restart()
        bench.receiver.status = 204
        await bench.round()
        assert len(bench.receiver.got) == 1, "not before it is due"
        await bench.clock.advance(10)
        await bench.round()
        assert len(bench.receiver.got) == 2

    async def test_it_outlasts_a_store_that_is_away(self, bench: Bench) -> None:
        hook = await bench.webhook()
        await bench.finish()
        bench.flaky.error = StorageError("database is locked")
        with pytest.raises(StorageError):
            await bench.round()
        bench.flaky.error = None
        await bench.round()
        assert [delivery.state for delivery in await bench.log(hook)] == ["delivered"]

    async def test_trainings_are_told_of_too(self, bench: Bench) -> None:
        from rlplatform.testing.samples import training_run

        await bench.webhook(events=["training.stopped"])
        run = training_run(bench.clock)
        await bench.store.create(run, queued(run, bench.clock))
        stopped = TrainingStopped(
            stream=run.stream,
            time=bench.clock.now(),
            stop_reason="quota_env_steps_per_day",
            progress=run.document.progress,
        )
        await bench.store.append(run.stream, [stopped])
        await bench.round()
        message = json.loads(bench.receiver.got[0][2])
        assert message["data"]["stop_reason"] == "quota_env_steps_per_day"


async def test_a_test_is_sent_once_whether_or_not_it_is_taken(bench: Bench) -> None:
    hook = await bench.webhook(enabled=False)
    bench.receiver.status = 500
    test = Delivery(id="msg_test", webhook_id=hook.id, type=TEST, created_at=bench.clock.now())
    await bench.round()
    await bench.book.put_delivery(test)
    await bench.round()
    assert json.loads(bench.receiver.got[0][2])["data"] == {"webhook_id": hook.id}
    (delivery,) = await bench.log(hook)
    assert (delivery.state, len(delivery.attempts)) == ("failed", 1)
    assert (await bench.book.webhook(hook.id)).failing_since is None


async def test_the_log_is_bounded_and_goes_with_its_webhook(bench: Bench) -> None:
    hook = await bench.webhook()
    for _ in range(LOG_LENGTH + 10):
        await bench.finish()
    while len(bench.receiver.got) < LOG_LENGTH + 10:
        await bench.round()
    assert len(await bench.store.list_documents("delivery", limit=1000)) == LOG_LENGTH
    bench.receiver.status = None
    await bench.finish()
    await bench.round()
    await bench.book.delete_webhook(hook)
    await bench.clock.advance(10_000)
    await bench.round()
    assert await bench.store.list_documents("delivery", limit=1000) == []
    assert await bench.store.list_documents("delivery.pending") == []


async def test_every_kind_of_message_is_as_the_openapi_document_describes(bench: Bench) -> None:
    hook = await bench.webhook(events=["evaluation.finished", "training.succeeded"])
    await bench.finish()
    run = training_run(bench.clock, tenant="acme")
    at: dict[str, Any] = {"stream": run.stream, "time": bench.clock.now()}
    await bench.store.create(run, TrainingQueued(**at))
    end = TrainingSucceeded(**at, stop_reason="env_steps", progress=Progress(iteration=3))
    await bench.store.append(run.stream, [end])
    test = Delivery(id="msg_test", webhook_id=hook.id, type=TEST, created_at=bench.clock.now())
    await bench.book.put_delivery(test)
    for _ in range(2):  # two messages at a time to one webhook
        await bench.round()
    messages = [json.loads(body) for _, _, body in bench.receiver.got]
    assert {message["type"] for message in messages} == {"evaluation.finished", "training.succeeded", TEST}
    document = json.loads((Path(__file__).parents[3] / "serve_apps" / "api" / "openapi.json").read_text())
    for message in messages:
        body = document["webhooks"][message["type"]]["post"]["requestBody"]
        schema = {"components": document["components"], **body["content"]["application/json"]["schema"]}
        jsonschema.Draft202012Validator(schema).validate(message)
