"""Every error is a problem document with our code, and tells the way out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from rlplatform.errors import PlatformError, StorageError, TooManyRequests, error_classes, problem
from serve_apps.api.http.problems import problem_response

pytestmark = pytest.mark.anyio
STATUS_OF = {cls.code: cls.status for cls in error_classes()}


def check(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
    assert STATUS_OF[code] == status
    assert document["type"] == f"urn:rlp:problem:{code}"
    assert document["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    return document


def test_codes_are_unique() -> None:
    assert len(STATUS_OF) == len(error_classes())


async def test_what_the_framework_refuses(platform) -> None:
    async with platform() as it, it.client() as client:
        check(await client.get("/nothing"), 404, "not_found")
        check(await client.get("/v1/evaluations/"), 404, "not_found")
        refused = await client.put("/v1/trainings")
        check(refused, 405, "method_not_allowed")
        assert "GET" in refused.headers["allow"]
        document = check(await client.get("/v1/trainings?limit=0"), 422, "invalid_request")
        assert document["field"] == "limit"
        document = check(await client.get("/v1/trainings?sort=up"), 422, "invalid_request")
        assert document["field"] == "sort"


async def test_head_is_get_without_the_body(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        run = (await client.post("/v1/evaluations", json=evaluation)).json()
        for path in ("/healthz", "/v1/evaluations", f"/v1/evaluations/{run['id']}", "/v1/nothing"):
            got, head = await client.get(path), await client.head(path)
            assert head.status_code == got.status_code
            assert head.content == b""
            assert head.headers["content-length"] == str(len(got.content))
            assert head.headers.get("etag") == got.headers.get("etag")
        following = await asyncio.wait_for(client.head(f"/v1/evaluations/{run['id']}/events"), 10)
        assert following.headers["content-type"].startswith("text/event-stream")
        assert len(it.app.state.context.hubs) == 0
        refused = await client.head("/v1/tickets")
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert "HEAD" in (await client.put("/v1/trainings")).headers["allow"]


async def test_a_field_is_named_by_its_path_and_the_nearest_name_is_suggested(platform) -> None:
    async with platform() as it, it.client() as client:

        async def refused(body: Any, path: str = "/v1/evaluations") -> dict[str, Any]:
            return check(await client.post(path, json=body), 422, "invalid_request")

        tests = [{"id": "a"}]
        assert (await refused({"source": "", "tests": [{"id": "a", "stdn": ""}]}))["field"] == "tests.0.stdn"
        function = {"source": "", "grader": {"kind": "function"}, "tests": [{"id": "a", "expected": 1}, {"id": "b"}]}
        document = await refused(function)
        assert document["field"] == "tests.1.expected"
        assert document["detail"] == "tests.1.expected: is missing; give null if nothing is to be returned"
        assert (await refused({"source": "", "tests": [{"id": "a", "args": []}]}))["field"] == "tests.0.args"
        assert (await refused({"source": "", "tests": [{"id": "a", "group": "g"}]}))["field"] == "tests.0.group"
        document = await refused({"source": "", "tests": tests, "limits": {"memory": 1}})
        assert (document["field"], "did you mean 'memory_mib'?" in document["detail"]) == ("limits.memory", True)
        document = await refused({"source": "", "tests": tests, "checker": {"kind": "floats", "abstol": 1}})
        assert (document["field"], "did you mean 'abs_tol'?" in document["detail"]) == ("checker.abstol", True)
        document = await refused({"source": "", "tests": tests, "checker": {"kind": "floats", "rel_tol": -1}})
        assert document["field"] == "checker.rel_tol"
        document = await refused({"source": "", "tests": tests, "checker": {"kind": "fuzzy"}})
        assert (
            document["detail"]
            == "checker.kind: unknown kind 'fuzzy'; accepted are exact, tokens, lines, floats, program, unordered"
        )
        for sent, path, near in (
            ({"checker": {"kind": "exat"}}, "checker.kind", "exact"),
            ({"checker": {}}, "checker.kind", None),
            ({"tier": "jial"}, "tier", "jail"),
            ({"sourc": ""}, "sourc", "source"),
            ({"priority": "hgih"}, "priority", "high"),
        ):
            document = await refused({"source": "", "tests": tests, **sent})
            assert (document["field"], document.get("did_you_mean")) == (path, [near] if near else None)
        document = check(await client.get("/v1/trainings?limt=1"), 422, "invalid_request")
        assert (document["field"], document["did_you_mean"]) == ("limt", ["limit"])
        document = await refused({"source": "", "tests": [{"id": "first test"}]})
        assert document["detail"] == "tests.0.id: accepted are letters, digits and . : - _"
        document = await refused({}, "/v1/trainings")
        assert document["errors"] == [{"field": "env", "message": "is missing"}]
        assert document["detail"] == "env: is missing"
        document = await refused({"env": "x", "stop": {}}, "/v1/trainings")
        assert (document["field"], "env_steps" in document["detail"]) == ("stop", True)
        document = await refused({"env": "x", "stop": {"env_steps": 1}, "resources": {"num_gpus": 1}}, "/v1/trainings")
        assert "num_gpus_per_learner" in document["detail"]


async def test_no_sandbox_is_503_and_says_why(platform, evaluation, training) -> None:
    async with platform(sandbox="no Docker engine answers at unix:///x") as it, it.client() as client:
        answer = await client.post("/v1/evaluations", json=evaluation)
        document = check(answer, 503, "sandbox_unavailable")
        assert "no Docker engine" in document["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert (await client.post("/v1/trainings", json=training)).status_code == 202
        batch = (await client.post("/v1/evaluations:batch", json={"evaluations": [evaluation]})).json()
        assert batch["results"][0]["error"]["code"] == "sandbox_unavailable"
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")


class Broken:
    """Commands that fail in a way nobody thought of."""

    async def status(self) -> None:
        raise StorageError("the supervisor is gone")

    async def start_training(self, *_: Any) -> None:
        raise RuntimeError("secret path /etc/pepper")


async def test_a_bug_shows_nothing_of_itself(platform, training, caplog: pytest.LogCaptureFixture) -> None:
    async with platform() as it:
        context = it.app.state.context
        broken = replace(context.services, commands=Broken())
        it.app.state.context = replace(context, services=broken)
        async with it.client() as client:
            answer = await client.post("/v1/trainings", json=training)
            document = check(answer, 500, "internal_error")
            assert "pepper" not in answer.text
            assert document["request_id"] in caplog.text
            assert "secret path /etc/pepper" in caplog.text
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")


@pytest.mark.parametrize("cls", error_classes())
def test_every_error_makes_a_document(cls: type[PlatformError]) -> None:
    error = cls.__new__(cls)
    PlatformError.__init__(error, "why")
    response = problem_response(error, "r1")
    assert response.status_code == cls.status
    assert problem(error)["title"] == cls.title
    if cls.status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if cls.status in (429, 503):
        assert "retry-after" in response.headers


def test_whoever_comes_again_when_told_to_is_not_too_early() -> None:
    assert problem_response(TooManyRequests("", retry_after_s=1.2), None).headers["retry-after"] == "2"


async def test_request_ids_are_kept_if_harmless(platform) -> None:
    async with platform() as it, it.client() as client:
        assert (await client.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
        for bad in ("a b", "x" * 65, "é".encode("latin-1").decode("latin-1"), "<script>"):
            given = await client.get("/healthz", headers={"X-Request-Id": bad.encode("latin-1")})
            assert given.headers["x-request-id"] != bad


async def test_other_origins_get_nothing(platform) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.get("/v1/trainings", headers={"Origin": "https://evil.test"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        preflight = await client.options("/v1/trainings", headers={"Origin": "https://evil.test"})
        assert preflight.status_code == 405
