"""Tables and paragraphs of the command line, and what is shown of failing tests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rlplatform.cli import layout
from rlplatform.cli.evidence import MAX_CHARACTERS, MAX_LINES, MAX_TESTS, evidence, renamed
from rlplatform.evaluation.models import Evaluation, TestResult, Verdict

WORD = st.text("abc01é漢字", min_size=1, max_size=14)
CELL = st.lists(WORD, max_size=6).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=5), st.integers(70, 120))
def test_a_table_fits_the_terminal_and_breaks_no_word(rows: list[tuple[str, ...]], width: int) -> None:
    lines = layout.table(["ID", "WHAT", "STATE", "RESULT"], rows, width)
    assert all(cell_len(line) <= width for line in lines)
    shown = " ".join(lines).split()
    for word in (word for row in rows for cell in row for word in cell.split()):
        assert word in shown


def test_a_table_is_as_wide_as_it_is_where_there_is_no_terminal() -> None:
    assert layout.table(["A", "B"], [["x" * 200, "y z"]], None)[1] == "x" * 200 + "  y z"


def test_a_row_that_no_width_holds_becomes_a_block() -> None:
    lines = layout.table(["ID", "URL"], [["a" * 30, "b" * 30], ["c", "d"]], 40)
    assert lines == [f"ID   {'a' * 30}", f"URL  {'b' * 30}", "", "ID   c", "URL  d"]


def test_one_long_name_does_not_take_a_long_table_apart() -> None:
    rows = [[f"Env{number}-v0", "Box(4,) float32"] for number in range(8)]
    rows.insert(3, ["Hand" * 8, "Discrete(2)"])
    lines = layout.table(["ID", "OBSERVATIONS"], rows, 34)
    assert lines[:2] == ["ID       OBSERVATIONS", "Env0-v0  Box(4,) float32"]
    assert lines[4:6] == ["Hand" * 8, "         Discrete(2)"]
    assert len(lines) == 11


def test_a_paragraph_breaks_between_words_and_keeps_its_indent() -> None:
    text = "error: unknown environment 'CartPole'\n  " + "word " * 10 + "train_01m8hwee3geyct62tzxtmgptqa"
    lines = layout.paragraph(text, 32).split("\n")
    assert all(len(line) <= 34 for line in lines)
    assert lines[0] == "error: unknown environment"
    assert lines[-1] == "  train_01m8hwee3geyct62tzxtmgptqa"
    assert layout.paragraph(text, None) == text
    fact = layout.paragraph(f"{'hyperparameters':<16}{'a=1 ' * 9}", 40, hang=16).split("\n")
    assert fact[1].startswith(" " * 16 + "a=1")


def evaluation(*tests: TestResult) -> Evaluation:
    return Evaluation(
        id="eval_x",
        state="finished",
        verdict=Verdict.WRONG_ANSWER,
        score=0,
        max_score=9,
        tests=list(tests),
        created_at=datetime.now(UTC),
    )


def failed(name: str, verdict: Verdict = Verdict.WRONG_ANSWER, **more: object) -> TestResult:
    return TestResult.model_validate({"id": name, "verdict": verdict, "points": 0, **more})


def test_a_failing_test_shows_input_expectation_and_output() -> None:
    given = {"t1": {"stdin": "2\n", "expected_stdout": "4\n"}}
    text = evidence(evaluation(failed("t1", stdout="6\n")), given)
    assert text == "t1:\n  input:\n    2\n  expected:\n    4\n  output:\n    6"


def test_a_failing_call_shows_arguments_and_values() -> None:
    given = {"t1": {"args": [1, "a"], "expected": None}}
    text = evidence(evaluation(failed("t1", value=-1)), given, "function")
    assert text == 't1:\n  arguments:\n    [1, "a"]\n  expected:\n    null\n  returned:\n    -1'


def test_evidence_is_bounded() -> None:
    tests = [failed(f"t{number}", stdout=f"{number}\n" + "line\n" * 500) for number in range(20)]
    given = {test.id: {"stdin": "x" * 100_000, "expected_stdout": "y\n" * 9000} for test in tests}
    text = evidence(evaluation(*tests), given)
    assert len(text) < MAX_TESTS * 4 * (MAX_CHARACTERS + 20 * MAX_LINES)
    assert "… 489 more lines" in text
    assert f"{20 - MAX_TESTS} more tests failed" in text


def test_hidden_tests_are_said_to_be_hidden_and_show_nothing() -> None:
    text = evidence(evaluation(failed("h", hidden=True)), {"h": {"stdin": "secret"}})
    assert text == "hidden, so nothing but the verdict is shown: h"


def test_staff_see_the_evidence_of_hidden_tests() -> None:
    text = evidence(evaluation(failed("h", hidden=True, stdout="6\n")), {"h": {"stdin": "2", "expected_stdout": "4"}})
    assert text == "h (hidden from learners):\n  input:\n    2\n  expected:\n    4\n  output:\n    6"


def test_an_error_of_several_tests_is_shown_once() -> None:
    stderr = 'Traceback (most recent call last):\n  File "main.py", line 3, in <module>\nValueError: no\n'
    tests = [failed(name, Verdict.RUNTIME_ERROR, stderr=stderr, message="exit status 1") for name in ("a", "b", "c")]
    text = evidence(evaluation(*tests), {}, name="mine/slow.py")
    assert text.count("ValueError: no") == 1
    assert 'File "mine/slow.py", line 3' in text
    assert text.splitlines()[-2:] == ["b: the same error as in a", "c: the same error as in a"]


def test_an_episodes_actions_are_called_so() -> None:
    text = evidence(evaluation(failed("e", stdout="0\n1\n", stderr="hello\n")), {"e": {"seed": 3}}, "episode")
    assert "  actions:\n    0\n    1" in text
    assert "  prints and errors of the program:\n    hello" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('  File "main.py", line 3, in f', '  File "a b.py", line 3, in f'),
        ('  File "/submission/main.py", line 3', '  File "a b.py", line 3'),
        ("main.py, line 1: SyntaxError: x", "a b.py, line 1: SyntaxError: x"),
        ("main.py defines no function 'act'", "a b.py defines no function 'act'"),
        ('  File "domain.py", line 3', '  File "domain.py", line 3'),
        ("my main.py is fine", "my main.py is fine"),
    ],
)
def test_a_traceback_names_the_learners_file(text: str, expected: str) -> None:
    assert renamed(text, "a b.py") == expected
