"""Checker that is a program of the instructor's. It runs in a second sandbox, never in the submission's.

The program finds the files ``input``, ``expected`` and ``output`` in its working folder, and ``output`` on its stdin.
Whatever else it does than answer, as its convention says, is its own failure and never a wrong answer.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Answer, Checker, CheckerFailed, Finding, SecondSandbox
from rlplatform.evaluation.sources import Source
from rlplatform.files.models import content_of
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program

_ATTEMPTS = 2
_MESSAGE = 2000
_READABLE = 0o444
_CRASHED = 70  # an answer in no convention: Python's own 1 is "wrong" in testlib's
_STARTER = "_checker.py"
_POINTS = re.compile(r"^\s*points\s+(\S+)\s*(.*)", re.DOTALL)
_LABELS = ("ok", "wrong answer", "wrong output format", "partially correct")  # how testlib begins its messages
_FEEDBACK = "feedback"

_START = """\
import os, runpy, sys, traceback
sys.argv = {argv!r}
{before}
try:
    runpy.run_path("main.py", run_name="__main__")
except Exception:
    traceback.print_exc()
    sys.exit({crashed})
finally:
    {after}
"""
_KATTIS_BEFORE = f"os.mkdir({_FEEDBACK!r})"
_KATTIS_AFTER = f"""\
for name in ("score.txt", "teammessage.txt"):
        path = os.path.join({_FEEDBACK!r}, name)
        with open(path, errors="replace") if os.path.exists(path) else open(os.devnull) as file:
            sys.__stdout__.write("\\n\\x1e" + file.read(4096))
    sys.__stdout__.flush()"""


class ProgramChecker(Checker):
    """A program of yours decides. It runs in a sandbox of its own, finds the files `input`, `expected` and `output` in
    its working folder, and answers as its `convention` says. If it fails, the verdict is `internal_error`."""

    runs_program: ClassVar[bool] = True

    kind: Literal["program"] = "program"
    """Selects this checker."""
    source: Source
    """Text of the checker, in Python, or an uploaded file. Submitters cannot read it back."""
    convention: Literal["testlib", "kattis", "json"] = "testlib"
    """`testlib`: arguments `input output expected`; exit status 0 right, 1 wrong, 2, 4 or 8 wrong format, 3 failed, 7
    partial with `points X` (of the test's points) on stderr. `kattis`: arguments `input expected feedback/`, and the
    output on stdin; exit status 42 right, 43 wrong; it may write `feedback/score.txt` (0 to 1) and
    `feedback/teammessage.txt`. `json`: the last line printed is `{"score": 0..1, "message": "…"}`."""
    limits: Limits = Field(default_factory=lambda: Limits(cpu_time_s=5, wall_time_s=10, output_kib=64))
    """Limits of one check, apart from the submission's."""

    @property
    def wall_time_s(self) -> float:
        return self.limits.wall_time_s

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"source"})

    def check_answer(self, answer: Answer, sandbox: SecondSandbox) -> Finding:
        with tempfile.TemporaryDirectory(prefix="rlp-check-") as folder:
            given = {"input": answer.given, "expected": answer.expected or b"", "output": answer.actual}
            files = {name: _place(content, Path(folder) / name) for name, content in given.items()}
            execution = Execution(self.limits, stdin=files["output"], files=files)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with closing(sandbox.run(self._program(), self.limits, execution)) as outcome:
                        return self._read(outcome, answer.points)
                except CheckerFailed:
                    if attempt == _ATTEMPTS:
                        raise
        raise AssertionError("unreachable")

    def _program(self) -> Program:
        before = after = "pass"
        names = ["input", "output", "expected"]
        if self.convention == "kattis":
            names = ["input", "expected", f"{_FEEDBACK}/"]
            before, after = _KATTIS_BEFORE, _KATTIS_AFTER
        start = _START.format(argv=["main.py", *names], crashed=_CRASHED, before=before, after=after)
        return Program({"main.py": content_of(self.source), _STARTER: start.encode()}, _STARTER)

    def _read(self, outcome: Outcome, points: float) -> Finding:
        if outcome.kind is OutcomeKind.CANCELLED:
            raise CheckerFailed("cancelled")
        if outcome.kind is not OutcomeKind.EXITED:
            raise CheckerFailed(_describe(outcome, self.limits))
        if outcome.exit_code == _CRASHED:
            raise CheckerFailed(_last_line(_text(outcome.stderr)))
        if self.convention == "json":
            return _read_json(outcome)
        read = _read_testlib if self.convention == "testlib" else _read_kattis
        return read(outcome, points)


def _place(content: bytes | Path | BinaryIO, path: Path) -> Path:
    """Return the file that holds ``content``; it is written to ``path`` unless it is one."""
    if isinstance(content, Path):
        return content
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.seek(0)
        with path.open("wb") as target:
            shutil.copyfileobj(content, target)
    path.chmod(_READABLE)
    return path


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
        f"exit status {outcome.exit_code}, which is none of testlib's (0, 1, 2, 3, 4, 7, 8): {_last_line(said)}"
    )


def _read_kattis(outcome: Outcome, points: float) -> Finding:  # noqa: ARG001
    if outcome.exit_code not in (42, 43):
        last = _last_line(_text(outcome.stderr))
        raise CheckerFailed(f"exit status {outcome.exit_code}, which is neither 42 (right) nor 43 (wrong): {last}")
    _, _, feedback = _text(outcome.stdout).rpartition("\n\x1e")  # the message; before it, the score
    score = _text(outcome.stdout).rpartition("\n\x1e")[0].rpartition("\n\x1e")[2].strip()
    message = _cut(feedback) if "\x1e" in _text(outcome.stdout) else None
    if outcome.exit_code == 43:
        return Finding(0.0, message or "wrong answer")
    return Finding(_number(score, 1.0, "score.txt") if score else 1.0, message)


def _read_json(outcome: Outcome) -> Finding:
    if outcome.exit_code != 0:
        raise CheckerFailed(f"exit status {outcome.exit_code}: {_last_line(_text(outcome.stderr))}")
    said = _text(outcome.stdout).strip()
    try:
        given = json.loads(said.rpartition("\n")[2])
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or "score" not in given:
        raise CheckerFailed(f'the last line of its stdout must be JSON as {{"score": 0.5}}; it is {said[-80:]!r}')
    score, message = given["score"], given.get("message")
    if type(score) not in (int, float) or not 0 <= score <= 1:
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


def _describe(outcome: Outcome, limits: Limits) -> str:
    """Say how a checker ended that did not exit."""
    match outcome.kind:
        case OutcomeKind.COMPILE_FAILED:
            return f"it does not compile: {outcome.detail}"
        case OutcomeKind.CPU_TIME_EXCEEDED:
            return f"it used more than {limits.cpu_time_s:g} s of CPU time (checker.limits.cpu_time_s)"
        case OutcomeKind.WALL_TIME_EXCEEDED:
            return f"it took more than {limits.wall_time_s:g} s (checker.limits.wall_time_s)"
        case OutcomeKind.MEMORY_EXCEEDED:
            return f"it used more than {limits.memory_mib} MiB of memory (checker.limits.memory_mib)"
        case OutcomeKind.OUTPUT_EXCEEDED:
            return f"it wrote more than {limits.output_kib} KiB (checker.limits.output_kib)"
    return f"it was killed by {outcome.signal}"


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


def _last_line(said: str) -> str:
    return said.rstrip().rpartition("\n")[2][:200] or "no message on stderr"


def _cut(message: str) -> str | None:
    """Return a message that can be shown: at most 2,000 characters, without control characters."""
    kept = "".join(one for one in message.strip()[:_MESSAGE] if one.isprintable() or one in "\n\t")
    return kept or None
