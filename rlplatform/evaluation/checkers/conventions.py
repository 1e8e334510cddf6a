"""Conventions in which programs of an instructor's answer: testlib's, Kattis', or JSON. Checkers and interactors share
them.

Anything else than an answer of the convention is the program's own failure, and never a wrong answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from rlplatform.evaluation.checkers.base import CheckerFailed, Finding
from rlplatform.evaluation.sandbox_ends import describe_end, last_line
from rlplatform.evaluation.sources import Source
from rlplatform.files.models import content_of
from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind, OutputFile, Program

Convention = Literal["testlib", "kattis", "json"]

_MESSAGE = 2000
_FEEDBACK_BYTES = 4096
_CRASHED = 70  # an answer in no convention: Python's own 1 is "wrong" in testlib's
_STARTER = "_checker.py"
_POINTS = re.compile(r"^\s*points\s+(\S+)\s*(.*)", re.DOTALL)
_LABELS = ("ok", "wrong answer", "wrong output format", "partially correct")  # how testlib begins its messages
_SCORE, _MESSAGE_FILE = "feedback/score.txt", "feedback/teammessage.txt"

# No more than that is imported: a check takes little longer than any other program.
_START = """\
import sys
{before}
sys.argv = {argv!r}
def failed(*error):
    sys.__excepthook__(*error)
    sys.exit({crashed})
sys.excepthook = failed
with open("main.py", "rb") as source:
    source = compile(source.read(), "main.py", "exec", dont_inherit=True)
exec(source, globals())
"""


class AnsweringProgram(NamedTuple):
    """A program that answers in a convention, with ``limits`` that are those of ``field`` in the request."""

    source: Source
    convention: Convention
    limits: Limits
    field: str
    talks: bool = False
    """True: its stdout goes to the submission, and JSON is the last line of its stderr."""

    @property
    def collect(self) -> tuple[str, ...]:
        """Files that it answers with."""
        return (_SCORE, _MESSAGE_FILE) if self.convention == "kattis" else ()

    def make(self, *names: str) -> Program:
        """Return the program, which gets ``names`` as arguments; Kattis' are followed by its folder."""
        argv, before = ["main.py", *names], "pass"
        if self.convention == "kattis":
            argv, before = [*argv, "feedback/"], "import os; os.mkdir('feedback')"
        start = _START.format(argv=argv, crashed=_CRASHED, before=before)
        return Program({"main.py": content_of(self.source), _STARTER: start.encode()}, _STARTER)

    def read(self, outcome: Outcome, points: float) -> Finding:
        """Return the answer of the program, once it has ended; ``points`` are those of the test.

        Raises:
            CheckerFailed: it gave none.
        """
        if outcome.kind is OutcomeKind.CANCELLED:
            raise CheckerFailed("cancelled")
        if outcome.kind is not OutcomeKind.EXITED:
            raise CheckerFailed(describe_end(outcome, self.limits, self.field))
        if outcome.exit_code == _CRASHED:
            raise CheckerFailed(last_line(outcome))
        if self.convention == "json":
            return _read_json(outcome, outcome.stderr if self.talks else outcome.stdout)
        return _read_testlib(outcome, points) if self.convention == "testlib" else _read_kattis(outcome)


def _read_testlib(outcome: Outcome, points: float) -> Finding:
    said = _text(outcome.stderr)
    match outcome.exit_code:
        case 0:
            return Finding(1.0, _without_label(said))
        case 1:
            return Finding(0.0, _without_label(said) or "wrong answer")
        case 2 | 4 | 8:
            return Finding(0.0, f"wrong output format: {_without_label(said) or 'the checker cannot read the output'}")
        case 7:
            found = _POINTS.match(said)
            if found is None:
                raise CheckerFailed(f"exit status 7 needs 'points X' on stderr; it has {said[:80]!r}")
            earned = _number(found[1], points, "points")
            return Finding(1.0 if earned == points else earned / points, _cut(found[2]) or f"{earned:g} points")
        case 3:
            raise CheckerFailed(f"it says so (exit status 3): {_without_label(said) or 'no reason'}")
    raise CheckerFailed(
        f"exit status {outcome.exit_code}, which is none of testlib's (0, 1, 2, 3, 4, 7, 8): {last_line(outcome)}"
    )


def _read_kattis(outcome: Outcome) -> Finding:
    if outcome.exit_code not in (42, 43):
        raise CheckerFailed(
            f"exit status {outcome.exit_code}, which is neither 42 (right) nor 43 (wrong): {last_line(outcome)}"
        )
    score, message = _feedback(outcome.files, _SCORE), _cut(_feedback(outcome.files, _MESSAGE_FILE))
    if outcome.exit_code == 43:
        return Finding(0.0, message or "wrong answer")
    return Finding(_number(score.strip(), 1.0, "score.txt") if score.strip() else 1.0, message)


def _feedback(files: Mapping[str, OutputFile], path: str) -> str:
    content = files.get(path)
    return _text(content[:_FEEDBACK_BYTES]) if isinstance(content, bytes) else ""


def _read_json(outcome: Outcome, printed: bytes) -> Finding:
    if outcome.exit_code != 0:
        raise CheckerFailed(f"exit status {outcome.exit_code}: {last_line(outcome)}")
    said = _text(printed).strip()
    try:
        given = json.loads(said.rpartition("\n")[2])
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or "score" not in given:
        raise CheckerFailed(f'its last line must be JSON as {{"score": 0.5}}; it is {said[-80:]!r}')
    score, message = given["score"], given.get("message")
    if type(score) not in (bool, int, float) or not 0 <= score <= 1:
        raise CheckerFailed(f"score must be a number from 0 to 1; it is {str(score)[:80]}")
    if message is not None and not isinstance(message, str):
        raise CheckerFailed(f"message must be text; it is {str(message)[:80]}")
    found = _cut(message or "")
    return Finding(float(score), found or (None if score == 1 else "wrong answer" if score == 0 else "partly right"))


def _number(text: str, most: float, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise CheckerFailed(f"{name} must be a number from 0 to {most:g}; it is {text[:80]!r}")
    return number


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _without_label(said: str) -> str | None:
    """Return a message of testlib without the words for its exit status."""
    said = said.strip()
    for label in _LABELS:
        if said == label or said.startswith(f"{label} "):
            said = said[len(label) :].strip()
            break
    return _cut(said)


def _cut(message: str) -> str | None:
    """Return a message that can be shown: at most 2,000 characters, without control characters."""
    kept = "".join(one for one in message.strip()[:_MESSAGE] if one.isprintable() or one in "\n\t")
    return kept or None
