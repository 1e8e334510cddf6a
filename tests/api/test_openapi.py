"""The document says what the API does, and the API does what the document says."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.clock import SystemClock
from rlplatform.errors import NotFound, error_classes, problem
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.policies.models import ActRequest, EvaluatePolicyRequest, PolicyRequest
from rlplatform.run_kinds import EVENT_TYPES
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.commands import FakeCommands
from rlplatform.testing.episodes import FakeEpisodes, local_episodes
from rlplatform.testing.files import MemoryFiles
from rlplatform.testing.policies import FakePolicies
from rlplatform.training.models import TrainingRequest
from rlplatform.webhooks.models import EVENTS, TEST, Webhook
from rlplatform.webhooks.signatures import Signer
from serve_apps.api.__main__ import TARGET, document
from serve_apps.api.app import create_app
from serve_apps.api.live_messages import (
    LiveAuthenticated,
    LiveError,
    LiveHeartbeat,
    LiveReconnect,
    LiveStreamEnd,
    LiveSubscribed,
    LiveUnsubscribed,
    ServerMessage,
)
from serve_apps.api.openapi.schemas import references
from serve_apps.api.routes import episodes as episode_routes
from serve_apps.api.routes import evaluations, policies, trainings
from serve_apps.api.services import Services
from tests.api.described import Description

logging.getLogger("httpx2").setLevel(logging.WARNING)


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run: python -m serve_apps.api"


def test_the_examples_are_valid() -> None:
    EvaluationRequest.model_validate(evaluations.EXAMPLE)
    TrainingRequest.model_validate(trainings.EXAMPLE)
    PolicyRequest.model_validate(policies.EXAMPLE)
    ActRequest.model_validate(policies.ACT_EXAMPLE)
    EvaluatePolicyRequest.model_validate(episode_routes.EXAMPLE)


DOCUMENT: dict[str, Any] = json.loads(document())
OPERATIONS = {
    operation["operationId"]: operation
    for paths in (DOCUMENT["paths"], DOCUMENT["webhooks"])
    for path in paths.values()
    for operation in path.values()
}
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
DESCRIPTION = Description(DOCUMENT)
OBSCURE = re.compile(r"(What|Who|Whose|Whether|Those|Of|Where|Until|Which)\b")


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in the document that a reader wants explained, by its place."""
    for name, operation in OPERATIONS.items():
        yield name, operation
        for parameter in operation.get("parameters", ()):
            yield f"{name} parameter {parameter['name']}", parameter
        for status, response in operation["responses"].items():
            yield f"{name} {status}", dict(DESCRIPTION.resolved(response))
        if "requestBody" in operation:
            yield f"{name} body", operation["requestBody"]
    for tag in DOCUMENT["tags"]:
        yield f"tag {tag['name']}", tag
    for kind in ("headers", "responses", "securitySchemes"):
        for name, component in DOCUMENT["components"][kind].items():
            yield f"{kind} {name}", component
    for name, schema in SCHEMAS.items():
        yield name, schema
        for field, inner in schema.get("properties", {}).items():
            yield f"{name}.{field}", inner


def test_everything_is_described_in_words_that_open_plainly() -> None:
    texts = dict(described())
    assert len(texts) > 900
    assert [place for place, node in texts.items() if not str(node.get("description", "")).strip()] == []
    assert [place for place, node in texts.items() if OBSCURE.match(node["description"])] == []
    summaries = {name: operation["summary"] for name, operation in OPERATIONS.items()}
    assert [name for name, summary in summaries.items() if OBSCURE.match(summary)] == []


def test_every_tag_is_listed_and_used() -> None:
    used = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_operation_names_its_errors_and_is_named_once() -> None:
    found = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in found}) == len(found)
    for operation in found:
        for status, response in operation["responses"].items():
            if int(status) >= 400 and operation["operationId"] != "health_readyz":
                assert "application/problem+json" in DESCRIPTION.resolved(response)["content"], operation["operationId"]


def answers() -> set[str]:
    """The schemas of all that the API answers with and sends to webhooks, except for problems and events."""
    waiting = {
        name
        for operation in (operation for path in DOCUMENT["paths"].values() for operation in path.values())
        for response in operation["responses"].values()
        for name in references(response)
    } | {name for path in DOCUMENT["webhooks"].values() for name in references(path)}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in SCHEMAS and name not in found | {"Event", "Problem"}:
            found.add(name)
            waiting |= set(references(SCHEMAS[name]))
    return found


def test_every_field_of_an_answer_is_required() -> None:
    assert {"Evaluation", "Training", "TrainingRequestOutput", "Usage", "EvaluationMessage"} <= answers()
    for name in answers():
        schema = SCHEMAS[name]
        assert set(schema.get("properties", ())) == set(schema.get("required", ())), name


def test_a_request_requires_no_more_than_it_must() -> None:
    assert set(SCHEMAS["TrainingRequest"]["required"]) == {"env"}
    assert set(SCHEMAS["EvaluationRequest"]["required"]) == {"source", "tests"}
    assert SCHEMAS["FloatsChecker"]["required"] == ["kind"], "a checker is told by its kind"
    assert "Default: `50`" not in json.dumps(DOCUMENT), "a parameter has its default as such"
    assert SCHEMAS["Limits"]["properties"]["memory_mib"]["description"].endswith("Default: `256`.")


def test_an_event_requires_what_every_stored_one_has() -> None:
    for name, event in EVENT_TYPES.items():
        schema = SCHEMAS[event.__name__]
        given = {field for field, info in event.model_fields.items() if info.is_required()}
        assert set(schema["required"]) == given | {"id", "seq", "type"}, name
    assert "best" not in SCHEMAS["CheckpointInfoInEvent"]["required"]
    assert "best" in SCHEMAS["CheckpointInfo"]["required"]


def test_every_reference_leads_somewhere() -> None:
    for name in references(DOCUMENT):
        assert any(name in components for components in DOCUMENT["components"].values()), name


def test_the_webhooks_are_those_that_are_sent() -> None:
    assert DOCUMENT["webhooks"].keys() == {*EVENTS, TEST}
    signed = Signer(SecretStr("pepper")).headers(
        Webhook(
            id="hook_1",
            tenant="t",
            url="https://x.test",
            events=["evaluation.finished"],
            created_by="key_1",
            created_at=datetime.now(UTC),
        ),
        "msg_1",
        b"",
        datetime.now(UTC),
    )
    for path in DOCUMENT["webhooks"].values():
        assert {parameter["name"] for parameter in path["post"]["parameters"]} == signed.keys()


@pytest.mark.parametrize(
    "message",
    [
        LiveAuthenticated(),
        LiveSubscribed(stream="trainings/train_1", after=0),
        LiveUnsubscribed(stream="trainings/train_1"),
        LiveStreamEnd(stream="trainings/train_1"),
        LiveHeartbeat(time=datetime.now(UTC)),
        LiveReconnect(cursors={"trainings/train_1": 3}),
        LiveError(**{**problem(NotFound("no such run")), "type": "error"}, stream="trainings/train_1"),
    ],
)
def test_the_messages_of_a_socket_are_as_described(message: ServerMessage) -> None:
    sent = json.loads(message.model_dump_json(exclude_unset=isinstance(message, LiveError)))
    assert DESCRIPTION.errors(sent, SCHEMAS["LiveServerMessage"]) == []
    assert DESCRIPTION.errors({**sent, "type": "unknown"}, SCHEMAS["LiveServerMessage"]) != []


CHECKPOINTS = tempfile.TemporaryDirectory()


def _application() -> tuple[Any, str]:
    clock = SystemClock()
    store = MemoryStore(clock)
    configured = Settings.model_validate({"api": {"stream_max_life_s": 0.02, "max_wait_s": 0.01}})
    commands = FakeCommands(store, clock, judge=Verdict.ACCEPTED)
    checkpoints = open_checkpoints(CHECKPOINTS.name)
    policies = FakePolicies(store, checkpoints, clock)
    files = MemoryFiles()
    episodes = local_episodes(Path(CHECKPOINTS.name) / "episodes")
    services = Services(
        store=store,
        commands=commands,
        clock=clock,
        checkpoints=checkpoints,
        files=files,
        episodes=episodes,
        player=FakeEpisodes(episodes),
        policies=policies,
    )
    app = create_app(services, configured)
    _, key = asyncio.run(app.state.context.access.keys.create(tenant="school", name="fuzz", scopes=["admin"]))
    return app, key


APP, KEY = _application()
PUBLIC = ("/healthz", "/readyz", "/v1/live", "/v1/session", "/v1/invitations:accept")
schema = schemathesis.openapi.from_asgi("/v1/openapi.json", APP)
fuzzing = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="CI" in os.environ,  # there, a fault is found by a change that makes it
)
glancing = settings(fuzzing, max_examples=3)


@schema.parametrize()
@fuzzing
def test_with_a_key(case: schemathesis.Case) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    excluded = [positive_data_acceptance]
    operation = case.operation.definition.raw["operationId"]
    if operation == "evaluations_submit_batch":
        excluded.append(negative_data_rejection)  # a row that is wrong is refused by itself
    response = case.call_and_validate(headers=headers, excluded_checks=excluded)
    if response.status_code != 405:  # of a method that is none of the document's
        sent = [(name, value) for name, values in response.headers.items() for value in values]
        assert DESCRIPTION.faults(OPERATIONS[operation], response.status_code, sent, response.content) == []


@schema.parametrize()
@glancing
def test_without_a_key(case: schemathesis.Case) -> None:
    response = case.call()
    too_long = response.status_code == 422 and "parameters; at most 100" in response.text  # the query is not looked at
    assert response.status_code in (401, 404, 405) or too_long or case.path in PUBLIC, response.text


DOCS = Path(__file__).parents[2] / "docs"


def _rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of a page in ``docs``."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    table = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def test_the_reference_has_every_error() -> None:
    told = {(code, status, retry) for code, status, retry, _ in _rows("api-reference.md", "Errors")[2:]}
    assert told == {(cls.code, str(cls.status), "yes" if cls.retryable else "") for cls in error_classes()}


def test_the_guide_has_every_role_and_scope() -> None:
    heading, _, *rows = _rows("api-guide.md", "Access")
    roles = [Role(name) for name in heading[2:]]
    assert set(roles) == set(Role)
    assert [row[0] for row in rows] == [scope.value for scope in Scope]
    for scope, _, *marks in rows:
        for role, mark in zip(roles, marks, strict=True):
            holder = Principal(id="x", tenant="t", scopes=role.scopes)
            assert holder.has(Scope(scope)) == (mark == "✓"), (scope, role)
