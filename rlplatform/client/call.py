"""Calls of the client as values: method, path, body, how the answer is read. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from rlplatform.access.quotas import Quotas
from rlplatform.documents import (
    BatchResult,
    CheckpointList,
    EnvironmentList,
    KeyCreated,
    KeyInfo,
    KeyList,
    KeyRequest,
    MetricSeries,
    Page,
    Readiness,
    Submission,
    TenantQuotas,
    Usage,
    WhoAmI,
)
from rlplatform.errors import InvalidRequest, PlatformError, ServiceError, error_from
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.events import stream_of
from rlplatform.policies.models import Actions, PolicyInfo, PolicyRequest
from rlplatform.training.models import Training, TrainingCheck, TrainingRequest
from rlplatform.webhooks.models import (
    Delivery,
    DeliveryList,
    Webhook,
    WebhookChange,
    WebhookCreated,
    WebhookList,
    WebhookRequest,
)

T = TypeVar("T")

_PLAIN = TypeAdapter(dict[str, Any], config=ConfigDict(ser_json_inf_nan="constants"))  # NaN is refused, not made null

POLICY_WAIT_S = 90.0  # the first request for a policy starts what serves them


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request. ``repeatable``: it is idempotent, or carries an Idempotency-Key."""

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    accepted: frozenset[int] = frozenset({200, 201, 202, 204})
    repeatable: bool = True


def submit_evaluation(
    request: EvaluationRequest | Mapping[str, Any], wait_s: float = 0.0, idempotency_key: str | None = None
) -> Call[Evaluation]:
    params = {"wait": wait_s} if wait_s else {}
    body = _body(request)
    return _create("/v1/evaluations", body, _reads(Evaluation), idempotency_key, params, wait_s)


def submit_evaluations(
    requests: Sequence[EvaluationRequest | Mapping[str, Any]], idempotency_key: str | None = None
) -> Call[list[Evaluation | PlatformError]]:
    rows = b",".join(_body(request) for request in requests)
    body = b'{"evaluations":[' + rows + b"]}"
    return _create("/v1/evaluations:batch", body, _rows, idempotency_key)


def evaluation(evaluation_id: str) -> Call[Evaluation]:
    return Call("GET", f"/v1/evaluations/{_segment(evaluation_id)}", _reads(Evaluation))


def submission(evaluation_id: str) -> Call[Submission]:
    return Call("GET", f"/v1/evaluations/{_segment(evaluation_id)}/submission", _reads(Submission))


def evaluations(states: Sequence[str], cursor: str | None, limit: int) -> Call[Page[Evaluation]]:
    return Call("GET", "/v1/evaluations", _reads(Page[Evaluation]), _listing(states, cursor, limit))


def cancel_evaluation(evaluation_id: str) -> Call[Evaluation]:
    return Call("DELETE", f"/v1/evaluations/{_segment(evaluation_id)}", _reads(Evaluation))


def start_training(request: TrainingRequest | Mapping[str, Any], idempotency_key: str | None = None) -> Call[Training]:
    return _create("/v1/trainings", _body(request), _reads(Training), idempotency_key)


def check_training(request: TrainingRequest | Mapping[str, Any]) -> Call[TrainingCheck]:
    return _change("POST", "/v1/trainings:check", request, TrainingCheck)


def training(training_id: str) -> Call[Training]:
    return Call("GET", f"/v1/trainings/{_segment(training_id)}", _reads(Training))


def trainings(states: Sequence[str], cursor: str | None, limit: int) -> Call[Page[Training]]:
    return Call("GET", "/v1/trainings", _reads(Page[Training]), _listing(states, cursor, limit))


def command_training(training_id: str, command: str) -> Call[Training]:
    return Call("POST", f"/v1/trainings/{_segment(training_id)}/{command}", _reads(Training))


def metrics(training_id: str, names: Sequence[str], max_points: int) -> Call[MetricSeries]:
    params = {"max_points": max_points} | ({"names": ",".join(names)} if names else {})
    return Call("GET", f"/v1/trainings/{_segment(training_id)}/metrics", _reads(MetricSeries), params)


def checkpoints(training_id: str) -> Call[CheckpointList]:
    return Call("GET", f"/v1/trainings/{_segment(training_id)}/checkpoints", _reads(CheckpointList))


def delete_checkpoint(checkpoint_id: str) -> Call[None]:
    return Call("DELETE", f"/v1/checkpoints/{_segment(checkpoint_id)}", _nothing)


def publish_policy(request: PolicyRequest | Mapping[str, Any], idempotency_key: str | None = None) -> Call[PolicyInfo]:
    return _create("/v1/policies", _body(request), _reads(PolicyInfo), idempotency_key, wait_s=POLICY_WAIT_S)


def policy(policy_id: str) -> Call[PolicyInfo]:
    return Call("GET", f"/v1/policies/{_segment(policy_id)}", _reads(PolicyInfo))


def policies(cursor: str | None, limit: int) -> Call[Page[PolicyInfo]]:
    return Call("GET", "/v1/policies", _reads(Page[PolicyInfo]), _listing((), cursor, limit))


def delete_policy(policy_id: str) -> Call[PolicyInfo]:
    return Call("DELETE", f"/v1/policies/{_segment(policy_id)}", _reads(PolicyInfo), wait_s=POLICY_WAIT_S)


def act(policy_id: str, observations: Sequence[Any], deterministic: bool) -> Call[Actions]:
    body = _body({"observations": list(observations), "deterministic": deterministic})
    headers = {"Content-Type": "application/json"}
    path = f"/v1/policies/{_segment(policy_id)}/act"
    return Call("POST", path, _reads(Actions), body=body, headers=headers, wait_s=POLICY_WAIT_S)


def environments() -> Call[EnvironmentList]:
    return Call("GET", "/v1/environments", _reads(EnvironmentList))


def create_key(request: KeyRequest | Mapping[str, Any]) -> Call[KeyCreated]:
    headers = {"Content-Type": "application/json"}
    return Call("POST", "/v1/keys", _reads(KeyCreated), body=_body(request), headers=headers, repeatable=False)


def keys() -> Call[KeyList]:
    return Call("GET", "/v1/keys", _reads(KeyList))


def rotate_key(key_id: str, overlap_s: float) -> Call[KeyCreated]:
    headers = {"Content-Type": "application/json"}
    body = _body({"overlap_s": overlap_s})
    path = f"/v1/keys/{_segment(key_id)}/rotate"
    return Call("POST", path, _reads(KeyCreated), body=body, headers=headers, repeatable=False)


def revoke_key(key_id: str) -> Call[KeyInfo]:
    return Call("DELETE", f"/v1/keys/{_segment(key_id)}", _reads(KeyInfo))


def whoami() -> Call[WhoAmI]:
    return Call("GET", "/v1/whoami", _reads(WhoAmI))


def usage() -> Call[Usage]:
    return Call("GET", "/v1/usage", _reads(Usage))


def quotas(tenant: str) -> Call[TenantQuotas]:
    return Call("GET", f"/v1/tenants/{_segment(tenant)}/quotas", _reads(TenantQuotas))


def set_quotas(tenant: str, quotas: Quotas | Mapping[str, Any]) -> Call[TenantQuotas]:
    return _change("PUT", f"/v1/tenants/{_segment(tenant)}/quotas", quotas, TenantQuotas)


def reset_quotas(tenant: str) -> Call[TenantQuotas]:
    return Call("DELETE", f"/v1/tenants/{_segment(tenant)}/quotas", _reads(TenantQuotas))


def create_webhook(request: WebhookRequest | Mapping[str, Any]) -> Call[WebhookCreated]:
    return _change("POST", "/v1/webhooks", request, WebhookCreated, repeatable=False)


def webhooks() -> Call[WebhookList]:
    return Call("GET", "/v1/webhooks", _reads(WebhookList))


def change_webhook(webhook_id: str, change: WebhookChange | Mapping[str, Any]) -> Call[Webhook]:
    return _change("PATCH", f"/v1/webhooks/{_segment(webhook_id)}", change, Webhook)


def delete_webhook(webhook_id: str) -> Call[Webhook]:
    return Call("DELETE", f"/v1/webhooks/{_segment(webhook_id)}", _reads(Webhook))


def rotate_webhook(webhook_id: str, overlap_s: float) -> Call[WebhookCreated]:
    rotation = {"overlap_s": overlap_s}
    return _change("POST", f"/v1/webhooks/{_segment(webhook_id)}/rotate", rotation, WebhookCreated, repeatable=False)


def test_webhook(webhook_id: str) -> Call[Delivery]:
    return Call("POST", f"/v1/webhooks/{_segment(webhook_id)}/test", _reads(Delivery), repeatable=False)


def deliveries(webhook_id: str, limit: int) -> Call[DeliveryList]:
    return Call("GET", f"/v1/webhooks/{_segment(webhook_id)}/deliveries", _reads(DeliveryList), {"limit": limit})


def ready() -> Call[Readiness]:
    return Call("GET", "/readyz", _reads(Readiness), accepted=frozenset({200, 503}))


def download_path(checkpoint_id: str) -> str:
    return f"/v1/checkpoints/{_segment(checkpoint_id)}/download"


def policy_path(policy_id: str, form: str) -> str:
    return f"/v1/policies/{_segment(policy_id)}/download?format={quote(form, safe='')}"


def events_path(run_id: str) -> str:
    """:raises InvalidRequest: not the id of a run."""
    return f"/v1/{stream_of(run_id)}/events"


def failure(status: int, media_type: str, body: bytes) -> PlatformError:
    """The exception for an answer that is none of the expected ones."""
    if media_type.startswith("application/problem+json"):
        try:
            return error_from(TypeAdapter(dict[str, Any]).validate_json(body))
        except ValidationError:
            pass
    return ServiceError(f"the server answered {status}: {body[:200].decode('utf-8', 'replace')}", status_code=status)


def _create(
    path: str,
    body: bytes,
    read: Callable[[bytes], T],
    idempotency_key: str | None,
    params: Mapping[str, Any] | None = None,
    wait_s: float = 0.0,
) -> Call[T]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or uuid4().hex}
    return Call("POST", path, read, params or {}, body, headers, wait_s)


def _change(
    method: str, path: str, body: BaseModel | Mapping[str, Any], model: type[T], *, repeatable: bool = True
) -> Call[T]:
    headers = {"Content-Type": "application/json"}
    return Call(method, path, _reads(model), body=_body(body), headers=headers, repeatable=repeatable)


def _body(request: BaseModel | Mapping[str, Any]) -> bytes:
    """Encode the fields that were set: the server's defaults hold, and an older server is not sent newer fields.

    Raises:
        InvalidRequest: something in it cannot be encoded as JSON.
    """
    try:
        if isinstance(request, BaseModel):
            return request.model_dump_json(exclude_unset=True).encode()
        return _PLAIN.dump_json(dict(request))
    except PydanticSerializationError as error:
        raise InvalidRequest(f"the request cannot be sent: {error}") from None


def _reads(model: type[T]) -> Callable[[bytes], T]:
    """A reader that passes over fields which only a newer server knows."""
    adapter: TypeAdapter[T] = TypeAdapter(model)

    def read(body: bytes) -> T:
        try:
            return adapter.validate_json(body, extra="ignore")
        except ValidationError as error:
            raise ServiceError(f"the answer cannot be read: {error}") from error

    return read


def _nothing(_: bytes) -> None:
    return None


def _rows(body: bytes) -> list[Evaluation | PlatformError]:
    rows = _reads(BatchResult)(body).results
    return [row.evaluation if row.evaluation is not None else error_from(row.error or {}) for row in rows]


def _segment(text: str) -> str:
    """``text`` as one segment of a path, so that no id can lead elsewhere. :raises InvalidRequest: it can be none."""
    if text in ("", ".", ".."):
        raise InvalidRequest(f"{text!r} is neither an id nor a name")
    return quote(text, safe="")


def _listing(states: Sequence[str], cursor: str | None, limit: int) -> dict[str, Any]:
    return {"state": list(states), "limit": limit} | ({"cursor": cursor} if cursor else {})
