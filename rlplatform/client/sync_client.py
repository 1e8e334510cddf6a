"""The client, for programs that block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx2

from rlplatform.access.quotas import Quotas
from rlplatform.client import call as calls
from rlplatform.client.call import Call
from rlplatform.client.connection import find_connection, open_http
from rlplatform.client.downloads import saving
from rlplatform.client.event_cursor import EventCursor
from rlplatform.client.retry import Retry
from rlplatform.documents import (
    KeyCreated,
    KeyInfo,
    KeyRequest,
    MetricSeries,
    Readiness,
    Submission,
    TenantQuotas,
    Usage,
    WhoAmI,
)
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.events import FINAL_TYPES, Event
from rlplatform.ids import Kind, kind_of
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.training.models import CheckpointInfo, EnvironmentInfo, Training, TrainingCheck, TrainingRequest
from rlplatform.webhooks.models import Delivery, Webhook, WebhookChange, WebhookCreated, WebhookRequest

T = TypeVar("T")

TIMEOUT_S = 30.0


class Client:
    """Talks to a platform; returns the platform's own models and raises its own errors (``rlplatform.errors``).

    Calls that fail in passing are repeated, which is safe: what creates runs has an Idempotency-Key. One thread at a
    time. Close it, or use it as a context manager.

    :param url: the platform's address; without it ``RLP_URL`` or the nearest ``.rlp/local.json``.
    :param api_key: likewise, with ``RLP_API_KEY``.
    :param transport: for tests.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retry: Retry | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        connection = find_connection(url, api_key)
        self.url = connection.url
        self._retry = retry or Retry()
        self._sleep = sleep
        self._http = open_http(httpx2.Client, connection, timeout=TIMEOUT_S, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._http.close()

    # -- evaluations ---------------------------------------------------------------------------------------------------

    def evaluate(self, request: EvaluationRequest | Mapping[str, Any], *, timeout_s: float | None = None) -> Evaluation:
        """Submit an evaluation, wait for its end, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        submitted = self.submit_evaluation(request, wait_s=20.0 if timeout_s is None else 0.0)
        if submitted.finished_at is not None:
            return submitted
        done = self.wait(submitted.id, timeout_s=timeout_s)
        assert isinstance(done, Evaluation)
        return done

    def submit_evaluation(
        self,
        request: EvaluationRequest | Mapping[str, Any],
        *,
        wait_s: float = 0.0,
        idempotency_key: str | None = None,
    ) -> Evaluation:
        """Queue an evaluation; its result, if it finishes within ``wait_s`` (at most 60)."""
        return self._send(calls.submit_evaluation(request, wait_s, idempotency_key))

    def submit_evaluations(
        self, requests: Sequence[EvaluationRequest | Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Evaluation | PlatformError]:
        """Queue up to 200 at once; for each, in order, the queued evaluation or why it was refused."""
        return self._send(calls.submit_evaluations(requests, idempotency_key))

    def evaluation(self, evaluation_id: str) -> Evaluation:
        """:raises NotFound: there is none such."""
        return self._send(calls.evaluation(evaluation_id))

    def submission(self, evaluation_id: str) -> Submission:
        """Program and visible tests of an evaluation. :raises NotFound: there is none such."""
        return self._send(calls.submission(evaluation_id))

    def evaluations(self, *, states: Sequence[str] = (), page_size: int = 50) -> Iterator[Evaluation]:
        """All evaluations, newest first, without their tests; pages are fetched as they are needed."""
        cursor = None
        while True:
            page = self._send(calls.evaluations(states, cursor, page_size))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def cancel_evaluation(self, evaluation_id: str) -> Evaluation:
        """Cancel an evaluation; a finished one is left unchanged."""
        return self._send(calls.cancel_evaluation(evaluation_id))

    # -- trainings -----------------------------------------------------------------------------------------------------

    def start_training(
        self, request: TrainingRequest | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Training:
        """Queue a training."""
        return self._send(calls.start_training(request, idempotency_key))

    def check_training(self, request: TrainingRequest | Mapping[str, Any]) -> TrainingCheck:
        """Check a training as starting it would, and start nothing; return what it would train with.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """
        return self._send(calls.check_training(request))

    def training(self, training_id: str) -> Training:
        """:raises NotFound: there is none such."""
        return self._send(calls.training(training_id))

    def trainings(self, *, states: Sequence[str] = (), page_size: int = 50) -> Iterator[Training]:
        """All trainings, newest first; pages are fetched as they are needed."""
        cursor = None
        while True:
            page = self._send(calls.trainings(states, cursor, page_size))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def pause_training(self, training_id: str) -> Training:
        """Pause a training: save a checkpoint and free its resources.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return self._send(calls.command_training(training_id, "pause"))

    def resume_training(self, training_id: str) -> Training:
        """Continue a paused training from its checkpoint, as soon as there is room.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return self._send(calls.command_training(training_id, "resume"))

    def stop_training(self, training_id: str) -> Training:
        """Stop a training for good, after a last checkpoint; a finished one is left unchanged."""
        return self._send(calls.command_training(training_id, "stop"))

    def metrics(self, training_id: str, *names: str, max_points: int = 500) -> MetricSeries:
        """The time series of the metrics ``names``; of all of them without names."""
        return self._send(calls.metrics(training_id, names, max_points))

    def checkpoints(self, training_id: str) -> list[CheckpointInfo]:
        """The committed checkpoints, oldest first."""
        return self._send(calls.checkpoints(training_id)).items

    def download_checkpoint(
        self, checkpoint_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save a checkpoint as the tar archive ``target``, which is there only once it is whole.

        :param progress: called with the bytes received and the bytes in all.
        """
        return self._download(calls.download_path(checkpoint_id), target, progress)

    def delete_checkpoint(self, checkpoint_id: str) -> None:
        """Delete a checkpoint for good, for example to get below the storage quota.

        Raises:
            Conflict: an unfinished training would be recovered from it.
        """
        self._send(calls.delete_checkpoint(checkpoint_id))

    # -- policies ------------------------------------------------------------------------------------------------------

    def publish_policy(
        self, request: PolicyRequest | Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> PolicyInfo:
        """Copy a checkpoint's policy, so that it outlives the checkpoint and can act.

        :raises NotFound: there is no such checkpoint or training.
        :raises Conflict: it has no policy that can be served.
        """
        return self._send(calls.publish_policy(request, idempotency_key))

    def policy(self, policy_id: str) -> PolicyInfo:
        """:raises NotFound: there is none such."""
        return self._send(calls.policy(policy_id))

    def policies(self, *, page_size: int = 50) -> Iterator[PolicyInfo]:
        """All policies, newest first; pages are fetched as they are needed."""
        cursor = None
        while True:
            page = self._send(calls.policies(cursor, page_size))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def delete_policy(self, policy_id: str) -> PolicyInfo:
        """Delete it for good; again: nothing happens."""
        return self._send(calls.delete_policy(policy_id))

    def act(self, policy_id: str, observations: Sequence[Any], *, deterministic: bool = True) -> list[Any]:
        """One action for each observation (nested lists, as the environment gives them; at most 4096)."""
        return (self._send(calls.act(policy_id, observations, deterministic))).actions

    def download_policy(
        self,
        policy_id: str,
        target: Path,
        *,
        form: Literal["onnx", "tar"] = "onnx",
        progress: Callable[[int, int], None] | None = None,
    ) -> Path:
        """Save a policy as an ONNX model, or as its archive. ``target`` is there only once it is whole."""
        return self._download(calls.policy_path(policy_id, form), target, progress)

    # -- following -----------------------------------------------------------------------------------------------------

    def events(
        self, run_id: str, *, after: int = 0, types: Sequence[str] = (), timeout_s: float | None = None
    ) -> Iterator[Event]:
        """Yield the events of a run after number ``after``, live, to its final one.

        Reconnects by itself and misses none.

        Args:
            types: only events of these types.

        Raises:
            TimeoutError: the run has not finished after ``timeout_s``; it continues.
            Unavailable: the server has not answered for two minutes.
        """
        path = calls.events_path(run_id)
        following = EventCursor(after, types, timeout_s)
        while not following.done:
            try:
                yield from self._connection(path, following)
            except httpx2.ReadTimeout:
                continue
            except httpx2.TransportError as error:
                self._sleep(following.pause_s(self._unreachable(error)))
            except PlatformError as error:
                self._sleep(following.pause_s(error))

    def wait(self, run_id: str, *, timeout_s: float | None = None) -> Evaluation | Training:
        """Wait for the end of a run, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        for _ in self.events(run_id, types=tuple(FINAL_TYPES), timeout_s=timeout_s):
            pass
        return self.evaluation(run_id) if kind_of(run_id) is Kind.EVALUATION else self.training(run_id)

    # -- access --------------------------------------------------------------------------------------------------------

    def create_key(self, request: KeyRequest | Mapping[str, Any]) -> KeyCreated:
        """Make an API key; its text is in the answer, and nowhere else. Not repeated when the answer is lost.

        :raises NotAllowed: it would have rights that this client has not.
        """
        return self._send(calls.create_key(request))

    def keys(self) -> list[KeyInfo]:
        """The API keys of the tenant, oldest first."""
        return self._send(calls.keys()).items

    def rotate_key(self, key_id: str, *, overlap_s: float = 3600.0) -> KeyCreated:
        """Replace a key; the old one stays valid for ``overlap_s``. Not repeated when the answer is lost."""
        return self._send(calls.rotate_key(key_id, overlap_s))

    def revoke_key(self, key_id: str) -> KeyInfo:
        """Make a key useless, from this moment on. Idempotent."""
        return self._send(calls.revoke_key(key_id))

    def whoami(self) -> WhoAmI:
        """Return the principal that the platform takes this client for."""
        return self._send(calls.whoami())

    def usage(self) -> Usage:
        """Return the tenant's usage, now and today, and its quotas."""
        return self._send(calls.usage())

    def quotas(self, tenant: str) -> TenantQuotas:
        """Return the quotas of a tenant.

        Raises:
            NotFound: the tenant is another's, and this client is not an operator's.
        """
        return self._send(calls.quotas(tenant))

    def set_quotas(self, tenant: str, quotas: Quotas | Mapping[str, Any]) -> TenantQuotas:
        """Set what is given, and the defaults for all else. :raises NotAllowed: this client is no operator's."""
        return self._send(calls.set_quotas(tenant, quotas))

    def reset_quotas(self, tenant: str) -> TenantQuotas:
        """The default quotas again. :raises NotAllowed: this client is no operator's."""
        return self._send(calls.reset_quotas(tenant))

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def create_webhook(self, request: WebhookRequest | Mapping[str, Any]) -> WebhookCreated:
        """Create a webhook for finished runs. The answer alone has its secret. Not repeated when the answer is lost."""
        return self._send(calls.create_webhook(request))

    def webhooks(self) -> list[Webhook]:
        """The tenant's webhooks, newest first."""
        return self._send(calls.webhooks()).items

    def change_webhook(self, webhook_id: str, change: WebhookChange | Mapping[str, Any]) -> Webhook:
        """Change what is given; ``enabled: true`` starts one again that was disabled."""
        return self._send(calls.change_webhook(webhook_id, change))

    def rotate_webhook(self, webhook_id: str, *, overlap_s: float = 86_400.0) -> WebhookCreated:
        """A new secret; the old one signs, too, for ``overlap_s``. Not repeated when the answer is lost."""
        return self._send(calls.rotate_webhook(webhook_id, overlap_s))

    def test_webhook(self, webhook_id: str) -> Delivery:
        """Send a message of type ``webhook.test``, once."""
        return self._send(calls.test_webhook(webhook_id))

    def deliveries(self, webhook_id: str, *, limit: int = 20) -> list[Delivery]:
        """Return the deliveries of a webhook, newest first, with every attempt."""
        return self._send(calls.deliveries(webhook_id, limit)).items

    def delete_webhook(self, webhook_id: str) -> Webhook:
        """Delete it, and what is known of its deliveries."""
        return self._send(calls.delete_webhook(webhook_id))

    # -- the platform --------------------------------------------------------------------------------------------------

    def environments(self) -> list[EnvironmentInfo]:
        """Return the environments that can be trained."""
        return self._send(calls.environments()).items

    def ready(self) -> Readiness:
        """How the platform's parts are."""
        return self._send(calls.ready())

    # -- within --------------------------------------------------------------------------------------------------------

    def _download(self, path: str, target: Path, progress: Callable[[int, int], None] | None) -> Path:
        try:
            with self._http.stream("GET", path, timeout=TIMEOUT_S + calls.POLICY_WAIT_S) as response:
                if response.status_code != 200:
                    raise _failure(response)
                received = 0
                with saving(target) as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
                        received += len(chunk)
                        if progress is not None:
                            progress(received, int(response.headers.get("content-length", 0)))
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        return target

    def _connection(self, path: str, following: EventCursor) -> Iterator[Event]:
        timeout = httpx2.Timeout(TIMEOUT_S, read=following.patience_s())
        with self._http.sse(path, params=following.params, headers=following.headers, timeout=timeout) as source:
            if source.response.status_code == 204:
                following.done = True
                return
            if source.response.status_code != 200:
                raise _failure(source.response)
            following.connected()
            for message in source:
                event = following.take(message)
                if event is not None:
                    yield event
                if following.done:
                    return

    def _send(self, call: Call[T]) -> T:
        attempt = 1
        while True:
            try:
                return self._once(call)
            except PlatformError as error:
                delay = self._retry.delay_s(attempt, error) if call.repeatable else None
                if delay is None:
                    raise
                self._sleep(delay)
                attempt += 1

    def _once(self, call: Call[T]) -> T:
        try:
            response = self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=call.headers,
                timeout=TIMEOUT_S + call.wait_s,
            )
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        if response.status_code not in call.accepted:
            raise calls.failure(response.status_code, response.headers.get("content-type", ""), response.content)
        return call.read(response.content)

    def _unreachable(self, error: httpx2.TransportError) -> Unavailable:
        return Unavailable(f"nothing answers at {self.url} ({error or type(error).__name__}); is the platform running?")


def _failure(response: httpx2.Response) -> PlatformError:
    body = response.read()
    return calls.failure(response.status_code, response.headers.get("content-type", ""), body)
