"""The program talks with an interactor: a program of the instructor's, in a second sandbox, that also decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.checkers.conventions import AnsweringProgram, Convention
from rlplatform.evaluation.graders.base import Grader, Session, Stage, TestFields, refuse_checker
from rlplatform.evaluation.graders.interaction import InteractiveAttempt
from rlplatform.evaluation.graders.output_files import local
from rlplatform.evaluation.sources import Source, Stream
from rlplatform.sandbox.models import Limits
from rlplatform.sandbox.ports import Sandbox


class InteractiveTest(TestFields):
    """A test of ``interactive``."""

    input: Stream | None = None
    """Data for the interactor (interactive): its file `input`. The submission sees only what the interactor says."""
    answer: Stream | None = None
    """Further data for the interactor (interactive): its file `expected`."""


class InteractiveGrader(Grader):
    """The program talks with an interactor of yours over stdin and stdout; the interactor runs in a sandbox of its own
    and decides, as its `convention` says. If it fails, the verdict is `internal_error`."""

    test_model: ClassVar[type[TestFields]] = InteractiveTest

    kind: Literal["interactive"] = "interactive"
    """Selects this grader."""
    source: Source
    """Text of the interactor, in Python, or an uploaded file. Submitters cannot read it back. What it prints is the
    program's stdin, and its stdin is what the program prints; it finds the files `input` and `expected`."""
    convention: Convention = "testlib"
    """`testlib`: arguments `input tout expected`, exit status as of a checker. `kattis`: arguments `input expected
    feedback/`, exit status 42 right, 43 wrong, and files in `feedback/`. `json`: arguments `input expected`; the last
    line of its stderr is `{"score": 0..1, "message": "…"}`."""
    limits: Limits = Field(default_factory=lambda: Limits(cpu_time_s=5, wall_time_s=30, output_kib=4096))
    """Limits of the interactor in one test, apart from the submission's."""

    @property
    def wall_time_s(self) -> float:
        return self.limits.wall_time_s

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"source"})

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:  # noqa: ARG002
        refuse_checker(checker)

    def open(self, checker: Checker, stage: Stage) -> Session:
        return _InteractiveSession(self, checker, stage)


class _InteractiveSession(Session):
    """Judging of one submission, with a sandbox for its interactor from the first test to the last."""

    def __init__(self, grader: InteractiveGrader, checker: Checker, stage: Stage) -> None:
        super().__init__(grader, checker)
        self._asked = AnsweringProgram(grader.source, grader.convention, grader.limits, "grader", talks=True)
        names = {"testlib": ("input", "tout", "expected")}.get(grader.convention, ("input", "expected"))
        self._sandbox: Sandbox = stage.open_beside(self._asked.make(*names), grader.limits, stage.image)

    def attempt(self, test: InteractiveTest, limits: Limits) -> InteractiveAttempt:
        given = {
            name: b"" if value is None else local(value)
            for name, value in {"input": test.input, "expected": test.answer}.items()
        }
        return InteractiveAttempt(self._sandbox, self._asked, given, test.points, limits)

    def cancel(self) -> None:
        self._sandbox.cancel()

    def close(self) -> None:
        self._sandbox.close()
