from __future__ import annotations

import pytest

from rlplatform.evaluation.checkers.base import Finding
from rlplatform.evaluation.models import Verdict
from rlplatform.evaluation.verdicts import decide_verdict
from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind, Usage

LIMITS = Limits(cpu_time_s=2, wall_time_s=6, memory_mib=256, output_kib=64)
USAGE = Usage(cpu_time_s=2.013, wall_time_s=6.021, peak_memory_bytes=200 << 20)


def ruled(kind: OutcomeKind, *, needs_value: bool = False, mismatch: str | None = None, **fields: object) -> tuple:
    ruling = decide_verdict(
        Outcome(kind, USAGE, **fields), LIMITS, needs_value=needs_value, check=lambda: Finding.of(mismatch)
    )
    return ruling.verdict, ruling.message


@pytest.mark.parametrize(
    ("kind", "fields", "verdict", "message"),
    [
        (
            OutcomeKind.COMPILE_FAILED,
            {"detail": "main.py, line 3: invalid syntax"},
            "compile_error",
            "main.py, line 3: invalid syntax",
        ),
        (
            OutcomeKind.MEMORY_EXCEEDED,
            {"detail": "an allocation was refused"},
            "memory_limit_exceeded",
            "memory limit exceeded: peak 200 MiB, the limit is 256 MiB (an allocation was refused)",
        ),
        (
            OutcomeKind.OUTPUT_EXCEEDED,
            {},
            "output_limit_exceeded",
            "output limit exceeded: more than 64 KiB",
        ),
        (
            OutcomeKind.CPU_TIME_EXCEEDED,
            {},
            "time_limit_exceeded",
            "CPU time limit exceeded: used 2.01 s, the limit is 2 s",
        ),
        (
            OutcomeKind.WALL_TIME_EXCEEDED,
            {},
            "time_limit_exceeded",
            "wall time limit exceeded: took 6.02 s, the limit is 6 s (CPU time 2.01 s of 2 s: it slept or waited)",
        ),
        (
            OutcomeKind.SIGNALLED,
            {"signal": "SIGSEGV"},
            "runtime_error",
            "killed by SIGSEGV (an invalid memory access, or recursion deeper than the stack: "
            "256 MiB (memory_mib) in the main thread, "
            "threading.stack_size() or else 8 MiB in other threads)",
        ),
        (OutcomeKind.SIGNALLED, {"signal": "SIGUSR1"}, "runtime_error", "killed by SIGUSR1"),
        (OutcomeKind.CANCELLED, {}, "cancelled", "cancelled"),
        (
            OutcomeKind.EXITED,
            {"exit_code": 1, "stderr": b"Traceback\n  File\nZeroDivisionError: division by zero\n\n"},
            "runtime_error",
            "exit status 1: ZeroDivisionError: division by zero",
        ),
        (OutcomeKind.EXITED, {"exit_code": 3, "stderr": b""}, "runtime_error", "exit status 3"),
        (
            OutcomeKind.EXITED,
            {"exit_code": 1, "detail": "main.py defines no function 'solve'", "stderr": b"x"},
            "runtime_error",
            "exit status 1: main.py defines no function 'solve'",
        ),
        (OutcomeKind.EXITED, {"exit_code": 0}, "accepted", None),
    ],
)
def test_outcomes_become_verdicts(kind: OutcomeKind, fields: dict, verdict: str, message: str | None) -> None:
    assert ruled(kind, **fields) == (Verdict(verdict), message)


def test_an_answer_is_compared_only_if_the_program_ended_well() -> None:
    assert ruled(OutcomeKind.EXITED, exit_code=0, mismatch="no") == (Verdict.WRONG_ANSWER, "no")
    assert ruled(OutcomeKind.EXITED, exit_code=1, mismatch="no")[0] is Verdict.RUNTIME_ERROR
    for kind in OutcomeKind:
        if kind is not OutcomeKind.EXITED:
            assert ruled(kind, exit_code=0, mismatch=None)[0] not in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER)


def test_a_turn_that_takes_too_long_is_told_from_the_whole() -> None:
    usage = Usage(cpu_time_s=0.1, wall_time_s=1.2, peak_memory_bytes=1)
    outcome = Outcome(OutcomeKind.WALL_TIME_EXCEEDED, usage, detail="no answer within the time of a turn")
    ruling = decide_verdict(outcome, LIMITS, needs_value=False, check=lambda: Finding(1.0))
    assert ruling.message == "wall time limit exceeded: no answer within the time of a turn"


def test_a_call_needs_a_value() -> None:
    early = ruled(OutcomeKind.EXITED, exit_code=0, needs_value=True)
    assert early == (Verdict.RUNTIME_ERROR, "the program ended before the function returned")
    refused = ruled(OutcomeKind.EXITED, exit_code=0, needs_value=True, detail="a set is not a JSON value")
    assert refused == (Verdict.RUNTIME_ERROR, "a set is not a JSON value")
    assert ruled(OutcomeKind.EXITED, exit_code=0, needs_value=True, returned=b"1")[0] is Verdict.ACCEPTED


def test_stderr_is_quoted_briefly() -> None:
    message = ruled(OutcomeKind.EXITED, exit_code=1, stderr=b"\xff" * 100_000)[1]
    assert len(message) < 250


def test_a_message_says_how_long_a_program_waited_for_a_core() -> None:
    usage = Usage(cpu_time_s=0.1, wall_time_s=9.2, peak_memory_bytes=1, starved_s=3.2)
    outcome = Outcome(OutcomeKind.WALL_TIME_EXCEEDED, usage, signal="SIGKILL")
    ruling = decide_verdict(outcome, LIMITS, needs_value=False, check=lambda: Finding(1.0))
    assert ruling.message is not None
    assert ruling.message.endswith("; 3.2 s in which the machine had no core for it were added to the limit")
