"""The gateway's answers to strange requests, on the wire, whichever ingress is before it."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect

from rlplatform.errors import error_classes
from tests.e2e.platform import RunningPlatform

CODES = {cls.code for cls in error_classes()}
Answer = tuple[int, list[tuple[str, str]], bytes]


def check_edge(platform: RunningPlatform) -> None:
    """Requests that Serve or a proxy of its would answer, or obey, by themselves."""
    _no_header_changes_how_serve_treats_a_request(platform)
    _every_error_is_a_problem_with_one_id(platform)
    _streams_have_an_application_of_their_own(platform)


def _no_header_changes_how_serve_treats_a_request(platform: RunningPlatform) -> None:
    hostile = {
        "x-request-timeout-seconds": "0.000001",
        "x-request-disconnect-disabled": "?1",
        "serve_multiplexed_model_id": "model",
        "x-session-id": "\xff",
        "x-request-id": "\xff two words",
        "x-forwarded-proto": "gopher",
        "x-forwarded-for": "somebody",
    }
    for name, value in hostile.items():
        status, headers, body = ask(platform, "GET", "/v1/trainings", {name: value})
        assert (status, b'"items"' in body) == (200, True), (name, body)
        assert len(ids(headers)) == 1, name
    status, headers, _ = ask(platform, "GET", "/v1/trainings", {"x-request-id": "mine-1"})
    assert (status, ids(headers)) == (200, ["mine-1"])


def _every_error_is_a_problem_with_one_id(platform: RunningPlatform) -> None:
    expected = {
        ("GET", "/v1/nothing"): 404,
        ("GET", "/v1/evaluations/%ff%00"): 404,
        ("GET", "/v1/..%2f..%2fetc/passwd"): 404,
        ("GET", "/v1/evaluations?state=%ff"): 422,
        ("PUT", "/v1/trainings"): 405,
        ("GET", "/streams/nothing"): 404,
        ("GET", "/v1/trainings/nothing/events"): 404,
    }
    for (method, path), wanted in expected.items():
        status, headers, body = ask(platform, method, path)
        document = json.loads(body)
        assert (status, document["status"]) == (wanted, wanted), path
        assert document["code"] in CODES
        assert dict(headers)["content-type"] == "application/problem+json"
        assert ids(headers) == [document["request_id"]]
    status, headers, body = ask(platform, "HEAD", "/healthz")
    assert (status, body) == (200, b"")


def _streams_have_an_application_of_their_own(platform: RunningPlatform) -> None:
    routes = platform.http.get("/-/routes").json()
    assert routes == {"/": "api", "/streams": "streams"}
    body = {"env": "CartPole-v1", "stop": {"iterations": 1}}
    training = platform.http.post("/v1/trainings", json=body).json()["id"]
    with platform.http.stream("GET", f"/v1/trainings/{training}/events") as events:
        lines = (line for line in events.iter_lines() if line.startswith("data: "))
        assert json.loads(next(lines)[6:])["type"] == "training.queued"
    key = {"Authorization": f"Bearer {platform.local['api_key']}"}
    with connect(platform.local["url"].replace("http", "ws") + "/v1/live", additional_headers=key) as live:
        assert json.loads(live.recv(10))["type"] == "authenticated"
    platform.http.post(f"/v1/trainings/{training}/stop")


def ask(platform: RunningPlatform, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
    """The answer to bytes that no HTTP client would send."""
    address = urlsplit(platform.local["url"])
    given = {"Host": "x", "Authorization": f"Bearer {platform.local['api_key']}", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    with socket.create_connection((address.hostname, address.port), 20) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode("latin-1"))
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        return answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read()


def ids(headers: list[tuple[str, str]]) -> list[Any]:
    return [value for name, value in headers if name == "x-request-id"]
