"""Spans: which is part of which, what they never hold, and what they cost without a collector."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr, ValidationError

from actors.rpc.serialization import pack, perform, unpack
from rlplatform import spans
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.settings import AccessSettings, Settings, StoreSettings, TraceSettings
from rlplatform.spans import span
from rlplatform.telemetry import log_context, traces
from rlplatform.telemetry.scrubbing import Scrubber
from rlplatform.testing.collector import TraceCollector
from rlplatform.testing.sandboxes import ScriptedPool, exited

PEPPER = "f00dfeed" * 8
PASSWORD = "hunter2hunter2"
KEY = "rlp_01jd2rkz4m5q6r7s8t9v0w1x2y_" + "aB3-" * 10 + "xyz"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    recorder = traces.OtelRecorder("tested", SimpleSpanProcessor(exporter), Scrubber([PEPPER, PASSWORD]))
    spans.record_with(recorder)
    yield exporter
    spans.record_with(None)
    recorder.close()


def by_name(exporter: InMemorySpanExporter) -> dict[str, Any]:
    return {found.name: found for found in exporter.get_finished_spans()}


def test_a_span_is_a_part_of_the_one_around_it_and_of_its_trace(recorded: InMemorySpanExporter) -> None:
    with log_context.bound({"trace": TRACE}), span("request", root=True, tenant="acme"):
        with span("judge", tests=3) as judging:
            judging.set(verdict="accepted", missing=None)
        assert log_context.current()["trace"] == TRACE
    found = by_name(recorded)
    assert {f"{each.context.trace_id:032x}" for each in found.values()} == {TRACE}, "the id that the log has"
    assert found["request"].parent is None
    assert found["judge"].parent.span_id == found["request"].context.span_id
    assert dict(found["judge"].attributes) == {"rlp.tests": 3, "rlp.verdict": "accepted"}


def test_a_client_that_traces_has_its_span_around_ours(recorded: InMemorySpanExporter) -> None:
    header = f"00-{TRACE}-00f067aa0ba902b7-01"
    with log_context.bound(log_context.of_traceparent(header)), span("GET", root=True) as request:
        request.rename("GET /v1/evaluations/{id}")
    (found,) = recorded.get_finished_spans()
    assert (found.name, f"{found.parent.span_id:016x}") == ("GET /v1/evaluations/{id}", "00f067aa0ba902b7")
    zeros = header.replace(TRACE, "0" * 32), header.replace("00f067aa0ba902b7", "0" * 16)
    for broken in (None, "", header[:-3], *zeros):
        assert log_context.of_traceparent(broken).keys() == {"trace"}


def test_work_that_belongs_to_no_trace_is_not_recorded(recorded: InMemorySpanExporter) -> None:
    with span("store append"):
        assert "span" not in log_context.current()
    assert recorded.get_finished_spans() == ()


def test_a_call_of_an_actor_is_a_part_of_its_callers_span(recorded: InMemorySpanExporter) -> None:
    class Plain:
        async def evaluate(self) -> dict[str, str]:
            with span("judge"):
                return dict(log_context.current())

        async def call(self) -> None:
            return None

    with span("evaluation", root=True, run="eval_1"):
        packed, silent = pack((), {}), pack((), {})
    ids = unpack(asyncio.run(perform(Plain(), "evaluate", packed)))
    asyncio.run(perform(Plain(), "call", silent))
    found = by_name(recorded)
    assert found.keys() == {"evaluation", "evaluate", "judge"}, "calls of the store are recorded by who calls"
    assert found["judge"].parent.span_id == found["evaluate"].context.span_id
    assert found["evaluate"].parent.span_id == found["evaluation"].context.span_id
    assert ids["trace"] == f"{found['evaluation'].context.trace_id:032x}"


def test_each_test_of_a_submission_is_a_part_of_its_container(recorded: InMemorySpanExporter) -> None:
    tests = [{"id": "small", "expected_stdout": "4"}, {"id": "wrong", "expected_stdout": "5"}]
    request = EvaluationRequest.model_validate({"source": f"print(4)  # {KEY}", "tests": tests})
    with span("judge", root=True):
        Judge(ScriptedPool([exited(b"4"), exited(b"4")])).judge(request, lambda result: None)
    found = recorded.get_finished_spans()
    container, judging = (next(each for each in found if each.name == name) for name in ("container", "judge"))
    told = [(each.attributes["rlp.test"], each.attributes["rlp.verdict"]) for each in found if each.name == "test"]
    assert told == [("small", "accepted"), ("wrong", "wrong_answer")]
    assert {each.parent.span_id for each in found if each.name == "test"} == {container.context.span_id}
    assert container.parent.span_id == judging.context.span_id
    assert container.attributes["rlp.runtime"] == "scripted"
    for each in found:
        assert KEY not in each.to_json()
        assert "print(4)" not in each.to_json()


def test_a_run_that_starts_later_belongs_to_the_request_that_made_it(recorded: InMemorySpanExporter) -> None:
    with span("POST /v1/evaluations", root=True):
        log_context.remember("eval_9")
    with log_context.replaced(log_context.of_run("eval_9", "acme")), span("evaluation", root=True):
        pass
    found = by_name(recorded)
    assert found["evaluation"].parent.span_id == found["POST /v1/evaluations"].context.span_id


def test_a_span_may_begin_before_it_is_opened(recorded: InMemorySpanExporter) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    with span("evaluation", root=True), span("wait in the queue", since=since):
        pass
    assert by_name(recorded)["wait in the queue"].start_time == since.timestamp() * 1e9


def test_an_error_is_told_without_secrets(recorded: InMemorySpanExporter) -> None:
    text = f"redis://:{PASSWORD}@redis:6379/1 refused {KEY} with pepper {PEPPER}, Bearer abcdefgh12345678"

    def fail() -> None:
        with span(f"store {KEY}", root=True, detail=text) as failing:
            failing.set(more=KEY)
            raise RuntimeError(text)

    with pytest.raises(RuntimeError):
        fail()
    (found,) = recorded.get_finished_spans()
    assert not found.status.is_ok
    told = found.to_json()
    assert "RuntimeError: redis://[secret]@redis:6379/1 refused [secret]" in told
    for secret in (PEPPER, PASSWORD, KEY, "abcdefgh12345678"):
        assert secret not in told


def test_spans_reach_the_collector_that_the_settings_name() -> None:
    with TraceCollector() as collector:
        settings = Settings(
            traces=TraceSettings(endpoint=collector.endpoint),
            access=AccessSettings(pepper=SecretStr(PEPPER)),
            store=StoreSettings(url=f"redis://:{PASSWORD}@redis:6379/1"),
        )
        traces.configure(settings, "supervisor")
        traces.configure(settings, "supervisor")
        recorder = spans._recorder
        assert isinstance(recorder, traces.OtelRecorder)
        try:
            with log_context.bound({"trace": TRACE}), span("request", root=True, note=f"{PEPPER} {PASSWORD}"):
                pass
            spans.flush()
            (found,) = collector.of_trace(TRACE)
        finally:
            spans.record_with(None)
            recorder.close()
    assert (found.name, found.process, found.parent, found.failed) == ("request", "supervisor", "", False)
    assert found.attributes == {"rlp.note": "[secret] [secret]"}


def test_a_share_of_traces_is_recorded_alike_by_every_process() -> None:
    kept: list[set[str]] = []
    ids = [log_context.trace_of(None) for _ in range(300)]
    for _ in range(2):
        exporter = InMemorySpanExporter()
        recorder = traces.OtelRecorder("tested", SimpleSpanProcessor(exporter), Scrubber(), ratio=0.3)
        spans.record_with(recorder)
        for trace in ids:
            with log_context.bound({"trace": trace}), span("request", root=True), span("judge"):
                pass
        spans.record_with(None)
        recorder.close()
        names = [found.name for found in exporter.get_finished_spans()]
        assert names.count("request") == names.count("judge"), "all of a trace, or nothing"
        kept.append({f"{found.context.trace_id:032x}" for found in exporter.get_finished_spans()})
    assert kept[0] == kept[1]
    assert 30 < len(kept[0]) < 180


def test_without_a_collector_nothing_is_recorded_and_a_span_costs_next_to_nothing() -> None:
    traces.configure(Settings(), "supervisor")
    assert not spans.recording()
    began = time.process_time()
    for _ in range(10_000):
        with span("iteration") as working:
            working.set(iteration=1)
    assert time.process_time() - began < 1.0, "10,000 of them"
    assert "span" not in log_context.current()


def test_an_address_that_is_none_is_refused() -> None:
    for wrong in ("collector:4318", "ftp://collector", "http://user:password@collector:4318"):
        with pytest.raises(ValidationError):
            TraceSettings(endpoint=wrong)
