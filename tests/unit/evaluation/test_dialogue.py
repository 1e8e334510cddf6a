"""Dialogues: a script of turns, and a number to be guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlplatform.evaluation.checkers.base import Finding
from rlplatform.evaluation.checkers.builtin import TokensChecker
from rlplatform.evaluation.graders.dialogue import DialogueGrader, GuessAttempt, ScriptAttempt
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.verdicts import Ruling, decide_verdict
from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind
from rlplatform.testing.sandboxes import ended, exited

LIMITS = Limits()


def attempt(max_guesses: int = 100, **fields: Any) -> ScriptAttempt | GuessAttempt:
    test = TestCase.model_validate({"id": "t", **fields})
    return DialogueGrader(max_guesses=max_guesses).attempt(test, TokensChecker(), LIMITS)


def ruled(outcome: Outcome, wrong_already: str | None) -> Ruling:
    return decide_verdict(outcome, LIMITS, needs_value=False, check=lambda: Finding(1.0), wrong_already=wrong_already)


TURNS = [{"say": "2 3"}, {"say": "+", "expect": "5"}, {"expect": "ready"}, {"say": "*", "expect": "6"}]


def test_a_script_is_followed_turn_by_turn() -> None:
    script = attempt(turns=TURNS)
    assert script.begin() == b"2 3\n+\n"
    assert script.reply(b" 5 ") == b""
    assert script.mismatch(exited()) == "the program ended after 1 lines, before the dialogue did"
    assert script.reply(b"ready") == b"*\n"
    assert script.reply(b"6") is None
    assert (script.wrong_already, script.mismatch(exited())) == (None, None)


def test_the_first_wrong_line_ends_it_however_the_program_takes_that() -> None:
    script = attempt(turns=TURNS)
    script.begin()
    assert script.reply(b"4") is None
    assert script.wrong_already == "line 1: word 1: expected '5', got '4'"
    for outcome in (exited(code=1), ended(OutcomeKind.SIGNALLED), ended(OutcomeKind.WALL_TIME_EXCEEDED)):
        ruling = decide_verdict(
            outcome, LIMITS, needs_value=False, check=lambda: Finding(1.0), wrong_already=script.wrong_already
        )
        assert ruling[:2] == ("wrong_answer", script.wrong_already)
    for kind in (OutcomeKind.MEMORY_EXCEEDED, OutcomeKind.OUTPUT_EXCEEDED, OutcomeKind.CPU_TIME_EXCEEDED):
        ruling = decide_verdict(
            ended(kind), LIMITS, needs_value=False, check=lambda: Finding(1.0), wrong_already=script.wrong_already
        )
        assert ruling[:2] == ("wrong_answer", script.wrong_already)
    cancelled = decide_verdict(
        ended(OutcomeKind.CANCELLED), LIMITS, needs_value=False, check=lambda: Finding(1.0), wrong_already="x"
    )
    assert cancelled.verdict == "cancelled"


def test_output_after_the_last_turn_is_wrong() -> None:
    script = attempt(turns=[{"say": "2 3", "expect": "5"}])
    script.begin()
    assert script.reply(b"5") is None
    script.overhear(b" \r")
    assert script.wrong_already is None
    script.overhear(b"and more")
    assert script.wrong_already == "line 2: expected the end of the output, got 'and more'"


def test_the_reason_is_the_first_wrong_line_and_not_what_follows() -> None:
    script = attempt(turns=[{"say": "2 3", "expect": "5"}])
    script.begin()
    assert script.reply(b"6") is None
    script.overhear(b"and more")
    assert script.wrong_already == "line 1: word 1: expected '5', got '6'"


@given(st.integers(-(10**6), 10**6))
def test_bisection_finds_every_secret(secret: int) -> None:
    game = attempt(22, secret=secret)
    low, high = -(10**6), 10**6
    assert game.begin() == b""
    while (answer := game.reply(b"%d" % (guess := (low + high) // 2))) != b"correct\n":
        assert answer in (b"higher\n", b"lower\n")
        low, high = (guess + 1, high) if answer == b"higher\n" else (low, guess - 1)
    assert guess == secret
    assert game.mismatch(exited()) is None
    assert game.reply(b" ") is None
    assert game.wrong_already is None
    assert game.reply(b"more") is None
    assert "expected the end of the output, got 'more'" in (game.wrong_already or "")


@pytest.mark.parametrize("line", [b"", b"x", b"1.0", b"1_000", b"0x1", b"9" * 19, b"\xff", "\u0661".encode(), b"1 2"])
def test_what_is_no_number_is_wrong(line: bytes) -> None:
    game = attempt(secret=1)
    assert game.reply(line) is None
    assert "is no whole number" in (game.wrong_already or "")


def test_guesses_are_counted() -> None:
    game = attempt(2, secret=9)
    assert game.reply(b"1") == b"higher\n"
    assert game.reply(b"2") is None
    assert game.wrong_already == "not found with 2 guesses"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "either turns or a secret"),
        ({"turns": [{"expect": "x"}], "secret": 1}, "either turns or a secret"),
        ({"turns": [{"say": "x"}]}, "the last turn must expect a line"),
        ({"turns": []}, "at least 1"),
        ({"secret": 2**53 + 1}, "less than or equal"),
        ({"secret": 1, "stdin": "x"}, "does not go with"),
    ],
)
def test_a_test_of_a_dialogue_is_one(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        EvaluationRequest.model_validate(
            {"source": "", "grader": {"kind": "dialogue"}, "tests": [{"id": "t", **fields}]}
        )
