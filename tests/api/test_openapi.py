"""The document says what the API does, and the API does what the document says."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from pydantic import TypeAdapter
from schemathesis.specs.openapi.checks import positive_data_acceptance

from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.clock import SystemClock
from rlplatform.errors import error_classes
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.policies.models import ActRequest, PolicyRequest
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.commands import FakeCommands
from rlplatform.testing.policies import FakePolicies
from rlplatform.training.models import TrainingRequest
from serve_apps.api.__main__ import TARGET, document
from serve_apps.api.app import create_app
from serve_apps.api.routes import evaluations, policies, trainings
from serve_apps.api.services import Services

logging.getLogger("httpx2").setLevel(logging.WARNING)


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run: python -m serve_apps.api"


def test_the_examples_are_valid() -> None:
    EvaluationRequest.model_validate(evaluations.EXAMPLE)
    TrainingRequest.model_validate(trainings.EXAMPLE)
    PolicyRequest.model_validate(policies.EXAMPLE)
    ActRequest.model_validate(policies.ACT_EXAMPLE)


def test_every_operation_names_its_errors_and_is_named_once() -> None:
    found = TypeAdapter(dict[str, Any]).validate_json(document())
    operations = [operation for path in found["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        for status, response in operation["responses"].items():
            if int(status) >= 400 and operation["operationId"] != "health_readyz":
                assert "application/problem+json" in response["content"], (operation["operationId"], status)


CHECKPOINTS = tempfile.TemporaryDirectory()


def _application() -> tuple[Any, str]:
    clock = SystemClock()
    store = MemoryStore(clock)
    configured = Settings.model_validate({"api": {"stream_max_life_s": 0.02, "max_wait_s": 0.01}})
    commands = FakeCommands(store, clock, judge=Verdict.ACCEPTED)
    checkpoints = open_checkpoints(CHECKPOINTS.name)
    policies = FakePolicies(store, checkpoints, clock)
    services = Services(store=store, commands=commands, clock=clock, checkpoints=checkpoints, policies=policies)
    app = create_app(services, configured)
    _, key = asyncio.run(app.state.context.access.keys.mint(tenant="school", name="fuzz", scopes=["admin"]))
    return app, key


APP, KEY = _application()
schema = schemathesis.openapi.from_asgi("/v1/openapi.json", APP)
fuzzing = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
glancing = settings(fuzzing, max_examples=3)


@schema.parametrize()
@fuzzing
def test_with_a_key(case: schemathesis.Case) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])


@schema.parametrize()
@glancing
def test_without_a_key(case: schemathesis.Case) -> None:
    response = case.call()
    assert response.status_code in (401, 404, 405) or case.path in ("/healthz", "/readyz"), response.text


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of the README."""
    text = TARGET.with_name("README.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    table = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def test_the_readme_has_every_error() -> None:
    told = {(code, status, retry) for code, status, retry, _ in _rows("Errors")[2:]}
    assert told == {(cls.code, str(cls.status), "yes" if cls.retryable else "") for cls in error_classes()}


def test_the_readme_has_every_role_and_scope() -> None:
    heading, _, *rows = _rows("Access")
    roles = [Role(name) for name in heading[2:]]
    assert set(roles) == set(Role)
    assert [row[0] for row in rows] == [scope.value for scope in Scope]
    for scope, _, *marks in rows:
        for role, mark in zip(roles, marks, strict=True):
            holder = Principal(id="x", tenant="t", scopes=role.scopes)
            assert holder.has(Scope(scope)) == (mark == "✓"), (scope, role)
