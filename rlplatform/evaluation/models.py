"""An evaluation: a learner's submission, the tests it is judged against, and what came of it.

Hidden tests: their inputs, outputs, messages and fine timings are blanked by :meth:`Evaluation.redacted` before a
learner sees them; the stored record keeps them for staff.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from rlplatform import patterns
from rlplatform.evaluation.checkers.builtin import TokensChecker
from rlplatform.evaluation.checkers.registry import AnyChecker
from rlplatform.evaluation.graders.base import TestFields
from rlplatform.evaluation.graders.registry import GRADERS, AnyGrader, TestCase
from rlplatform.evaluation.graders.stdio import StdioGrader
from rlplatform.evaluation.kept_files import MadeFile
from rlplatform.evaluation.sources import Source, SourceFile
from rlplatform.files.models import DataFile
from rlplatform.json_models import FieldError, StrictModel, with_old_names
from rlplatform.runs.annotations import Annotations, RunDocument
from rlplatform.sandbox.languages import LANGUAGES, PYTHON, LanguageName
from rlplatform.sandbox.models import Limits, SandboxInfo, Tier
from rlplatform.scheduling.priorities import Priority


class Verdict(StrEnum):
    """Meaning of a test's outcome, or of a whole submission's, for the learner."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    OUTPUT_LIMIT_EXCEEDED = "output_limit_exceeded"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    INTERNAL_ERROR = "internal_error"


class Group(StrictModel):
    """Tests that are scored together."""

    model_config = ConfigDict(json_schema_extra=with_old_names(scoring="policy"))

    id: str = Field(min_length=1, max_length=64, pattern=patterns.LABEL)
    """Id of the group, unique in the request."""
    scoring: Literal["all_or_nothing", "sum"] = Field(
        default="all_or_nothing", validation_alias=AliasChoices("scoring", "policy")
    )
    """`sum` adds the points of the tests; `all_or_nothing` gives all of them or none."""
    stop_on_failure: bool = False
    """True: after its first test that is not accepted, the rest of the group is skipped."""


Identified = TypeVar("Identified", TestCase, Group)


class EvaluationRequest(Annotations):
    """A submission to judge, its tests and its limits (`POST /v1/evaluations`)."""

    language: LanguageName = PYTHON
    """Programming language of the submission."""
    source: Source
    """Text of the program, or an uploaded file. An uploaded ZIP archive is a whole submission, with `main.py` (or
    `source_name`) at its top or in its only folder."""
    source_name: str | None = Field(default=None, pattern=patterns.PROGRAM_FILE)
    """Name of the program's file: errors show it, and other files import it. Null: `main.py`."""
    files: list[SourceFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Further files of the submission."""
    data: list[DataFile] = Field(default_factory=list, max_length=64, fail_fast=True)
    """Uploaded files of any size that the program finds in each test, and can only read."""
    grader: AnyGrader = Field(default_factory=StdioGrader)
    """How a test is run."""
    tests: list[TestCase] = Field(min_length=1, max_length=200, fail_fast=True)
    """Tests to run, in this order."""
    groups: list[Group] = Field(default_factory=list, max_length=200, fail_fast=True)
    """Groups that tests refer to."""
    stop_on_failure: bool = False
    """True: after the first test that is not accepted, all others are skipped."""
    checker: AnyChecker = Field(default_factory=TokensChecker)
    """How output, or a returned value, is compared with what is expected."""
    limits: Limits = Field(default_factory=Limits)
    """Limits of each test."""
    tier: Tier = Tier.SINGLE_USE
    """Isolation to run in."""
    image: str | None = Field(default=None, pattern=patterns.IMAGE)
    """Name of the image to run in, one of `GET /v1/images`: it determines which packages can be imported. Null: the
    platform's default."""
    priority: Priority = "normal"
    """Order among the tenant's own evaluations. `high` needs the scope `admin`."""
    max_wait_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    """Refuse the evaluation if it would wait in the queue for longer, in seconds; null: only the platform's own limit
    applies."""

    @property
    def entry(self) -> str:
        """File that is run."""
        return self.source_name or self._usual_entry

    @property
    def _usual_entry(self) -> str:
        return self.grader.entry_file or LANGUAGES[self.language].entry

    @property
    def own_image(self) -> str | None:
        """Image that the request needs: its own, or that of its language; None: the default will do."""
        return self.image or LANGUAGES[self.language].image

    @field_validator("tests", "groups")
    @classmethod
    def _unique_ids(cls, given: list[Identified]) -> list[Identified]:
        seen: set[str] = set()
        for item in given:
            if item.id in seen:
                raise ValueError(f"the id {item.id!r} is there twice; ids must be unique")
            seen.add(item.id)
        return given

    @model_validator(mode="after")
    def _tests_fit_groups(self) -> EvaluationRequest:
        groups = [group.id for group in self.groups]
        for index, test in enumerate(self.tests):
            if test.group is not None and test.group not in groups:
                known = ", ".join(groups[:10]) + (", …" if len(groups) > 10 else "") if groups else "there are none"
                raise FieldError(f"tests.{index}.group", f"{test.group!r} is not one of the ids of groups: {known}")
        for index, group in enumerate(groups):
            if all(test.group != group for test in self.tests):
                raise FieldError(f"groups.{index}", f"{group!r} has no test")
        return self

    def limits_of(self, test: TestFields) -> Limits:
        """Return the limits of a test."""
        return self.limits if test.limits is None else test.limits.over(self.limits)

    def largest_limits(self) -> Limits:
        """Return the largest limit of each kind that a test has."""
        found = self.limits
        for test in self.tests:
            if test.limits is not None:
                found = found.cover(self.limits_of(test))
        return found

    @model_validator(mode="after")
    def _limits_fit(self) -> EvaluationRequest:
        for index, test in enumerate(self.tests):
            if test.limits is None:
                continue
            try:
                self.limits_of(test)
            except ValidationError as error:
                why = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise FieldError(f"tests.{index}.limits", f"with those of the request: {why}") from None
        return self

    @model_validator(mode="after")
    def _tests_fit_grader(self) -> EvaluationRequest:
        fitting = self.grader.test_fields()
        others = [name for grader in GRADERS for name in grader.test_fields() if name not in fitting]
        for index, test in enumerate(self.tests):
            if wrong := next((name for name in others if getattr(test, name) is not None), None):
                takes = f"grader {self.grader.kind!r}, which takes {', '.join(fitting)}"
                raise FieldError(f"tests.{index}.{wrong}", f"does not go with {takes}")
        usual = self._usual_entry
        if self.source_name is not None and PurePath(self.source_name).suffix != PurePath(usual).suffix:
            of = f"grader {self.grader.kind!r}" if self.grader.entry_file else f"language {self.language!r}"
            raise FieldError("source_name", f"must end as {usual}, the file of {of}")
        if self.grader.languages is not None and self.language not in self.grader.languages:
            takes = f"grader {self.grader.kind!r}, which takes {', '.join(self.grader.languages)}"
            raise FieldError("language", f"{self.language!r} does not go with {takes}")
        self.grader.check(self.tests, self.checker)
        return self


class TestResult(StrictModel):
    """Result of one test. Of a hidden test, learners see `id`, `verdict`, `points` and `hidden`; the other fields are
    null. Staff, whose key has the scope `read`, see all of it."""

    __test__ = False

    id: str
    """Id of the test."""
    verdict: Verdict
    """Verdict of the test."""
    points: float
    """Points earned."""
    hidden: bool = False
    """True if the test is hidden from learners."""
    cpu_time_s: float | None = None
    """CPU time used, in seconds."""
    wall_time_s: float | None = None
    """Wall-clock time used, in seconds."""
    core_wait_time_s: float | None = None
    """Seconds of `wall_time_s` that the program waited for a core because the machine was busy, not counted against the
    limit; null if none."""
    peak_memory_bytes: int | None = None
    """Highest memory use, in bytes."""
    checker_cpu_time_s: float | None = None
    """CPU time that a checker of kind `program` used for this test, in seconds; null if none ran."""
    isolation: Literal["separate", "shared"] | None = None
    """Isolation of the test's code from the submission. `shared`: both ran in one process, and the submission could
    have changed this result. Null: the test has no code."""
    exit_code: int | None = None
    """Exit status of the program; null if it did not exit by itself."""
    signal: str | None = None
    """Name of the signal that killed the program, for example `SIGSEGV`."""
    stdout: str | None = None
    """Standard output that was kept."""
    stdout_truncated: bool = False
    """True if standard output was longer than what was kept."""
    stderr: str | None = None
    """Standard error that was kept."""
    stderr_truncated: bool = False
    """True if standard error was longer than what was kept."""
    value: JsonValue = None
    """Value that the function returned (function), or `episode_return` and `episode_length` (episode)."""
    message: str | None = None
    """Explanation of the verdict, or message of a checker; null if there is nothing to say."""

    @property
    def withheld(self) -> bool:
        """True if this is a hidden test's result without its details, which it has for staff alone."""
        return self.hidden and self.stdout is None and self.message is None

    def redacted(self) -> TestResult:
        """This result as a learner may see it: of a hidden test, verdict and points alone."""
        if not self.hidden:
            return self
        return TestResult(id=self.id, verdict=self.verdict, points=self.points, hidden=True, isolation=self.isolation)


EvaluationState = Literal["queued", "running", "finished", "cancelled", "failed"]


class KeptFile(StrictModel):
    """File that an evaluation has made, kept as an uploaded one of the submitter."""

    path: str
    """Name that it was made under."""
    file: str
    """Id of the file: `GET /v1/files/{file}/content` returns it."""
    size_bytes: int
    """Size, in bytes."""
    test: str | None = None
    """Id of the test in which the program wrote it (`collect`); null: it belongs to the whole evaluation."""


def shown_files(files: list[KeptFile], tests: list[TestResult]) -> list[KeptFile]:
    """Return the files that a learner may see: none of a hidden test."""
    hidden = {test.id for test in tests if test.hidden}
    return [file for file in files if file.test not in hidden]


class Evaluation(RunDocument):
    """State and result of an evaluation."""

    id: str
    """Id of the evaluation: `eval_…`."""
    seq: int = 0
    """Sequence number of the newest event that this document reflects. Events after it continue without a gap."""
    state: EvaluationState
    """Present state; `finished`, `cancelled` and `failed` are final."""
    verdict: Verdict | None = None
    """First verdict that is not `accepted`, in test order; null until the evaluation has ended."""
    score: float | None = None
    """Points earned; null until finished."""
    max_score: float
    """Points of a submission that is accepted on every test."""
    tests: list[TestResult] = Field(default_factory=list)
    """Results of the tests so far; lists of evaluations leave them out."""
    files: list[KeptFile] = Field(default_factory=list)
    """Files that were kept: those that tests `collect`, and the executed notebook."""
    sandbox: SandboxInfo | None = None
    """Sandbox that judged the submission; null until finished."""
    attempts: int = 0
    """Attempts so far: more than 1 after a failure of the platform."""
    queue_position: int | None = None
    """Evaluations served before this one; null unless queued, or if unknown."""
    expected_start_at: datetime | None = None
    """Time at which it is expected to start; null unless queued, or if unknown."""
    message: str | None = None
    """Explanation of the result, or of why there is none."""
    created_at: datetime
    """Time of the request."""
    started_at: datetime | None = None
    """Time of the first start."""
    finished_at: datetime | None = None
    """Time of the end."""

    def placed(self, position: int | None, expected_wait_s: float | None, now: datetime) -> Evaluation:
        """This evaluation with where it waits, and when it is expected to begin (to the second; None: unknown)."""
        start = None
        if expected_wait_s is not None:
            start = (now + timedelta(seconds=expected_wait_s)).replace(microsecond=0)
        return self.model_copy(update={"queue_position": position, "expected_start_at": start})

    def redacted(self) -> Evaluation:
        """This evaluation as a learner may see it: of its hidden tests, verdicts and points alone."""
        shown = {"tests": [test.redacted() for test in self.tests], "files": shown_files(self.files, self.tests)}
        return self.model_copy(update=shown)


class Judgement(StrictModel):
    """Judgement of one submission: its verdict and score, the results of all its tests, and files to keep."""

    verdict: Verdict
    score: float
    tests: list[TestResult]
    sandbox: SandboxInfo | None = None
    message: str | None = None
    kept: list[MadeFile] = Field(default_factory=list)


class EvaluationBatch(StrictModel):
    """Up to 200 evaluations; each is accepted or refused by itself."""

    evaluations: list[dict[str, Any]] = Field(
        min_length=1, max_length=200, fail_fast=True, description="EvaluationRequest documents"
    )
    """The evaluations to submit."""


class BatchRow(StrictModel):
    """Result of one row of a batch."""

    status: int
    """202 if the row was accepted, else the HTTP status of its error."""
    evaluation: Evaluation | None = None
    """The evaluation; null if the row was refused."""
    replayed: bool = False
    """True if an earlier batch with the same Idempotency-Key created the evaluation."""
    error: dict[str, Any] | None = None
    """Problem document; null if the row was accepted."""


class BatchResult(StrictModel):
    """Results of a batch."""

    results: list[BatchRow]
    """One result for each evaluation, in the order of the request."""
