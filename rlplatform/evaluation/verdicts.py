"""Turn an outcome, which says what a program did, into a verdict, which says what that means. Nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rlplatform.evaluation.checkers.base import CheckerFailed, Finding
from rlplatform.evaluation.graders.base import Decision
from rlplatform.evaluation.models import Verdict
from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind

_SIGNALS = {
    "SIGSEGV": "an invalid memory access",
    "SIGBUS": "an invalid memory access",
    "SIGFPE": "an arithmetic error",
    "SIGILL": "an illegal instruction",
    "SIGABRT": "it aborted",
    "SIGSYS": "a system call that is not allowed here",
    "SIGXFSZ": "it wrote a file that is too large",
    "SIGPIPE": "it wrote to something that nobody reads",
    "SIGKILL": "it was not us: the program ended itself",
}
_FAULTS = frozenset({"SIGSEGV", "SIGBUS"})
_STACK = (
    ", or recursion deeper than the stack: {} MiB (memory_mib) in the main thread, "
    "threading.stack_size() or else 8 MiB in other threads"
)
_LAST_LINE = 200
_BEFORE_A_WRONG_ANSWER = frozenset({OutcomeKind.COMPILE_FAILED, OutcomeKind.CANCELLED})


class Ruling(NamedTuple):
    """Verdict, message for the learner, and share of the test's points. The message quotes expected values: it is not
    for hidden tests."""

    verdict: Verdict
    message: str | None = None
    score: float = 0.0


def decide_verdict(
    outcome: Outcome,
    limits: Limits,
    *,
    needs_value: bool,
    check: Callable[[], Finding],
    wrong_already: str | None = None,
    decision: Decision | None = None,
) -> Ruling:
    """Decide what ``outcome`` means.

    Args:
        needs_value: the program had to return a value, not only to end.
        check: checks the answer; called only for programs that ended well.
        wrong_already: reason why the answer was wrong before the program ended; how it ended does not count then.
        decision: result that the grader has decided by itself; how the program ended does not count then.
    """
    usage = outcome.usage
    if decision is not None and outcome.kind is not OutcomeKind.CANCELLED:
        return Ruling(Verdict(decision.verdict), decision.message, float(decision.verdict == "accepted"))
    if wrong_already is not None and outcome.kind not in _BEFORE_A_WRONG_ANSWER:
        return Ruling(Verdict.WRONG_ANSWER, wrong_already)
    match outcome.kind:
        case OutcomeKind.COMPILE_FAILED:
            return Ruling(Verdict.COMPILE_ERROR, outcome.detail or "the program does not compile")
        case OutcomeKind.MEMORY_EXCEEDED:
            peak = f"peak {usage.peak_memory_bytes / 2**20:.0f} MiB, the limit is {limits.memory_mib} MiB"
            return Ruling(Verdict.MEMORY_LIMIT_EXCEEDED, f"memory limit exceeded: {peak}{_aside(outcome.detail)}")
        case OutcomeKind.OUTPUT_EXCEEDED:
            return Ruling(
                Verdict.OUTPUT_LIMIT_EXCEEDED,
                f"output limit exceeded: {outcome.detail or f'more than {limits.output_kib} KiB'}",
            )
        case OutcomeKind.CPU_TIME_EXCEEDED:
            used = f"used {usage.cpu_time_s:.2f} s, the limit is {limits.cpu_time_s:g} s"
            return Ruling(Verdict.TIME_LIMIT_EXCEEDED, f"CPU time limit exceeded: {used}")
        case OutcomeKind.WALL_TIME_EXCEEDED:
            if usage.wall_time_s < limits.wall_time_s and outcome.detail:
                return Ruling(Verdict.TIME_LIMIT_EXCEEDED, f"wall time limit exceeded: {outcome.detail}")
            used = f"took {usage.wall_time_s:.2f} s, the limit is {limits.wall_time_s:g} s"
            hint = f" (CPU time {usage.cpu_time_s:.2f} s of {limits.cpu_time_s:g} s: it slept or waited)"
            if usage.starved_s >= 0.1:
                hint += f"; {usage.starved_s:.1f} s in which the machine had no core for it were added to the limit"
            return Ruling(Verdict.TIME_LIMIT_EXCEEDED, f"wall time limit exceeded: {used}{hint}")
        case OutcomeKind.SIGNALLED:
            name = outcome.signal or "a signal"
            hint = _STACK.format(limits.memory_mib) if name in _FAULTS else ""
            why = f"{_SIGNALS[name]}{hint}" if name in _SIGNALS else outcome.detail
            return Ruling(Verdict.RUNTIME_ERROR, f"killed by {name}{_aside(why)}")
        case OutcomeKind.CANCELLED:
            return Ruling(Verdict.CANCELLED, "cancelled")
        case OutcomeKind.EXITED:
            return _decide_exited(outcome, needs_value, check)


def _decide_exited(outcome: Outcome, needs_value: bool, check: Callable[[], Finding]) -> Ruling:
    if outcome.exit_code != 0:
        why = outcome.detail or _last_line(outcome.stderr)
        return Ruling(Verdict.RUNTIME_ERROR, f"exit status {outcome.exit_code}" + (f": {why}" if why else ""))
    if needs_value and outcome.returned is None:
        return Ruling(Verdict.RUNTIME_ERROR, outcome.detail or "the program ended before the function returned")
    try:
        found = check()
    except CheckerFailed as failure:
        return Ruling(Verdict.INTERNAL_ERROR, f"the checker failed: {failure}")
    right = found.score == 1
    return Ruling(Verdict.ACCEPTED if right else Verdict.WRONG_ANSWER, found.message, found.score)


def _last_line(stderr: bytes) -> str:
    lines = stderr[-4096:].rstrip().split(b"\n")
    return lines[-1].decode("utf-8", "replace").strip()[:_LAST_LINE]


def _aside(text: str | None) -> str:
    return f" ({text})" if text else ""
