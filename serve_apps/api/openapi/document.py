"""The OpenAPI document: what FastAPI derives, and what it cannot see: bodies, headers, events, messages, problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from rlplatform.errors import error_classes
from rlplatform.run_kinds import AnyEvent
from rlplatform.webhooks.models import EvaluationMessage, StudyMessage, TrainingMessage, WebhookTestMessage
from serve_apps.api.live_messages import AnyClientMessage, AnyServerMessage
from serve_apps.api.openapi import headers, schemas, webhook_messages

_PROBLEM = "application/problem+json"
_ALWAYS = (429, 500)
_UNIONS = (
    (
        "Event",
        AnyEvent,
        "An event of a stream, told apart by `type`. It is the same in the log, over SSE and WebSocket.",
    ),
    ("LiveServerMessage", AnyServerMessage, "A message of the server on `/v1/live`; events come between them."),
)
_LIVE_CLIENT = ("LiveClientMessage", AnyClientMessage, "A message of the client on `/v1/live`.")
_MESSAGES = (EvaluationMessage, TrainingMessage, StudyMessage, WebhookTestMessage)

TAGS: Mapping[str, str] = {
    "evaluations": "Judge a learner's code against tests in a sandbox.",
    "trainings": "Train policies with PPO.",
    "runs": "Name, label and delete evaluations and trainings.",
    "studies": "Search hyperparameters with many trainings.",
    "events": "Follow a run live, as server-sent events.",
    "live": "Follow many runs on one WebSocket.",
    "assignments": "Publish assignments, submit to them, and grade.",
    "members": "Manage the people of a course.",
    "lti": "Register learning platforms, whose people come with a click.",
    "checkpoints": "List, download and delete the checkpoints of trainings.",
    "policies": "Publish trained policies, and compute actions with them.",
    "episodes": "Read and watch recorded episodes, and evaluate policies.",
    "files": "Upload files, and use them in requests.",
    "images": "List the images that submissions can run in.",
    "environments": "List the environments that can be trained on.",
    "access": "Manage API keys and tickets.",
    "usage": "Show what a tenant uses, and manage its quotas.",
    "webhooks": "Manage webhooks, which notify others of finished runs.",
    "health": "Probe the process and the platform.",
}
_PATH_PARAMETERS: Mapping[str, str] = {
    "checkpoint_id": "Id of the checkpoint: `ckpt_…`.",
    "environment_id": "Id of the uploaded environment: `env_…`.",
    "episode_id": "Id of the episode: `ep_…`.",
    "evaluation_id": "Id of the evaluation: `eval_…`.",
    "file_id": "Id of the file: `file_…`.",
    "member_id": "Id of the member: `mem_…`.",
    "name": "Name of the assignment.",
    "regrade_id": "Id of the regrade: `regr_…`.",
    "submission_id": "Id of the submission: `sub_…`.",
    "version": "Number of the version.",
    "key_id": "Id of the API key: `key_…`.",
    "policy_id": "Id of the policy: `pol_…`.",
    "run_id": "Id of the run: `eval_…` or `train_…`.",
    "registration_id": "Id of the registration: `lti_…`.",
    "study_id": "Id of the study: `study_…`.",
    "tenant": "Name of the tenant.",
    "training_id": "Id of the training: `train_…`.",
    "webhook_id": "Id of the webhook: `hook_…`.",
}


class ProblemField(BaseModel):
    """One field of a request that is wrong."""

    field: str
    """Dotted path into the request, for example `tests.0.points`; empty: the request as a whole."""
    message: str
    """Explanation for people."""


class Problem(BaseModel):
    """An error (RFC 9457). Act on `code`, which is stable. Further members depend on it."""

    model_config = ConfigDict(extra="allow")

    type: str
    """URN of the kind of error: `urn:rlp:problem:` and the code."""
    title: str
    """Title of the kind of error."""
    status: int
    """HTTP status."""
    code: str
    """Stable code of the error."""
    detail: str
    """Explanation of this error for people: what is wrong, what is accepted, what to do."""
    retryable: bool
    """True if the same request may succeed later."""
    field: str | None = None
    """Dotted path into the request, for example `tests.0.points`; absent if no field is at fault."""
    errors: list[ProblemField] | None = None
    """All fields that are wrong, up to 20; absent unless the request is invalid."""
    did_you_mean: list[str] | None = None
    """Nearest names that exist; absent unless a name is unknown."""
    retry_after_s: float | None = None
    """Time to wait before another attempt, in seconds; absent if unknown."""
    request_id: str | None = None
    """Id of the request, as in `X-Request-Id`; absent in a row of a batch."""


class _RequestBody(dict[str, Any]):
    """A request body of the document, with the model that it refers to."""

    model: type[BaseModel]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers these statuses with a problem document."""
    schema = {"$ref": _ref("Problem")}
    return {
        status: {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(_codes(status))}",
            "headers": headers.problem_headers(status),
            "content": {_PROBLEM: {"schema": schema}},
        }
        for status in statuses
    }


def binary(*media_types: str) -> dict[str, Any]:
    """Return the ``content`` of a response that is a file of one of these types."""
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}


def accepts(model: type[BaseModel], example: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the ``openapi_extra`` of a route that depends on ``bodies.body_of(model)``."""
    content: dict[str, Any] = {"schema": {"$ref": _ref(model.__name__)}}
    if example is not None:
        content["example"] = example
    description = schemas.plain(model.__doc__ or "")
    body = _RequestBody(required=True, description=description, content={"application/json": content})
    body.model = model
    return {"requestBody": body}


def request_bodies(routes: Iterable[APIRoute]) -> list[type[BaseModel]]:
    """Return the models that ``routes`` accept, each once."""
    bodies = ((route.openapi_extra or {}).get("requestBody") for route in routes)
    return list(dict.fromkeys(body.model for body in bodies if isinstance(body, _RequestBody)))


def install(app: FastAPI) -> None:
    """Make ``app.openapi()`` return the complete document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    tags = [{"name": name, "description": description} for name, description in TAGS.items()]
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=tags
    )
    found = schemas.request_schemas([*request_bodies(app.state.routes), _LIVE_CLIENT])
    renamed = schemas.merge(found, schemas.response_schemas([*_answers(app.state.routes), *_MESSAGES]), "Output")
    schemas.merge(found, schemas.event_schemas([Problem, *_UNIONS]), "InEvent")
    # rows of a batch are read and refused one by one, so these models know them as any object
    found["EvaluationBatch"]["properties"]["evaluations"]["items"] = {"$ref": _ref("EvaluationRequest")}
    found["BatchRow"]["properties"]["error"]["anyOf"][0] = {"$ref": _ref("Problem")}
    components = document["components"]
    components["schemas"] = found
    components["headers"] = headers.components()
    components["responses"] = {
        _name(status): problems(status)[status] for status in sorted({e.status for e in error_classes()})
    }
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation, renamed)
    document["webhooks"] = webhook_messages.webhooks()
    return document


def _complete(operation: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Add to an operation what all have in common."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["description"] = _PATH_PARAMETERS[parameter["name"]]
    responses = operation["responses"]
    if read := headers.request_headers(responses):
        operation["parameters"] = [*operation.get("parameters", ()), *read]
    limited = "security" in operation
    for status in _ALWAYS if limited else (500,):
        responses.setdefault(str(status), {"content": {_PROBLEM: {}}})
    if "HTTPValidationError" in str(responses.get("422")):
        responses["422"] = {"content": {_PROBLEM: {}}}
    for status, response in list(responses.items()):
        if _PROBLEM in response.get("content", {}):
            responses[status] = {"$ref": f"#/components/responses/{_name(int(status))}"}
        else:
            usual = headers.usual_headers(limited=limited)
            responses[status] = schemas.with_names(response, renamed) | {"headers": response.get("headers", {}) | usual}


def _answers(routes: Iterable[APIRoute]) -> Iterator[type[BaseModel]]:
    """Every model that a route answers with."""
    for route in routes:
        if route.include_in_schema:
            for model in (route.response_model, *(response.get("model") for response in route.responses.values())):
                if isinstance(model, type) and issubclass(model, BaseModel):
                    yield model


def _codes(status: int) -> list[str]:
    return [cls.code for cls in error_classes() if cls.status == status]


def _ref(model: str) -> str:
    return schemas.REF.format(model=model)


def _name(status: int) -> str:
    """The name of the response with a problem of this status: ``NotFound``."""
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))
