"""A collector of traces in this process, as OpenTelemetry's own: OTLP over HTTP."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class CollectedSpan(NamedTuple):
    """A span as the collector received it. ``parent`` is empty for the first of a trace."""

    name: str
    process: str
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]


class TraceCollector:
    """Listens on the loopback from entry to exit; ``raw`` has the bodies as they came."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.spans: list[CollectedSpan] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.receive(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> TraceCollector:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def receive(self, body: bytes) -> None:
        """Take one delivery."""
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = _attributes(resource.resource.attributes).get("rlp.process", "")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        CollectedSpan(
                            span.name,
                            process,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.status.code == 2,
                            _attributes(span.attributes),
                        )
                    )

    def of_trace(self, trace: str) -> list[CollectedSpan]:
        """Return the spans of one trace that have arrived."""
        return [span for span in list(self.spans) if span.trace == trace]

    def wait(
        self, trace: str, complete: Callable[[list[CollectedSpan]], bool], timeout_s: float = 20.0
    ) -> list[CollectedSpan]:
        """Return the spans of a trace as soon as they are ``complete``.

        Raises:
            AssertionError: they are not in time; names those that came.
        """
        deadline = time.monotonic() + timeout_s
        while not complete(found := self.of_trace(trace)):
            assert time.monotonic() < deadline, [(span.process, span.name) for span in found]
            time.sleep(0.05)
        return found

    @staticmethod
    def ancestors(span: CollectedSpan, spans: list[CollectedSpan]) -> list[CollectedSpan]:
        """Return the spans around ``span``, the nearest first."""
        by_id = {each.id: each for each in spans}
        found: list[CollectedSpan] = []
        while (parent := by_id.get((found[-1] if found else span).parent)) is not None:
            found.append(parent)
        return found


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
