"""Bases of all graders: what a client sends of a grader and of a test, and how a test is put to a program.

Expected values stay on this side of the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from rlplatform import patterns
from rlplatform.evaluation.checkers.base import Checker, Finding, SecondSandbox
from rlplatform.evaluation.checkers.builtin import TokensChecker
from rlplatform.files.models import DataFile
from rlplatform.json_models import FieldError, StrictModel
from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.models import (
    Execution,
    Limits,
    MemoryMib,
    Outcome,
    OutputKib,
    Processes,
    Program,
    Seconds,
)
from rlplatform.sandbox.ports import Interactor, Sandbox

if TYPE_CHECKING:  # it needs NumPy, which clients do not have
    from rlplatform.episodes.played import PlayedEpisode


class TestLimits(StrictModel):
    """Limits of one test that differ from those of the request."""

    __test__ = False

    cpu_time_s: Seconds | None = None
    """CPU time, in seconds."""
    wall_time_s: Seconds | None = None
    """Wall-clock time, in seconds; at least `cpu_time_s`."""
    memory_mib: MemoryMib | None = None
    """Memory, in MiB."""
    output_kib: OutputKib | None = None
    """Standard output, and standard error, in KiB each."""
    processes: Processes | None = None
    """Processes and threads at one time."""

    def over(self, limits: Limits) -> Limits:
        """Return ``limits`` with those of this test.

        Raises:
            ValidationError: the two do not go together.
        """
        return Limits.model_validate(limits.model_dump() | self.model_dump(exclude_none=True))


class TestFields(StrictModel):
    """Fields that the tests of every grader have. A grader's subclass adds its own, each with None for "not given"."""

    __test__ = False
    model_config = ConfigDict(allow_inf_nan=True)  # Json itself refuses NaN, and names the value

    id: str = Field(min_length=1, max_length=64, pattern=patterns.LABEL)
    """Id of the test, unique in the request."""
    files: list[DataFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Uploaded files that the program finds in this test alone, and can only read."""
    limits: TestLimits | None = None
    """Limits of this test, where they differ from those of the request."""
    points: float = Field(default=1.0, ge=0, le=1e6, allow_inf_nan=False)
    """Points of an accepted test."""
    hidden: bool = False
    """True: learners see only the verdict and the points. Staff, whose key has the scope `read`, see everything."""
    group: str | None = Field(default=None, max_length=64)
    """Id of the group that this test belongs to; null: none."""


class Decision(NamedTuple):
    """Result of a test that its grader has decided, whichever way the program ended afterwards."""

    verdict: Literal["accepted", "wrong_answer", "runtime_error", "skipped", "internal_error"]
    message: str | None = None


class TestAttempt:
    """One test, put to the program once."""

    __test__ = False

    needs_value: ClassVar[bool] = False
    """True: a program that ends without returning a value has failed."""
    wrong_already: str | None = None
    """Reason why the answer was wrong before the program ended; how it ended does not count then."""

    outcome: Outcome | None = None
    """Outcome of a test that has been run already, together with others; None: it is run."""
    decision: Decision | None = None
    """Result of the test, if the grader decides it by itself."""
    isolation: str | None = None
    """Isolation of the test's own code from the submission: ``separate`` or ``shared``; None: there is no such code."""
    cpu_time_s: float | None = None
    """CPU time that the test's own code used, in seconds; None: there is none, or it was not measured."""
    played: Sequence[PlayedEpisode] = ()
    """Episodes that the agent played."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    @property
    def interactor(self) -> Interactor | DuplexEnd | None:
        """Partner of the program while it runs."""
        return None

    def mismatch(self, outcome: Outcome) -> str | None:
        """Return the reason why the answer of a program that ended well is wrong; None if it is right."""
        raise NotImplementedError

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:  # noqa: ARG002
        """Check the answer of a program that ended well; checkers that are programs run in ``sandbox``.

        Raises:
            CheckerFailed: the checker gave no answer.
        """
        return Finding.of(self.mismatch(outcome))

    def ended(self, outcome: Outcome) -> None:
        """Take note of how the program ended, before anything is decided."""

    def output(self, outcome: Outcome) -> tuple[bytes, bytes]:
        """Return what to show as stdout and stderr."""
        return outcome.stdout, outcome.stderr

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002
        """Return the result to show, as a JSON value; None if there is none."""
        return None

    def close(self) -> None:
        """Free what the attempt holds. Idempotent."""


class Stage(NamedTuple):
    """Place of a submission: its sandbox, and how another one is opened beside it, for code of the tests."""

    sandbox: Sandbox
    program: Program
    """The submission's program."""
    limits: Limits
    """Limits of the request."""
    image: str | None
    """Image of the submission; None: the default one."""
    longest_s: float
    """Longest time of one run, and of a suite, in seconds."""
    open_beside: Callable[[Program, Limits, str | None], Sandbox]
    """Opens a sandbox for a program with its limits in an image, on the submission's core. It has to be closed before
    the submission's, and idle whenever that one works."""


class Refusal(NamedTuple):
    """Reason why no test can be run: an attempt that has ended, and how. It is the result of every test."""

    attempt: TestAttempt
    outcome: Outcome


class Session:
    """Judging of one submission in one sandbox: all of its tests, one after the other."""

    def __init__(self, grader: Grader, checker: Checker) -> None:
        self._grader, self._checker = grader, checker

    def expand(self, tests: list[Any]) -> list[Any] | Refusal:
        """Return the tests to run in place of ``tests``, those of the request, or the reason why none can be run.

        Raises:
            SandboxFault: a sandbox failed.
        """
        return tests

    def attempt(self, test: Any, limits: Limits) -> TestAttempt:
        """Return an attempt at ``test``."""
        return self._grader.attempt(test, self._checker, limits)

    @property
    def message(self) -> str | None:
        """Explanation of the whole judgement, once all tests have been run; None: there is none."""
        return None

    @property
    def kept(self) -> Mapping[str, bytes]:
        """Files to keep with the judgement, by their names."""
        return {}

    def cancel(self) -> None:
        """From another thread: end what runs beside the submission."""

    def close(self) -> None:
        """Free what the session holds. Idempotent."""


class Grader(StrictModel):
    """Puts tests to a program. A subclass has its configuration as fields, and the rules of its tests."""

    test_model: ClassVar[type[TestFields]]
    """Fields of the grader's tests."""

    kind: str
    """Selects this grader."""

    entry_file: ClassVar[str | None] = None
    """Usual name of the file that is run; None: that of the language."""
    languages: ClassVar[tuple[str, ...] | None] = None
    """Languages that the grader can judge; None: all."""

    @property
    def environment(self) -> str | None:
        """Gymnasium environment that the grader needs on the host; None: none."""
        return None

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages that the grader needs in the image."""
        return ()

    @property
    def wall_time_s(self) -> float:
        """Longest time that the grader's own code takes for one test, in seconds."""
        return 0.0

    def public(self) -> dict[str, Any]:
        """Return the grader as submitters read it back."""
        return self.model_dump(mode="json")

    def why_not(self, path: str) -> str | None:  # noqa: ARG002
        """Return the reason why a submission may not have a file ``path``, as the end of a sentence; None: it may."""
        return None

    @classmethod
    def test_fields(cls) -> list[str]:
        """Return the names of the fields that only this grader's tests have."""
        return [name for name in cls.test_model.model_fields if name not in TestFields.model_fields]

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        """Check what the fields by themselves cannot say.

        Raises:
            FieldError: a test, or the checker, does not go with this grader.
        """

    def program(self, files: dict[str, bytes]) -> Program:
        """Return the program that runs ``files``: the submission's own file, and what goes in front of it."""
        (entry,) = files
        return Program(files, entry)

    def open(self, checker: Checker, stage: Stage) -> Session:  # noqa: ARG002
        """Return the session in which the tests of one submission are run."""
        return Session(self, checker)

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> TestAttempt:
        """Return an attempt at ``test``, which has the fields of ``test_model``."""
        raise NotImplementedError


def refuse_checker(checker: Checker) -> None:
    """Refuse a chosen checker that would have nothing to compare.

    Raises:
        FieldError: ``checker`` is not the default.
    """
    if checker != TokensChecker():
        raise FieldError("checker", f"no test has an output that {checker.kind!r} could check")
