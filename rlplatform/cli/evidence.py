"""Evidence of failed tests: input, expectation and output of those that the caller may see, in bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rlplatform.cli.hints import hint
from rlplatform.cli.numbers import counted
from rlplatform.evaluation.models import Evaluation, TestResult, Verdict

MAX_TESTS = 3
MAX_LINES = 12
MAX_CHARACTERS = 800

_INPUTS = {
    "stdin": "input",
    "args": "arguments",
    "kwargs": "keyword arguments",
    "seed": "seed",
    "turns": "turns",
    "input": "input of the interactor",
    "answer": "answer of the interactor",
    "expected_stdout": "expected",
    "expected": "expected",
    "min_return": "return to reach",
}
_STDOUT = {"episode": "actions", "dialogue": "lines of the program", "interactive": "lines of the program"}
_STDERR = {"episode": "prints and errors of the program", "pytest": "error"}
_CODE = ("pytest", "notebook")
_FRAME = re.compile(r'(File ")(?:[^"\n]*/)?main\.py(", line \d+)')
_PROGRAM = re.compile(r"(?<![\w./-])main\.py(?=, line \d|: | defines )")


def renamed(text: str, name: str) -> str:
    """``text`` of the sandbox, where the program is ``main.py``, with the name that it has for the learner."""
    return _PROGRAM.sub(lambda _: name, _FRAME.sub(lambda found: f"{found[1]}{name}{found[2]}", text))


def evidence(
    evaluation: Evaluation, given: Mapping[str, Mapping[str, Any]], grader: str = "stdio", name: str = "main.py"
) -> str:
    """Failing tests as text: the first few that are visible, the error that several share once.

    Args:
        given: inputs and expectations by the test's id.
        grader: kind of the grader, which says what the outputs are.
        name: the learner's name of the program.
    """
    failed = [test for test in evaluation.tests if test.verdict not in (Verdict.ACCEPTED, Verdict.SKIPPED)]
    visible = [test for test in failed if not test.withheld]
    parts: list[str] = []
    seen: dict[tuple[Any, ...], str] = {}
    for test in visible:
        error = (test.verdict, test.message, test.stderr, test.stdout)
        if test.verdict in (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR) and error in seen:
            parts.append(f"{test.id}: the same error as in {seen[error]}")
        elif len(seen) < MAX_TESTS:
            seen[error] = test.id
            parts.append("\n".join(_of_test(test, given.get(test.id, {}), grader, name)))
    if len(visible) > len(parts):
        parts.append(f"{len(visible) - len(parts)} more tests failed; `rlp runs show {evaluation.id}` lists them")
    if hidden := [test.id for test in failed if test.withheld]:
        parts.append(f"hidden, so nothing but the verdict is shown: {', '.join(hidden)}")
    if not failed and evaluation.message:
        parts.append(renamed(evaluation.message, name))
    return "\n".join(parts)


def _of_test(test: TestResult, given: Mapping[str, Any], grader: str, name: str) -> list[str]:
    called = grader == "function"
    lines = [f"{test.id}{' (hidden from learners)' if test.hidden else ''}:"]
    if grader in _CODE and test.message:
        lines += block("message", renamed(test.message, name))
    for field, title in _INPUTS.items():
        if given.get(field) is not None or (called and field == "expected" and field in given):
            lines += block(title, _text(given[field]))
    for file in given.get("expect_files") or ():
        lines += block(f"expected file {file['path']}", _text(file["content"]))
    if called and test.verdict is Verdict.WRONG_ANSWER:
        lines += block("returned", json.dumps(test.value, ensure_ascii=False))
    if test.stdout or (given.get("expected_stdout") is not None and test.verdict is not Verdict.COMPILE_ERROR):
        lines += block(_STDOUT.get(grader, "output") + (", cut" if test.stdout_truncated else ""), test.stdout or "")
    if test.stderr:
        lines += block(_STDERR.get(grader, "stderr"), renamed(test.stderr, name), end=True)
        if advice := hint(test.stderr, tested=True):
            lines.append(f"  hint: {advice}")
    return lines


def block(title: str, text: str, *, end: bool = False) -> list[str]:
    """``text`` under its title, in bounds: its beginning, or its ``end``, and how much is left out."""
    lines = text.rstrip("\n").split("\n") if text else ["(nothing)"]
    kept = lines[-MAX_LINES:] if end else lines[:MAX_LINES]
    kept = [_short(line) for line in kept]
    while len(kept) > 1 and sum(map(len, kept)) > MAX_CHARACTERS:
        kept.pop(0 if end else -1)
    left = len(lines) - len(kept)
    note = [f"    … {counted(left, 'more line')}"] if left else []
    shown = [f"    {line}" for line in kept]
    return [f"  {title}:", *(note + shown if end else shown + note)]


def _short(line: str) -> str:
    cut = len(line) - MAX_CHARACTERS
    return line if cut <= 0 else f"{line[:MAX_CHARACTERS]}… ({cut:,} more characters)"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
