"""Checker that is a program of the instructor's. It runs in a second sandbox, never in the submission's.

The program finds the files ``input``, ``expected`` and ``output`` in its working folder, and ``output`` on its stdin.
Whatever else it does than answer, as its convention says, is its own failure and never a wrong answer.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Answer, Checker, CheckerFailed, Finding, SecondSandbox
from rlplatform.evaluation.checkers.conventions import AnsweringProgram, Convention
from rlplatform.evaluation.sources import Source
from rlplatform.sandbox.models import Execution, Limits

_ATTEMPTS = 2
_READABLE = 0o444
_FILES = ("input", "output", "expected")


class ProgramChecker(Checker):
    """A program of yours decides. It runs in a sandbox of its own, finds the files `input`, `expected` and `output` in
    its working folder, and answers as its `convention` says. If it fails, the verdict is `internal_error`."""

    runs_program: ClassVar[bool] = True

    kind: Literal["program"] = "program"
    """Selects this checker."""
    source: Source
    """Text of the checker, in Python, or an uploaded file. Submitters cannot read it back."""
    convention: Convention = "testlib"
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
        asked = AnsweringProgram(self.source, self.convention, self.limits, "checker")
        program = asked.make(*(("input", "expected") if self.convention == "kattis" else _FILES))
        with tempfile.TemporaryDirectory(prefix="rlp-check-") as folder:
            given = {"input": answer.given, "expected": answer.expected or b"", "output": answer.actual}
            files = {name: place(content, Path(folder) / name) for name, content in given.items()}
            execution = Execution(self.limits, stdin=files["output"], files=files, collect=asked.collect)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with closing(sandbox.run(program, self.limits, execution)) as outcome:
                        return asked.read(outcome, answer.points)
                except CheckerFailed:
                    if attempt == _ATTEMPTS:
                        raise
        raise AssertionError("unreachable")


def place(content: bytes | Path | BinaryIO, path: Path) -> Path:
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
