"""No request is answered in the validator's jargon: each error says what is accepted and what was given."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

JARGON = re.compile(
    r"Value error|Assertion failed|Field required|Input should|should have at"
    r"|valid (string|integer|number|array|boolean)|after validation|unable to parse|extra inputs|pydantic|dictionary",
    re.IGNORECASE,
)
TESTS = [{"id": "a"}]
TRAIN = {"env": "CartPole-v1", "stop": {"env_steps": 1}}


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("trainings", {}, "env: is missing"),
        ("trainings", {"env": "Mine-v0"}, "stop: give at least one of env_steps"),
        ("trainings", TRAIN | {"env": 5}, "env: must be text; got 5"),
        ("trainings", TRAIN | {"env": ""}, "env: must not be empty"),
        ("trainings", TRAIN | {"env": "x" * 200}, "env: must have at most 128 characters; got 200"),
        ("trainings", TRAIN | {"stop": []}, "stop: must be an object; got a list with 0 items"),
        ("trainings", TRAIN | {"stop": {}}, "stop: give at least one of "),
        ("trainings", TRAIN | {"stop": {"env_steps": "x"}}, 'stop.env_steps: must be a whole number; got "x"'),
        ("trainings", TRAIN | {"stop": {"env_steps": 1.5}}, "stop.env_steps: must be a whole number; got 1.5"),
        ("trainings", TRAIN | {"stop": {"env_steps": 0}}, "stop.env_steps: must be at least 1; got 0"),
        ("trainings", TRAIN | {"engine": 5}, "engine: must be 'rllib' or 'simulated'; got 5"),
        (
            "trainings",
            TRAIN | {"checkpoint": {"keep_best": "?"}},
            'checkpoint.keep_best: must be true or false; got "?"',
        ),
        ("trainings", TRAIN | {"env": {"a": "x" * 10**5}}, "env: must be text; got an object with 1 items"),
        ("evaluations", {"source": "x" * 300_000, "tests": TESTS}, "source: must have at most 262,144 characters"),
        ("evaluations", {"source": "", "tests": "x" * 999}, f'tests: must be a list; got "{"x" * 59}'),
        ("evaluations", {"source": "", "tests": []}, "tests: must not be empty"),
        (
            "evaluations",
            {"source": "", "tests": [{"id": "a", "points": -1}]},
            "tests.0.points: must be at least 0; got -1",
        ),
        ("evaluations", {"source": "", "tests": TESTS, "grader": {}}, "grader.kind: is missing"),
        ("evaluations", {"source": "", "tests": TESTS, "grader": 5}, "grader: must be an object; got 5"),
        (
            "evaluations",
            {"source": "", "tests": TESTS, "limits": {"cpu_time_s": -1}},
            "limits.cpu_time_s: must be more than 0",
        ),
        ("keys", {"name": "x"}, "give either a role or scopes"),
        ("keys", {"name": "x", "role": "student"}, "role: unknown value 'student'; accepted are learner, "),
        ("keys", {"name": "x", "role": 5}, "role: must be 'learner', 'researcher', 'instructor' or 'operator'; got 5"),
        ("webhooks", {"url": "x"}, "url: must have at least 8 characters; got 1"),
    ],
)
async def test_what_is_wrong_is_said_in_plain_words(platform, path: str, body: dict[str, Any], detail: str) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.post(f"/v1/{path}", json=body)
        problem = answer.json()
        assert answer.status_code == 422
        assert problem["detail"].startswith(detail)
        assert len(problem["detail"]) < 400
        for text in (problem["detail"], *(row["message"] for row in problem.get("errors", []))):
            assert not JARGON.search(text), text


@pytest.mark.parametrize("query", ["evaluations?limit=x", "evaluations?limit=0", "trainings?state=x", "trainings?a=1"])
async def test_a_query_likewise(platform, query: str) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.get(f"/v1/{query}")
        assert answer.status_code == 422
        assert not JARGON.search(answer.text)
