"""Evaluations and results of their tests."""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.cli.formatting.facts import fact_lines
from rlplatform.cli.formatting.runs import annotation_facts
from rlplatform.evaluation.models import Evaluation, KeptFile, TestResult, Verdict

MESSAGE = 200
"""Characters of a test's message that its line shows."""


def test(result: TestResult) -> str:
    """A test's result as one line."""
    mark = "✓" if result.verdict is Verdict.ACCEPTED else "✗"
    hidden = " (hidden)" if result.hidden else ""
    parts = [f"{mark} {result.id}{hidden}  {result.verdict}"]
    if result.cpu_time_s is not None:
        parts.append(f"{result.cpu_time_s:.3f} s")
    if result.peak_memory_bytes is not None:
        parts.append(f"{result.peak_memory_bytes / 2**20:.1f} MiB")
    if result.message:
        message = result.message.replace("\n", " ")
        parts.append(message if len(message) <= MESSAGE else f"{message[:MESSAGE]}…")
    return "  ".join(parts)


def evaluation(evaluation: Evaluation) -> str:
    """An evaluation as text: a line a test, then the verdict."""
    given = annotation_facts(evaluation)
    lines = [fact_lines({"id": evaluation.id, **given})] if any(given.values()) else []
    lines += [test(result) for result in evaluation.tests]
    points = f": {evaluation.score:g} of {evaluation.max_score:g} points" if evaluation.score is not None else ""
    lines.append(f"{evaluation.verdict or evaluation.state}{points}")
    if evaluation.queue_position is not None:
        lines.append(f"position in the queue: {evaluation.queue_position}")
    if evaluation.message:
        lines.append(evaluation.message)
    return "\n".join([*lines, *kept_files(evaluation.files)])


def kept_files(files: Sequence[KeptFile]) -> list[str]:
    """Files that an evaluation has kept, a line each."""
    lines = []
    for file in files:
        of = f" of {file.test}" if file.test is not None else ""
        lines.append(f"kept {file.path}{of}: {file.size_bytes:,} bytes, rlp files get {file.file}")
    return lines
