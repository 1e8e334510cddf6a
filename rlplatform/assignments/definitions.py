"""Definition of an assignment: what staff write, and what a version of it keeps for ever."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator

from rlplatform import patterns
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.checkers.builtin import TokensChecker
from rlplatform.evaluation.checkers.registry import AnyChecker
from rlplatform.evaluation.graders.registry import AnyGrader, TestCase
from rlplatform.evaluation.graders.stdio import StdioGrader
from rlplatform.evaluation.models import EvaluationRequest, Group
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import DataFile
from rlplatform.json_models import FieldError, StrictModel, Text
from rlplatform.sandbox.languages import LANGUAGES, PYTHON, LanguageName
from rlplatform.sandbox.models import Limits, Tier
from rlplatform.sandbox.programs import path_fault

JUDGED = ("language", "grader", "groups", "stop_on_failure", "checker", "limits", "tier", "image", "data", "tests")
"""Fields that an assignment and an evaluation have in common."""
MAX_FILES = 32
"""Largest number of files of an evaluation, besides ``main.py``."""


class TokenBucket(StrictModel):
    """Attempts that come back with time: up to `capacity` at once, and another one every `refill_s` seconds."""

    capacity: int = Field(ge=1, le=1000)
    """Largest number of attempts that can be saved up."""
    refill_s: float = Field(gt=0, le=31_536_000)
    """Time after which one more attempt is there, in seconds."""


class AttemptsPolicy(StrictModel):
    """Limits on the attempts of one member. An attempt that the platform failed to judge is given back."""

    maximum: int | None = Field(default=None, ge=1, le=100_000)
    """Largest number of attempts; null: no limit."""
    cool_down_s: float = Field(default=0, ge=0, le=31_536_000)
    """Time between one attempt and the next, in seconds."""
    bucket: TokenBucket | None = None
    """Attempts that come back with time; null: no such limit."""


class LatePolicy(StrictModel):
    """Penalty for submissions after `due_at`: a share of the score for each day that has begun."""

    per_day: float = Field(default=0.0, ge=0, le=1)
    """Share of the score that is lost for each day that has begun, from 0 to 1."""
    at_most: float = Field(default=1.0, ge=0, le=1)
    """Largest share that is lost."""
    grace_s: float = Field(default=0, ge=0, le=604_800)
    """Time after `due_at` that costs nothing, in seconds."""


class LeaderboardPolicy(StrictModel):
    """Ranking of the members by their counted submissions."""

    freeze_at: AwareDatetime | None = None
    """Time from which learners see the ranking as it was then; null: never."""
    pseudonyms: bool = True
    """True: learners see made-up names of each other, and their own."""
    test: str | None = Field(default=None, max_length=64)
    """Id of the test whose value ranks; null: the score ranks."""
    value: str = Field(default="episode_return", min_length=1, max_length=64)
    """Name in the value of that test, for example `episode_return`."""
    low: str | None = Field(default=None, max_length=64)
    """Name of the lower end of its interval; null: no interval."""
    high: str | None = Field(default=None, max_length=64)
    """Name of the upper end of its interval; null: no interval."""


class AssignmentRequest(StrictModel):
    """An assignment as staff write it (`PUT /v1/assignments/{name}`). Each change makes a new version."""

    title: Text = Field(min_length=1, max_length=200)
    """Title for people."""
    statement: Text = Field(default="", max_length=262_144)
    """Text of the assignment, in Markdown."""
    starter: list[SourceFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Files that learners start from."""
    provided: list[SourceFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Files that are put beside each submission; learners see them, and cannot send files of these names."""
    language: LanguageName = PYTHON
    """Programming language of the submissions."""
    grader: AnyGrader = Field(default_factory=StdioGrader)
    """How a test is run."""
    required_files: list[str] = Field(default_factory=lambda fields: [_entry(fields)], max_length=32)
    """Paths that a submission must have. Without them it is the file that is run: `main.py`, or `main.ipynb`."""
    tests: list[TestCase] = Field(min_length=1, max_length=200, fail_fast=True)
    """Tests, which only staff can read."""
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
    """Name of the image to run in; null: the platform's default."""
    data: list[DataFile] = Field(default_factory=list, max_length=64, fail_fast=True)
    """Uploaded files of any size that a submission finds in each test, and can only read."""
    points: float | None = Field(default=None, gt=0, le=1e6)
    """Points of a submission that passes everything; null: the sum of the points of the tests."""
    opens_at: AwareDatetime | None = None
    """Time from which learners see the assignment; null: at once."""
    due_at: AwareDatetime | None = None
    """Time until which a submission is in time; null: none is late."""
    closes_at: AwareDatetime | None = None
    """Time from which no submission is accepted; null: never."""
    late: LatePolicy = Field(default_factory=LatePolicy)
    """Penalty for submissions after `due_at`."""
    attempts: AttemptsPolicy = Field(default_factory=AttemptsPolicy)
    """Limits on the attempts of a member."""
    counts: Literal["best", "last"] = "best"
    """The submission that counts: the one with the best score, or the last one."""
    leaderboard: LeaderboardPolicy | None = None
    """Ranking of the members; null: none."""

    @field_validator("opens_at", "due_at", "closes_at", mode="after")
    @classmethod
    def _in_range(cls, given: AwareDatetime | None) -> AwareDatetime | None:
        if given is not None and not 1970 < given.year < 9000:
            raise ValueError("give a year between 1971 and 8999")
        return given

    @model_validator(mode="after")
    def _dates_in_order(self) -> AssignmentRequest:
        dates = [(name, at) for name in ("opens_at", "due_at", "closes_at") if (at := getattr(self, name)) is not None]
        for (first, earlier), (second, later) in pairwise(dates):
            if later < earlier:
                raise FieldError(second, f"{later.isoformat()} is before {first}, {earlier.isoformat()}")
        return self

    @model_validator(mode="after")
    def _files_are_plain(self) -> AssignmentRequest:
        for field in ("starter", "provided"):
            seen: set[str] = set()
            for index, file in enumerate(getattr(self, field)):
                where = f"{field}.{index}.path"
                if (fault := path_fault(file.path)) is not None:
                    raise FieldError(where, f"the path {file.path!r} {fault}")
                if file.path in seen:
                    raise FieldError(where, f"{file.path!r} is there twice")
                seen.add(file.path)
        own = self.own_paths()
        if self.entry in own:
            raise FieldError("provided", f"must not have {self.entry!r}, which learners send")
        for index, path in enumerate(self.required_files):
            if (fault := path_fault(path)) is not None:
                raise FieldError(f"required_files.{index}", f"the path {path!r} {fault}")
            if path in own:
                raise FieldError(f"required_files.{index}", f"{path!r} is a file of the assignment itself")
        if self.entry not in self.required_files:
            raise FieldError("required_files", f"must have {self.entry!r}, the file that is run")
        return self

    @model_validator(mode="after")
    def _can_be_judged(self) -> AssignmentRequest:
        try:
            self.evaluation([SourceFile(path=self.entry, content="")])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            cause = first.get("ctx", {}).get("error")
            path = [str(part) for part in first["loc"]]
            if isinstance(cause, FieldError):
                raise FieldError(".".join([*path, cause.path]), cause.reason) from None
            raise FieldError(".".join(path) or "tests", first["msg"]) from None
        if self.leaderboard is not None and self.leaderboard.test is not None:
            known = [test.id for test in self.tests]
            if self.leaderboard.test not in known:
                why = f"{self.leaderboard.test!r} is not one of the ids of tests: {', '.join(known[:10])}"
                raise FieldError("leaderboard.test", why)
        return self

    @property
    def entry(self) -> str:
        """File that is run."""
        return _entry({"grader": self.grader, "language": self.language})

    @property
    def max_points(self) -> float:
        """Points of a submission that passes everything."""
        return self.points if self.points is not None else sum(test.points for test in self.tests)

    def own_paths(self) -> set[str]:
        """Return the paths of the assignment's own files, which a submission cannot have."""
        tests = (data.path for test in self.tests for data in test.files)
        return {*(file.path for file in self.provided), *(data.path for data in self.data), *tests}

    def evaluation(self, files: list[SourceFile], **more: Any) -> EvaluationRequest:
        """Return the evaluation of a submission of ``files``, one of which is :attr:`entry`.

        Raises:
            ValidationError: the assignment itself cannot be judged.
        """
        given: dict[str, Any] = {name: getattr(self, name) for name in JUDGED}
        source = next(file.content for file in files if file.path == self.entry)
        others = [file for file in files if file.path != self.entry]
        return EvaluationRequest.model_validate({**given, "source": source, "files": [*others, *self.provided], **more})


def check_files(assignment: AssignmentRequest, files: list[SourceFile]) -> None:
    """Check that a submission has the files that it must have, and none of the assignment's own.

    Raises:
        InvalidRequest: it has not; ``field`` says where.
    """
    seen: set[str] = set()
    own = assignment.own_paths()
    for index, file in enumerate(files):
        where = f"files.{index}.path"
        if (fault := path_fault(file.path)) is not None:
            raise InvalidRequest(f"the path {file.path!r} {fault}; give one like 'helpers/graph.py'", field=where)
        if file.path in own:
            raise InvalidRequest(f"{file.path!r} is a file of the assignment itself; leave it out", field=where)
        if file.path in seen:
            raise InvalidRequest(f"{file.path!r} is there twice", field=where)
        seen.add(file.path)
    most = MAX_FILES - len(assignment.provided)
    if len(files) > most + 1:
        raise InvalidRequest(f"{len(files)} files were sent; at most {most + 1} are accepted", field="files")
    if missing := [path for path in assignment.required_files if path not in seen]:
        wanted = ", ".join(assignment.required_files)
        raise InvalidRequest(f"{missing[0]!r} is missing; a submission has {wanted}", field="files")


def _entry(fields: dict[str, Any]) -> str:
    """Return the file that is run, from the valid ones of an assignment's fields."""
    grader = fields.get("grader")
    return (grader.entry_file if grader is not None else None) or LANGUAGES[fields.get("language", PYTHON)].entry
