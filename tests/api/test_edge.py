"""Middleware in front of Serve, around a stand-in that shows what it receives."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from rlplatform.errors import error_classes
from serve_apps.serve_middleware import ServeMiddleware, StripStreamsPrefix

pytestmark = pytest.mark.anyio
CODES = {cls.code for cls in error_classes()}


def serve(status: int = 200, text: str | None = None, *, retry_after: str = "") -> ASGIApp:
    """Serve, which puts its id on every answer; ``text`` is what it says itself, else it shows the request."""

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        shown = {
            "path": scope["path"],
            "headers": [(name.decode(), value.decode()) for name, value in scope["headers"]],
        }
        body = (json.dumps(shown) if text is None else text).encode()
        headers = [
            (b"content-type", b"application/json" if text is None else b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", b"serves-own"),
            (b"x-request-id", b"serves-other"),
        ]
        if retry_after:
            headers.append((b"retry-after", retry_after.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def client(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(ServeMiddleware(app)), base_url="http://rlp.test")


async def seen(path: str = "/", **options: Any) -> dict[str, Any]:
    async with client(serve()) as http:
        found: dict[str, Any] = (await http.get(path, **options)).json()
    return found


@pytest.mark.parametrize(
    "name",
    [
        "x-request-timeout-seconds",
        "X-Request-Timeout-Seconds",
        "x-request-disconnect-disabled",
        "serve_multiplexed_model_id",
        "Serve-Multiplexed-Model-Id",
        "x-session-id",
        "x_session_id",
        "x-serve-router-target",
    ],
)
async def test_serve_does_not_see_the_headers_that_it_would_obey(name: str) -> None:
    sent = {name: "0", "x-request": "kept", "authorization": "kept"}
    names = {header for header, _ in (await seen(headers=sent))["headers"]}
    assert name.lower() not in names
    assert {"x-request", "authorization"} <= names


async def test_a_replica_is_read_no_faster_than_the_application_reads() -> None:
    for name in ("x-request-disconnect-disabled", "X-Request_Disconnect-Disabled"):
        for replica, expected in ((True, [["x-request-disconnect-disabled", "?1"]]), (False, [])):
            transport = httpx2.ASGITransport(ServeMiddleware(serve(), replica=replica))
            async with httpx2.AsyncClient(transport=transport, base_url="http://rlp.test") as http:
                found = (await http.get("/", headers={name: "?0"})).json()["headers"]
            assert [pair for pair in found if "disconnect" in pair[0]] == expected


async def test_a_request_has_one_id_on_the_way_in_and_on_the_way_out() -> None:
    async with client(serve()) as http:
        for given in ("mine-1", "not one\t", "\xe9", ""):
            answer = await http.get("/", headers={"x-request-id": given.encode("latin-1")})
            inside = [value for name, value in answer.json()["headers"] if name == "x-request-id"]
            assert answer.headers.get_list("x-request-id") == inside
            assert len(inside) == 1
            assert (inside == [given]) == (given == "mine-1")


async def test_streams_go_to_their_application_and_nothing_else_does() -> None:
    for path in ("/v1/live", "/v1/trainings/train_1/events", "/v1/evaluations/eval_1/events"):
        assert (await seen(path))["path"] == f"/streams{path}"
    for path in ("/v1/l%69ve", "/v%31/trainings/train_1/event%73"):
        assert (await seen(path))["path"].startswith("/streams/v1/"), "it is decoded by the application, too"
    for path in ("/", "/v1/trainings", "/v1/live/x", "/v1/checkpoints/c/events", "/v1/trainings/a/b/events"):
        assert (await seen(path))["path"] == path


async def test_the_application_sees_the_path_that_was_sent() -> None:
    async with client(StripStreamsPrefix(serve())) as http:
        assert (await http.get("/v1/live")).json()["path"] == "/v1/live"


@pytest.mark.parametrize(
    ("status", "code", "becomes"),
    [
        (404, "unavailable", 503),
        (408, "request_timeout", 408),
        (429, "too_many_requests", 429),
        (500, "internal_error", 500),
        (502, "internal_error", 500),
        (503, "unavailable", 503),
    ],
)
async def test_what_serve_answers_is_a_problem(status: int, code: str, becomes: int) -> None:
    async with client(serve(status, "Traceback: secret", retry_after="7" if status == 429 else "")) as http:
        answer = await http.get("/v1/trainings", headers={"x-request-id": "mine"})
    document = answer.json()
    assert (answer.status_code, document["status"], document["code"]) == (becomes, becomes, code)
    assert code in CODES
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers["x-request-id"], document["request_id"]) == ("mine", "mine")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (becomes in (429, 503))
    if status == 429:
        assert answer.headers["retry-after"] == "7"


async def test_what_we_answer_and_what_probes_ask_is_left_alone() -> None:
    async with client(serve(503)) as http:
        assert (await http.get("/readyz")).json()["path"] == "/readyz"
    async with client(serve(503, "draining")) as http:
        assert (await http.get("/-/healthz")).text == "draining"


async def test_what_breaks_in_serve_is_a_problem() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret")

    async with client(broken) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
