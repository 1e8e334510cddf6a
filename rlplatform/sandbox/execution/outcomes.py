"""Derive the outcome of an execution from evidence. The first rule with evidence decides.

Exit codes alone decide nothing, because a program can choose them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.control_channel import Report, RunCache
from rlplatform.sandbox.guest.values import ValueRefused, decode
from rlplatform.sandbox.models import Execution, Outcome, OutcomeKind, OutputFile, Usage

STDERR_MOST = 4 << 20
"""Limit of stderr in bytes, if the program's output limit is not larger."""


class Stop(StrEnum):
    """Reason for which the host stopped an execution."""

    CANCELLED = "cancelled"
    OUTPUT = "output"
    STDERR = "stderr"
    VALUE = "value"
    CPU = "cpu"
    WALL = "wall"
    TURN = "turn"
    STARVED = "starved"


@dataclass(frozen=True, slots=True)
class Captured:
    """Captured output of one pipe, up to a limit.

    Large output is in ``file`` in full, and ``data`` is its beginning.
    """

    data: bytes
    truncated: bool
    file: BinaryIO | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the host observed of one execution.

    ``report`` is None if the whole sandbox died, or did not stop when told to. ``refused_tasks`` is set only where a
    refused thread can be the cause: gVisor's kernel exits if the host's kernel refuses it a thread.
    """

    usage: Usage
    oom_kills: int
    refused_tasks: int
    stop: Stop | None
    report: Report | None
    records: RunCache
    stdout: Captured
    stderr: Captured
    files: Mapping[str, OutputFile] = field(default_factory=dict)


def outcome_of(evidence: Evidence, execution: Execution) -> Outcome:
    """Return the outcome of ``execution``.

    Raises:
        SandboxFault: the sandbox failed, not the program.
    """
    try:
        kind, detail = _kind(evidence, execution)
    except SandboxFault:
        if evidence.stdout.file is not None:
            evidence.stdout.file.close()
        raise
    status = evidence.report.status if evidence.report else None
    exited = kind is OutcomeKind.EXITED and status is not None
    returned = evidence.records.value if exited and status == 0 and execution.call else None
    if exited and execution.call and status == 0:
        returned, detail = _returned(evidence.records)
    return Outcome(
        kind=kind,
        usage=evidence.usage,
        exit_code=os.waitstatus_to_exitcode(status) if status is not None and os.WIFEXITED(status) else None,
        signal=_signal_name(status) if status is not None and os.WIFSIGNALED(status) else None,
        stdout=evidence.stdout.data,
        stderr=evidence.stderr.data,
        stdout_truncated=evidence.stdout.truncated,
        stderr_truncated=evidence.stderr.truncated,
        returned=returned,
        detail=detail,
        stdout_file=evidence.stdout.file,
        files=evidence.files,
    )


def _kind(evidence: Evidence, execution: Execution) -> tuple[OutcomeKind, str | None]:
    limits, usage, records = execution.limits, evidence.usage, evidence.records
    if evidence.stop is Stop.CANCELLED:
        return OutcomeKind.CANCELLED, None
    if evidence.oom_kills > 0:
        return OutcomeKind.MEMORY_EXCEEDED, f"more than {limits.memory_mib} MiB: killed by the kernel"
    if evidence.report is None and evidence.stop is None:
        if evidence.refused_tasks > 0:
            return OutcomeKind.SIGNALLED, "too many processes"
        raise SandboxFault("the sandbox died during an execution")
    if records.compile_fault is not None:
        return OutcomeKind.COMPILE_FAILED, records.compile_fault
    if evidence.stop is Stop.OUTPUT or evidence.stdout.truncated:
        return OutcomeKind.OUTPUT_EXCEEDED, f"more than {limits.output_kib} KiB of output"
    if evidence.stop is Stop.STDERR:
        most_kb = max(limits.output_kib, STDERR_MOST >> 10)
        return OutcomeKind.OUTPUT_EXCEEDED, f"more than {most_kb} KiB on stderr"
    if evidence.stop is Stop.VALUE:
        return OutcomeKind.OUTPUT_EXCEEDED, f"more than {limits.output_kib} KiB in the returned value"
    if evidence.stop is Stop.CPU or usage.cpu_time_s > limits.cpu_time_s:
        return OutcomeKind.CPU_TIME_EXCEEDED, f"more than {limits.cpu_time_s:g} s of CPU time"
    if evidence.stop is Stop.STARVED:
        raise SandboxFault(
            f"the machine is too busy: of {usage.wall_time_s:.1f} s the execution waited {usage.starved_s:.1f} s for a "
            f"core (CPU time {usage.cpu_time_s:.2f} s of {limits.cpu_time_s:g} s)"
        )
    if evidence.stop is Stop.WALL:
        return OutcomeKind.WALL_TIME_EXCEEDED, f"not done after {limits.wall_time_s:g} s{_starved(usage)}"
    if evidence.stop is Stop.TURN:
        return OutcomeKind.WALL_TIME_EXCEEDED, "no answer within the time of a turn"
    if not records.started:
        raise SandboxFault("the sandbox could not prepare the execution")
    assert evidence.report is not None
    if os.WIFSIGNALED(evidence.report.status):
        return OutcomeKind.SIGNALLED, None if records.running else "while compiling"
    if not records.running:
        raise SandboxFault("the sandbox lost the execution while compiling")
    if records.memory_refused and evidence.report.status != 0:
        return OutcomeKind.MEMORY_EXCEEDED, "an allocation was refused"
    return OutcomeKind.EXITED, records.describe_error


def _starved(usage: Usage) -> str:
    return f", {usage.starved_s:.1f} s of waiting for a core not counted" if usage.starved_s >= 0.1 else ""


def _returned(records: RunCache) -> tuple[bytes | None, str | None]:
    if records.value is None:
        return None, "the program ended before the function returned"
    try:
        decode(records.value)
    except ValueRefused as refusal:
        return None, f"what the function returned is refused: {refusal}"
    return records.value, None


def _signal_name(status: int) -> str:
    number = os.WTERMSIG(status)
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
