"""Outputs that are compared in pieces get the same verdict, and the same reason, as outputs in memory."""

from __future__ import annotations

import io
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rlplatform.evaluation.checkers.base import Answer, Checker
from rlplatform.evaluation.checkers.registry import AnyChecker
from rlplatform.evaluation.second_sandbox import CheckerSandbox
from rlplatform.sandbox.models import Outcome, OutcomeKind, Tier, Usage
from rlplatform.testing.sandboxes import ScriptedPool

KINDS = ("exact", "tokens", "lines", "floats", "unordered")
CHECKERS: dict[str, Checker] = {kind: TypeAdapter(AnyChecker).validate_python({"kind": kind}) for kind in KINDS}
PIECES = st.sampled_from(["a", "bc", "1.5", "1.5000000001", " ", "  ", "\n", "\n\n", "\t", "\r\n", "é", "x" * 40])
TEXT = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize("kind", KINDS)
@given(expected=TEXT, change=TEXT, at=st.integers(0, 20), block=st.integers(1, 9))
@example(expected="a\n\n\nb", change="", at=0, block=1)
@example(expected="a b", change="c", at=1, block=3)
@settings(max_examples=150, deadline=None)
def test_pieces_are_judged_as_the_whole(kind: str, expected: str, change: str, at: int, block: int) -> None:
    checker = CHECKERS[kind]
    for actual in (expected[:at] + change + expected[at:], change, expected):
        whole = checker.compare_output(expected, actual.encode())
        pieces = checker.compare_streams(io.BytesIO(expected.encode()), io.BytesIO(actual.encode()), block)
        assert pieces == whole, (expected, actual)


def reason_of(checker: Checker, expected: Path, outcome: Outcome) -> str | None:
    answer = Answer(b"", expected, outcome.stdout_file or outcome.stdout, 1.0)
    return checker.check_answer(answer, CheckerSandbox(ScriptedPool([]), Tier.SINGLE_USE, "")).message


def outcome_of(path: Path) -> Outcome:
    return Outcome(OutcomeKind.EXITED, Usage(0.0, 0.0, 0), exit_code=0, stdout_file=path.open("rb"))


@pytest.mark.parametrize("kind", ["exact", "tokens", "lines", "floats"])
@pytest.mark.parametrize("tail", ["", "2\n"])
def test_twenty_mebibytes_take_little_memory_and_time(kind: str, tail: str, tmp_path: Path) -> None:
    line = " ".join(str(number) for number in range(1000)) + "\n"
    text = line * (20 * 2**20 // len(line))
    (tmp_path / "expected").write_text(text)
    (tmp_path / "actual").write_text(text[:-4] + "\n" + tail if tail else text)
    outcome = outcome_of(tmp_path / "actual")
    tracemalloc.start()
    started = time.process_time()
    try:
        reason = reason_of(CHECKERS[kind], tmp_path / "expected", outcome)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        outcome.close()
    assert (reason is None) == (tail == "")
    assert peak < 16 << 20
    assert time.process_time() - started < 20


def test_a_short_output_is_compared_with_a_large_expectation(tmp_path: Path) -> None:
    (tmp_path / "expected").write_bytes(b"1\n2\n3\n")
    outcome = Outcome(OutcomeKind.EXITED, Usage(0.0, 0.0, 0), exit_code=0, stdout=b"1\n2\n4\n")
    assert reason_of(CHECKERS["lines"], tmp_path / "expected", outcome) == "line 3: expected '3', got '4'"
