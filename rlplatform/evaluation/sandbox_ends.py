"""How a program of an instructor's ended, in words: of checkers, interactors and suites."""

from __future__ import annotations

from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind

_SHOWN = 300


def describe_end(outcome: Outcome, limits: Limits, field: str) -> str:
    """Say how a program ended, as a sentence about it.

    Args:
        limits: limits of the program, which are ``limits`` of ``field`` in the request.
    """
    match outcome.kind:
        case OutcomeKind.COMPILE_FAILED:
            return f"it does not compile: {outcome.detail}"
        case OutcomeKind.CPU_TIME_EXCEEDED:
            return f"it used more than {limits.cpu_time_s:g} s of CPU time ({field}.limits.cpu_time_s)"
        case OutcomeKind.WALL_TIME_EXCEEDED:
            return f"it took more than {limits.wall_time_s:g} s ({field}.limits.wall_time_s)"
        case OutcomeKind.MEMORY_EXCEEDED:
            return f"it used more than {limits.memory_mib} MiB of memory ({field}.limits.memory_mib)"
        case OutcomeKind.OUTPUT_EXCEEDED:
            return f"it wrote more than {limits.output_kib} KiB ({field}.limits.output_kib)"
        case OutcomeKind.EXITED:
            return f"exit status {outcome.exit_code}: {last_line(outcome)}"
    return f"it was killed by {outcome.signal}" if outcome.signal else f"{outcome.kind.value}: {last_line(outcome)}"


def last_line(outcome: Outcome) -> str:
    """Return the last line of stderr, which is that of a traceback."""
    said = outcome.stderr.decode("utf-8", "replace")
    return said.rstrip().rpartition("\n")[2][:_SHOWN] or "no message on stderr"
