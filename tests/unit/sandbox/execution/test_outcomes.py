"""Evidence to outcome: the first rule that has evidence wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.control_channel import Report, RunCache
from rlplatform.sandbox.execution.outcomes import Captured, Evidence, Stop, outcome_of
from rlplatform.sandbox.models import Call, Execution, Limits, OutcomeKind, Usage

EXECUTION = Execution(Limits(cpu_time_s=1, wall_time_s=3))
RUNNING = RunCache(started=True, running=True)
KILLED = Report(9, 0, True)
GOOD = Evidence(
    usage=Usage(0.1, 0.2, 1000),
    oom_kills=0,
    refused_tasks=0,
    stop=None,
    report=Report(0, 0, True),
    records=RUNNING,
    stdout=Captured(b"out", False),
    stderr=Captured(b"err", False),
)


def test_an_exit_is_an_exit() -> None:
    outcome = outcome_of(GOOD, EXECUTION)
    assert (outcome.kind, outcome.exit_code, outcome.signal) == (OutcomeKind.EXITED, 0, None)
    assert (outcome.stdout, outcome.stderr, outcome.usage) == (b"out", b"err", GOOD.usage)


@pytest.mark.parametrize(
    ("changes", "kind", "detail"),
    [
        ({"oom_kills": 1, "report": KILLED, "stop": Stop.CPU}, OutcomeKind.MEMORY_EXCEEDED, "2"),
        ({"oom_kills": 1, "report": None}, OutcomeKind.MEMORY_EXCEEDED, "MiB"),
        ({"stop": Stop.CANCELLED, "oom_kills": 1, "report": None}, OutcomeKind.CANCELLED, None),
        ({"stop": Stop.OUTPUT, "report": KILLED}, OutcomeKind.OUTPUT_EXCEEDED, "KiB"),
        ({"stdout": Captured(b"x", True)}, OutcomeKind.OUTPUT_EXCEEDED, "KiB"),
        ({"stop": Stop.CPU, "report": KILLED}, OutcomeKind.CPU_TIME_EXCEEDED, "1 s of CPU"),
        ({"usage": Usage(1.01, 1.1, 0)}, OutcomeKind.CPU_TIME_EXCEEDED, "CPU"),
        ({"stop": Stop.WALL, "report": KILLED}, OutcomeKind.WALL_TIME_EXCEEDED, "3 s"),
        ({"stop": Stop.WALL, "report": KILLED, "usage": Usage(1.5, 3.0, 0)}, OutcomeKind.CPU_TIME_EXCEEDED, "CPU"),
        ({"stop": Stop.WALL, "report": None}, OutcomeKind.WALL_TIME_EXCEEDED, "3 s"),
        (
            {"stop": Stop.WALL, "report": KILLED, "usage": Usage(0.1, 5.0, 0, 1.9)},
            OutcomeKind.WALL_TIME_EXCEEDED,
            "1.9 s of waiting for a core not counted",
        ),
        ({"stop": Stop.STARVED, "usage": Usage(1.1, 30.0, 0, 28.0)}, OutcomeKind.CPU_TIME_EXCEEDED, "CPU"),
        ({"refused_tasks": 1, "report": None}, OutcomeKind.SIGNALLED, "too many processes"),
        ({"stop": Stop.TURN, "report": KILLED}, OutcomeKind.WALL_TIME_EXCEEDED, "turn"),
        ({"records": RunCache(started=True, compile_fault="x.py")}, OutcomeKind.COMPILE_FAILED, "x.py"),
        ({"records": RunCache(started=True), "report": Report(11, 0, True)}, OutcomeKind.SIGNALLED, "compiling"),
        ({"report": Report(11, 0, True)}, OutcomeKind.SIGNALLED, None),
        (
            {"records": replace(RUNNING, memory_refused=True), "report": Report(256, 0, True)},
            OutcomeKind.MEMORY_EXCEEDED,
            "refused",
        ),
        ({"records": replace(RUNNING, memory_refused=True)}, OutcomeKind.EXITED, None),
    ],
)
def test_evidence_decides(changes: dict[str, object], kind: OutcomeKind, detail: str | None) -> None:
    outcome = outcome_of(replace(GOOD, **changes), EXECUTION)  # type: ignore[arg-type]
    assert outcome.kind is kind
    assert (detail or "") in (outcome.detail or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"report": None},
        {"stop": Stop.STARVED, "report": KILLED},
        {"stop": Stop.STARVED, "report": None},
        {"records": RunCache()},
        {"records": RunCache(started=True)},
    ],
)
def test_our_own_failure_is_never_an_outcome(changes: dict[str, object]) -> None:
    with pytest.raises(SandboxFault):
        outcome_of(replace(GOOD, **changes), EXECUTION)  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "name"), [(6, "SIGABRT"), (31, "SIGSYS"), (50, "SIG50")])
def test_signals_have_names(status: int, name: str) -> None:
    assert outcome_of(replace(GOOD, report=Report(status, 0, True)), EXECUTION).signal == name


CALL = replace(EXECUTION, call=Call("solve"))


@pytest.mark.parametrize(
    ("records", "status", "returned", "detail"),
    [
        (replace(RUNNING, value=b"[1]"), 0, b"[1]", None),
        (replace(RUNNING, value=b"[1]"), 256, None, None),
        (RUNNING, 0, None, "ended before"),
        (replace(RUNNING, value=b"NaN"), 0, None, "refused"),
        (replace(RUNNING, describe_error="no such function"), 256, None, "no such function"),
    ],
)
def test_a_call_returns_a_valid_value_or_none(
    records: RunCache, status: int, returned: bytes | None, detail: str | None
) -> None:
    outcome = outcome_of(replace(GOOD, records=records, report=Report(status, 0, True)), CALL)
    assert outcome.kind is OutcomeKind.EXITED
    assert outcome.returned == returned
    assert (detail or "") in (outcome.detail or "")


def test_a_value_without_a_call_is_ignored() -> None:
    assert outcome_of(replace(GOOD, records=replace(RUNNING, value=b"1")), EXECUTION).returned is None
