"""Traces by OpenTelemetry: the spans of all processes that work on a request or a run, delivered by OTLP over HTTP.

A span's parent comes with the ids that lines of the log carry (``log_context``), also from other processes. Spans hold
names, ids and figures, never what users sent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rlplatform import spans
from rlplatform.errors import InvalidRequest
from rlplatform.settings import Settings
from rlplatform.spans import NOTHING, Span, Value
from rlplatform.telemetry import log_context
from rlplatform.telemetry.scrubbing import Scrubber, secrets_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

SERVICE = "rlplatform"
FLUSH_MS = 2000
PATH = "/v1/traces"


def configure(settings: Settings, process: str) -> None:
    """Have this process deliver its spans to the collector that the settings name; without one, do nothing. Idempotent.

    Raises:
        InvalidRequest: OpenTelemetry is not installed.
    """
    if settings.traces.endpoint is None or spans.recording():
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidRequest(
            f"RLP_TRACES__ENDPOINT needs packages that are not installed: pip install 'rlplatform[otel]' ({error})",
            field="traces.endpoint",
        ) from None
    exporter = OTLPSpanExporter(endpoint=settings.traces.endpoint.rstrip("/") + PATH, timeout=5)
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=1000)
    spans.record_with(OtelRecorder(process, processor, Scrubber(secrets_of(settings)), settings.traces.ratio))


class OtelRecorder:
    """Records spans with OpenTelemetry, and hands them to ``processor`` when they end.

    Args:
        process: Kind of the process, ``supervisor`` for example.
        processor: Receives ended spans.
        scrub: Replaces secrets in names and attributes.
        ratio: Share of traces that are recorded. Every process decides alike, by the id of the trace.
    """

    def __init__(self, process: str, processor: SpanProcessor, scrub: Scrubber, ratio: float = 1.0) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

        class OwnTraces(RandomIdGenerator):
            """Gives a trace the id that lines of the log have."""

            def generate_trace_id(self) -> int:
                return int(log_context.current().get("trace") or log_context.trace_of(None), 16)

        resource = Resource({"service.name": SERVICE, "rlp.process": process, "process.pid": os.getpid()})
        self._provider = TracerProvider(TraceIdRatioBased(ratio), resource, id_generator=OwnTraces())
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SERVICE)
        self._scrub = scrub

    @contextmanager
    def span(self, name: str, *, root: bool, since: datetime | None, attributes: dict[str, Value]) -> Iterator[Span]:
        """Record the time within the block (see ``rlplatform.spans``)."""
        if not root and "span" not in log_context.current():
            yield NOTHING
            return
        began = None if since is None else int(since.timestamp() * 1e9)
        opened = self._tracer.start_span(self._scrub(name), _parent(), start_time=began)
        found = _OtelSpan(opened, self._scrub)
        found.set(**attributes)
        ids = opened.get_span_context()
        try:
            with log_context.bound({"trace": f"{ids.trace_id:032x}", "span": f"{ids.span_id:016x}"}):
                yield found
        except Exception as error:
            found.fail(error)
            raise
        except asyncio.CancelledError:
            found.set(cancelled=True)
            raise
        finally:
            opened.end()

    def flush(self) -> None:
        """Deliver what was recorded."""
        self._provider.force_flush(FLUSH_MS)

    def close(self) -> None:
        """Deliver what was recorded, and end the threads that do so."""
        self._provider.shutdown()


class _OtelSpan:
    """A span of OpenTelemetry whose texts hold no secrets."""

    def __init__(self, opened: Any, scrub: Scrubber) -> None:
        self._opened = opened
        self._scrub = scrub

    def set(self, **attributes: Value) -> None:
        for name, value in attributes.items():
            if value is not None:
                text = self._scrub(value) if isinstance(value, str) else value
                self._opened.set_attribute(f"rlp.{name}", text)

    def rename(self, name: str) -> None:
        self._opened.update_name(self._scrub(name))

    def fail(self, error: Exception) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._opened.set_status(Status(StatusCode.ERROR, self._scrub(f"{type(error).__name__}: {error}")))


def _parent() -> Any:
    """Return the context of a new span: that of the span around it, which may be of another process."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    ids = log_context.current()
    if "span" not in ids or "trace" not in ids:
        return Context()
    around = SpanContext(
        int(ids["trace"], 16), int(ids["span"], 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return set_span_in_context(NonRecordingSpan(around), Context())
