"""Hidden tests: learners see verdicts and points alone, to the byte. Staff, with scope ``read``, see everything."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rlplatform.access.principals import Role, Scope
from rlplatform.clock import SystemClock
from rlplatform.evaluation.events import EvaluationFinished, EvaluationStarted, EvaluationTestFinished
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.testing.clock import FakeClock
from tests.api.test_live import hear, live, say

pytestmark = pytest.mark.anyio

SEEN = {"id": "seen", "verdict": "accepted", "points": 1.0, "stdout": "4\n", "cpu_time_s": 0.01}
SHORT = {
    "stdout": "x",
    "stderr": "",
    "value": 1,
    "cpu_time_s": 0.01,
    "wall_time_s": 0.02,
    "peak_memory_bytes": 1 << 20,
    "exit_code": 0,
}
LONG = {
    "stdout": "the secret " * 500,
    "stdout_truncated": True,
    "stderr": "Traceback: secret",
    "stderr_truncated": True,
    "value": {"secret": [1, 2, 3]},
    "message": "line 1: expected 'secret', got 'the secret'",
    "cpu_time_s": 1.7,
    "wall_time_s": 3.9,
    "core_wait_time_s": 0.5,
    "checker_cpu_time_s": 0.3,
    "peak_memory_bytes": 200 << 20,
    "exit_code": None,
    "signal": "SIGSEGV",
}
_IDS = re.compile(r"\b(eval|evt|key)_[0-9a-z]{26}")
_VOLATILE = {"x-request-id", "ratelimit"}  # random; of the wall clock


def request(secret: str) -> dict[str, Any]:
    hidden = {"id": "unseen", "stdin": f"{secret}\n", "expected_stdout": secret * 3, "hidden": True, "points": 2.0}
    return {"source": "print(4)", "tests": [{"id": "seen", "stdin": "2\n", "expected_stdout": "4\n"}, hidden]}


async def judged(it: Any, run_id: str, hidden: dict[str, Any]) -> Any:
    """Play an evaluation whose hidden test came to ``hidden``."""
    run = await it.store.get(run_id)
    at = {"stream": run.stream, "time": it.commands._now()}
    tests = [
        TestResult.model_validate(SEEN),
        TestResult.model_validate(
            {"id": "unseen", "verdict": Verdict.WRONG_ANSWER, "points": 0.0, "hidden": True, **hidden}
        ),
    ]
    end = {"verdict": "wrong_answer", "score": 1.0, "max_score": 3.0, "tests": tests}
    await it.commands.play(
        run.stream,
        EvaluationStarted.model_validate({**at, "attempt": 1}),
        *(EvaluationTestFinished.model_validate({**at, "attempt": 1, "result": test}) for test in tests),
        EvaluationFinished.model_validate({**at, **end}),
    )
    return await it.store.get(run_id)


async def views(platform: Any, scopes: Any, secret: str, hidden: dict[str, Any]) -> dict[str, str]:
    """Return all that a key with ``scopes`` sees of an evaluation that it has submitted, with ids left out."""
    async with platform(clock=FakeClock()) as it:
        key = await it.key(scopes=scopes)
        again = {"Idempotency-Key": "once"}
        async with it.client(key) as client:
            answers = [await client.post("/v1/evaluations", json=request(secret), headers=again)]
            path = answers[0].headers["location"]
            run = await judged(it, path.rpartition("/")[2], hidden)
            answers += [
                await client.post("/v1/evaluations", json=request(secret), headers=again),
                await client.get(path),
                await client.get(f"{path}/submission"),
                await client.get(f"{path}/events"),
                await client.get(f"{path}/events?after=2"),
                await client.get("/v1/evaluations"),
                await client.patch(f"/v1/runs/{run.id}", json={"name": "mine"}),
                await client.delete(path),
            ]
            batch = await client.post("/v1/evaluations:batch", json={"evaluations": [request(secret)]})
            answers.append(batch)
        async with it.served() as url, live(url, key) as socket:
            await hear(socket)
            await say(socket, type="subscribe", stream=run.stream)
            heard = [await hear(socket) for _ in range(7)]
    found = {"live": json.dumps(heard)}
    for answer in answers:
        headers = {name: value for name, value in answer.headers.items() if name not in _VOLATILE}
        found[f"{answer.request.method} {answer.request.url.path} {len(found)}"] = f"{headers}\n{answer.text}"
    return {_IDS.sub(r"\1", where): _IDS.sub(r"\1", text) for where, text in found.items()}


def without_tags(views: dict[str, str]) -> dict[str, str]:
    """Leave out entity tags, which depend on the run's id."""
    return {where: re.sub(r"'etag': '\"\w+\"'", "'etag'", text) for where, text in views.items()}


async def test_learners_see_the_same_bytes_whatever_a_hidden_test_printed(platform) -> None:
    short = await views(platform, Role.LEARNER.scopes, "x", SHORT)
    long = await views(platform, Role.LEARNER.scopes, "secret", LONG)
    assert without_tags(short) == without_tags(long)
    assert len(short) == 11
    for where, text in long.items():
        assert "secret" not in text, where
    assert '"unseen"' in long["live"]


@pytest.mark.parametrize("scopes", [{Scope.EVALUATE, Scope.READ}, Role.RESEARCHER.scopes, Role.INSTRUCTOR.scopes])
async def test_staff_see_hidden_tests_in_documents_and_streams(platform, scopes) -> None:
    found = await views(platform, scopes, "secret", LONG)
    for where in ("live", "GET /v1/evaluations/eval 3", "GET /v1/evaluations/eval/events 5", "PATCH /v1/runs/eval 8"):
        assert "the secret the secret" in found[where], where
        assert "SIGSEGV" in found[where], where
    assert "secretsecretsecret" in found["GET /v1/evaluations/eval/submission 4"]


async def test_an_entity_tag_of_a_learner_is_another_than_that_of_staff(platform) -> None:
    async with platform() as it:
        learner = await it.key(scopes=[Scope.EVALUATE])
        async with it.client(learner) as client, it.client(await it.key(scopes=[Scope.READ])) as staff:
            path = (await client.post("/v1/evaluations", json=request("x"))).headers["location"]
            await judged(it, path.rpartition("/")[2], LONG)
            tag = (await client.get(path)).headers["etag"]
            assert (await client.get(path, headers={"If-None-Match": tag})).status_code == 304
            assert (await staff.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_a_ticket_shows_what_its_owner_may_see(platform) -> None:
    async with platform(clock=SystemClock()) as it:
        learner, staff = await it.key(scopes=[Scope.EVALUATE]), await it.key(scopes=[Scope.READ])
        async with it.client(learner) as client:
            path = (await client.post("/v1/evaluations", json=request("x"))).headers["location"]
            await judged(it, path.rpartition("/")[2], LONG)
        shown = []
        for key in (learner, staff):
            async with it.client(key) as client:
                stream = path.removeprefix("/v1/")
                ticket = (await client.post("/v1/tickets", json={"stream": stream})).json()["ticket"]
                shown.append((await client.get(f"{path}/events?ticket={ticket}", headers={"Authorization": ""})).text)
        assert ["the secret" in text for text in shown] == [False, True]


async def test_the_checkers_source_is_shown_to_staff_alone(platform) -> None:
    asked = request("x") | {"checker": {"kind": "program", "source": "raise SystemExit(0)  # the trick"}}
    async with platform() as it:
        async with it.client(await it.key(scopes=[Scope.EVALUATE])) as client:
            path = (await client.post("/v1/evaluations", json=asked)).headers["location"] + "/submission"
            assert "the trick" not in (await client.get(path)).text
        async with it.client(await it.key(scopes=[Scope.READ])) as staff:
            assert (await staff.get(path)).json()["checker"]["source"] == asked["checker"]["source"]


async def test_a_webhook_is_created_with_hidden_tests_and_cannot_get_them_later(platform) -> None:
    async with platform() as it, it.client() as client:
        asked = {"url": "https://course.example/hook"}
        plain = (await client.post("/v1/webhooks", json=asked)).json()["webhook"]
        whole = (await client.post("/v1/webhooks", json=asked | {"include_hidden": True})).json()["webhook"]
        assert (plain["include_hidden"], whole["include_hidden"]) == (False, True)
        changed = await client.patch(f"/v1/webhooks/{plain['id']}", json={"include_hidden": True})
        assert changed.status_code == 422
