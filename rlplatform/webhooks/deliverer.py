"""The deliverer: notifies webhooks of finished runs, and retries until they accept.

Its work is in the store: finished runs in the outbox, deliveries as documents. A new deliverer continues where the last
one stopped; a message may come twice then, with the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

from rlplatform.clock import Clock
from rlplatform.errors import InvalidRequest, NotFound, PlatformError
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import Kind
from rlplatform.retries import backoff_s
from rlplatform.settings import WebhookSettings
from rlplatform.store import OutboxEntry, Store
from rlplatform.studies.record import StudyRun
from rlplatform.training.record import TrainingRun
from rlplatform.webhooks.addresses import Forbidden
from rlplatform.webhooks.models import (
    TEST,
    Attempt,
    Delivery,
    EvaluationMessage,
    StudyMessage,
    TrainingMessage,
    Webhook,
    WebhookTestData,
    WebhookTestMessage,
)
from rlplatform.webhooks.repository import WebhookBook
from rlplatform.webhooks.sender import Answer, Send, Undelivered
from rlplatform.webhooks.signatures import Signer

log = logging.getLogger(__name__)

POLL_S = 1.0
_AT_ONCE = 32
_AT_ONCE_EACH = 2
_FACTOR = 4.0


class Deliverer:
    """Delivers until it is cancelled."""

    def __init__(self, store: Store, settings: WebhookSettings, signer: Signer, send: Send, clock: Clock) -> None:
        self._store = store
        self._book = WebhookBook(store)
        self._settings = settings
        self._signer = signer
        self._send = send
        self._clock = clock
        self._due: dict[str, tuple[datetime, str]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._restored = False

    @property
    def waiting(self) -> int:
        """Number of messages that were not accepted yet, those on their way included."""
        return len(self._due)

    async def run(self) -> None:
        """A round a second; what fails is tried again in the next."""
        while True:
            try:
                await self.round()
            except PlatformError as error:
                log.warning("webhooks wait: %s", error)
            except Exception:
                log.exception("a round of webhooks broke off")
            await self._clock.sleep(POLL_S)

    async def round(self) -> None:
        """Note what is new, and begin to send what is due."""
        await self._restore()
        while entries := await self._store.read_outbox():
            for entry in entries:
                await self._note(entry)
            await self._store.acknowledge(entries[-1].position)
        for delivery in await self._book.pending():
            self._await(delivery)
        now = self._clock.now()
        busy = Counter(self._due[delivery_id][1] for delivery_id in self._sending if delivery_id in self._due)
        for delivery_id, (at, webhook_id) in sorted(self._due.items(), key=lambda item: item[1][0]):
            if at > now or len(self._sending) >= _AT_ONCE:
                break
            if delivery_id not in self._sending and busy[webhook_id] < _AT_ONCE_EACH:
                busy[webhook_id] += 1
                task = asyncio.get_running_loop().create_task(self._try(delivery_id))
                self._sending[delivery_id] = task
                task.add_done_callback(partial(self._sent, delivery_id))

    def _sent(self, delivery_id: str, _: asyncio.Task[None]) -> None:
        del self._sending[delivery_id]

    async def settle(self) -> None:
        """Wait until every message on its way has been answered, or has failed."""
        while self._sending:
            await asyncio.wait(set(self._sending.values()))

    async def _restore(self) -> None:
        if self._restored:
            return
        before = None
        while page := await self._book.pending(before=before):
            for delivery in page:
                self._await(delivery)
            before = page[-1].id
        self._restored = True

    def _await(self, delivery: Delivery) -> None:
        if delivery.id not in self._due and delivery.id not in self._sending:
            self._due[delivery.id] = (delivery.next_attempt_at or self._clock.now(), delivery.webhook_id)

    async def _note(self, entry: OutboxEntry) -> None:
        """One delivery for each webhook that wants it. Noted before the outbox forgets it: twice is once."""
        for webhook in await self._book.webhooks(entry.tenant):
            if webhook.enabled and entry.type in webhook.events:
                delivery = Delivery(
                    id=delivery_id(entry.event_id, webhook.id),
                    webhook_id=webhook.id,
                    type=entry.type,
                    run_id=entry.run_id,
                    created_at=self._clock.now(),
                )
                if await self._book.delivery(delivery.id) is None:
                    await self._book.put_delivery(delivery)
                    self._await(delivery)

    async def _try(self, delivery_id: str) -> None:
        try:
            await self._deliver(delivery_id)
        except PlatformError as error:  # perhaps it was sent, and that could not be noted: at least once
            log.warning("delivery %s waits: %s", delivery_id, error)
            self._postpone(delivery_id, self._settings.first_retry_s)
        except Exception:
            log.exception("delivery %s broke off", delivery_id)
            self._postpone(delivery_id, self._settings.max_retry_s)

    def _postpone(self, delivery_id: str, seconds: float) -> None:
        self._due[delivery_id] = (self._clock.now() + timedelta(seconds=seconds), self._due[delivery_id][1])

    async def _deliver(self, delivery_id: str) -> None:
        delivery = await self._book.delivery(delivery_id)
        if delivery is not None and delivery.state == "pending":
            try:
                delivery = await self._attempt(delivery, await self._book.webhook(delivery.webhook_id))
                await self._book.put_delivery(delivery)
            except NotFound:  # the webhook has been deleted, perhaps while the message was on its way
                await self._book.delete_delivery(delivery_id)
                delivery = None
        webhook_id = self._due.pop(delivery_id)[1]
        if delivery is not None and delivery.next_attempt_at is not None:
            self._due[delivery_id] = (delivery.next_attempt_at, webhook_id)

    async def _attempt(self, delivery: Delivery, webhook: Webhook) -> Delivery:
        """``delivery`` with what came of one attempt. :raises NotFound: there is no such webhook any more."""
        try:
            body = await self._body(delivery, include_hidden=webhook.include_hidden)
        except NotFound:
            log.warning("delivery %s is given up: its run is kept no more", delivery.id)
            return delivery.model_copy(update={"state": "failed", "next_attempt_at": None})
        now, began = self._clock.now(), self._clock.monotonic()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rlplatform-webhooks",
            **self._signer.headers(webhook, delivery.id, body, now),
        }
        answer: Answer | None = None
        error = None
        if not webhook.enabled and delivery.type != TEST:
            error = "the webhook is disabled"
        else:
            try:
                answer = await self._send(webhook.url, headers, body)
            except (Forbidden, Undelivered, InvalidRequest) as failure:
                error = str(failure)
        status = None if answer is None else answer.status
        attempt = Attempt(at=now, duration_s=round(self._clock.monotonic() - began, 3), status=status, error=error)
        delivered = status is not None and 200 <= status < 300
        delivery = delivery.model_copy(update={"attempts": [*delivery.attempts, attempt]})
        webhook = await self._judge(delivery, delivered, gone=status == 410)
        given_up = len(delivery.attempts) >= self._settings.max_attempts or not webhook.enabled
        if delivered:
            changes: dict[str, object] = {"state": "delivered", "next_attempt_at": None}
        elif given_up or delivery.type == TEST:
            changes = {"state": "failed", "next_attempt_at": None}
        else:
            asked_s = 0.0 if answer is None else answer.retry_after_s
            changes = {"next_attempt_at": self._clock.now() + self._delay(len(delivery.attempts), asked_s)}
        return delivery.model_copy(update=changes)

    async def _judge(self, delivery: Delivery, delivered: bool, *, gone: bool) -> Webhook:
        """Note how the webhook fares; one that takes nothing for long is disabled."""
        now = self._clock.now()

        def change(webhook: Webhook) -> dict[str, object]:
            if delivered:
                return {"failing_since": None}
            if not webhook.enabled or delivery.type == TEST:
                return {}
            since = webhook.failing_since or now
            if not gone and (now - since).total_seconds() < self._settings.disable_after_s:
                return {"failing_since": since}
            reason = "it answered 410 Gone" if gone else f"nothing could be delivered since {since:%Y-%m-%d %H:%M} UTC"
            log.warning("webhook %s of %s is disabled: %s", webhook.id, webhook.tenant, reason)
            return {"failing_since": since, "enabled": False, "disabled_reason": reason}

        return await self._book.change_webhook(delivery.webhook_id, change)

    async def _body(self, delivery: Delivery, *, include_hidden: bool) -> bytes:
        """The same at every attempt: a finished run does not change."""
        message: WebhookTestMessage | EvaluationMessage | TrainingMessage | StudyMessage
        if delivery.run_id is None:
            about = WebhookTestData(webhook_id=delivery.webhook_id)
            message = WebhookTestMessage(timestamp=delivery.created_at, data=about)
        else:
            run = await self._store.get(delivery.run_id)
            assert isinstance(run, EvaluationRun | TrainingRun | StudyRun)
            at = run.document.finished_at or delivery.created_at
            if isinstance(run, EvaluationRun):
                evaluation = run.document if include_hidden else run.document.redacted()
                message = EvaluationMessage.model_validate({"type": delivery.type, "timestamp": at, "data": evaluation})
            elif isinstance(run, StudyRun):
                study = run.document.model_copy(update={"trials": []})
                message = StudyMessage.model_validate({"type": delivery.type, "timestamp": at, "data": study})
            else:
                message = TrainingMessage.model_validate({"type": delivery.type, "timestamp": at, "data": run.document})
        return message.model_dump_json().encode()

    def _delay(self, attempts: int, asked_s: float) -> timedelta:
        """Return the delay before the next attempt; longer if the receiver asks for it."""
        most_s = self._settings.max_retry_s
        delay_s = backoff_s(attempts, self._settings.first_retry_s, most_s, _FACTOR)
        return timedelta(seconds=max(min(most_s, asked_s), delay_s))


def delivery_id(event_id: str, webhook_id: str) -> str:
    """The id of the message that tells ``webhook_id`` of an event: sorted by time, always the same."""
    return f"msg_{event_id.partition('_')[2]}_{webhook_id.removeprefix(f'{Kind.WEBHOOK}_')}"
