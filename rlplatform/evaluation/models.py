"""An evaluation: a learner's submission, the tests it is judged against, and what came of it.

Hidden tests: their inputs, outputs, messages and fine timings are blanked by :meth:`Evaluation.redacted` before a
submitter sees them; the stored record keeps them for graders.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from rlplatform import names
from rlplatform.jsonvalues import FieldError, Json, Text
from rlplatform.priorities import Priority
from rlplatform.sandbox.models import Limits, SandboxInfo, Tier


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Verdict(StrEnum):
    """What an outcome means for the learner."""

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


class SourceFile(_Strict):
    """A further file of a submission, by relative POSIX path."""

    path: str = Field(min_length=1, max_length=128)
    content: Text = Field(max_length=262_144)


class StdioGrader(_Strict):
    """The program reads stdin and writes stdout."""

    kind: Literal["stdio"] = "stdio"


class FunctionGrader(_Strict):
    """The function ``entry`` of the program is called with JSON values and must return one."""

    kind: Literal["function"] = "function"
    entry: str = Field(default="solve", pattern=names.FUNCTION)


class EpisodeGrader(_Strict):
    """The program is an agent: ``entry(observation)`` picks the actions of one episode of a Gymnasium environment.

    Observations and actions are JSON: a number for Discrete, lists for arrays. ``max_steps`` ends an episode that the
    environment does not end; ``turn_time_s`` is how long one action may take.
    """

    kind: Literal["episode"] = "episode"
    env: str = Field(min_length=1, max_length=128)
    entry: str = Field(default="act", pattern=names.FUNCTION)
    max_steps: int = Field(default=1000, ge=1, le=100_000)
    turn_time_s: float = Field(default=1.0, gt=0, le=60)


class DialogueGrader(_Strict):
    """The program talks with the host, line by line: it follows the ``turns`` of a test, or guesses its ``secret``.

    ``turn_time_s`` is how long the program may take until its next line, or until it ends once its guess was correct;
    ``max_guesses`` how often it may guess.
    """

    kind: Literal["dialogue"] = "dialogue"
    turn_time_s: float = Field(default=1.0, gt=0, le=60)
    max_guesses: int = Field(default=100, ge=1, le=10_000)


Grader = Annotated[
    StdioGrader | FunctionGrader | EpisodeGrader | DialogueGrader,
    Field(discriminator="kind"),
]

# the fields of a test that go with each kind of grader
_TEST_FIELDS: dict[str, tuple[str, ...]] = {
    "stdio": ("stdin", "expected_stdout"),
    "function": ("args", "kwargs", "expected"),
    "episode": ("seed", "min_return"),
    "dialogue": ("turns", "secret"),
}


class ExactChecker(_Strict):
    """Output and expectation are the same to the byte."""

    kind: Literal["exact"] = "exact"


class TokensChecker(_Strict):
    """The same words in the same order; white space does not count."""

    kind: Literal["tokens"] = "tokens"


class LinesChecker(_Strict):
    """The same lines; trailing white space and trailing empty lines do not count."""

    kind: Literal["lines"] = "lines"


class FloatsChecker(_Strict):
    """The same words, numbers compared with a tolerance: |a-b| <= max(abs_tol, rel_tol*|expected|)."""

    kind: Literal["floats"] = "floats"
    abs_tol: float = Field(default=1e-9, ge=0, allow_inf_nan=False)
    rel_tol: float = Field(default=1e-6, ge=0, allow_inf_nan=False)


class UnorderedChecker(_Strict):
    """The same lines (or list items) in any order."""

    kind: Literal["unordered"] = "unordered"


Checker = Annotated[
    ExactChecker | TokensChecker | LinesChecker | FloatsChecker | UnorderedChecker, Field(discriminator="kind")
]


class Turn(_Strict):
    """The host says ``say`` and a newline (null: nothing), then hears a line that must be ``expect`` as the checker
    sees it (null: it does not wait for one; the last turn always does)."""

    say: Text | None = Field(default=None, max_length=65_536)
    expect: Text | None = Field(default=None, max_length=65_536)


class TestCase(_Strict):
    """One test: ``stdin`` and ``expected_stdout`` for the stdio grader; ``args``, ``kwargs`` and ``expected`` for a
    function; ``seed`` (0) and ``min_return`` (none: the episode must only be played to its end) for an episode; either
    ``turns`` or ``secret`` for a dialogue: a guess of the secret is answered with ``higher``, ``lower`` or ``correct``.
    """

    __test__ = False

    id: str = Field(min_length=1, max_length=64, pattern=names.LABEL)
    stdin: Text | None = Field(default=None, max_length=1_048_576)
    expected_stdout: Text | None = Field(default=None, max_length=1_048_576)
    args: list[Json] | None = None
    kwargs: dict[Text, Json] | None = None
    expected: Json = None
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    min_return: float | None = Field(default=None, allow_inf_nan=False)
    turns: list[Turn] | None = Field(default=None, min_length=1, max_length=1000)
    secret: int | None = Field(default=None, ge=-(2**53), le=2**53)
    points: float = Field(default=1.0, ge=0, le=1e6, allow_inf_nan=False)
    hidden: bool = False
    group: str | None = None


class Group(_Strict):
    """Tests that are scored together. ``sum`` adds their points up; ``all_or_nothing`` gives all of them or none.

    ``stop_on_failure``: after its first test that is not accepted, the rest of the group is skipped.
    """

    id: str = Field(min_length=1, max_length=64, pattern=names.LABEL)
    policy: Literal["all_or_nothing", "sum"] = "all_or_nothing"
    stop_on_failure: bool = False


Identified = TypeVar("Identified", TestCase, Group)


class EvaluationRequest(_Strict):
    """What a client asks for with ``POST /v1/evaluations``.

    ``stop_on_failure``: after the first test that is not accepted, all others are skipped. ``priority`` orders the
    tenant's own evaluations. ``max_wait_s``: refuse it rather than let it wait for longer.
    """

    language: Literal["python"] = "python"
    source: Text = Field(max_length=262_144)
    files: list[SourceFile] = Field(default_factory=list, max_length=32)
    grader: Grader = Field(default_factory=StdioGrader)
    tests: list[TestCase] = Field(min_length=1, max_length=200)
    groups: list[Group] = Field(default_factory=list, max_length=200)
    stop_on_failure: bool = False
    checker: Checker = Field(default_factory=TokensChecker)
    limits: Limits = Field(default_factory=Limits)
    tier: Tier = Tier.SINGLE_USE
    priority: Priority = "normal"
    max_wait_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)

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
                raise FieldError(f"tests.{index}.group", f"{test.group!r} is not one of the ids of groups: {groups}")
        for index, group in enumerate(groups):
            if all(test.group != group for test in self.tests):
                raise FieldError(f"groups.{index}", f"{group!r} has no test")
        return self

    @model_validator(mode="after")
    def _tests_fit_grader(self) -> EvaluationRequest:
        fitting = _TEST_FIELDS[self.grader.kind]
        others = [name for names in _TEST_FIELDS.values() for name in names if name not in fitting]
        for index, test in enumerate(self.tests):
            if wrong := next((name for name in others if getattr(test, name) is not None), None):
                takes = f"grader {self.grader.kind!r}, which takes {', '.join(fitting)}"
                raise FieldError(f"tests.{index}.{wrong}", f"does not go with {takes}")
            if self.grader.kind == "function" and "expected" not in test.model_fields_set:
                raise FieldError(f"tests.{index}.expected", "is missing; give null if nothing is to be returned")
            if self.grader.kind == "dialogue" and (test.turns is None) == (test.secret is None):
                raise FieldError(f"tests.{index}", "a test of grader 'dialogue' has either turns or a secret")
            if test.turns is not None and test.turns[-1].expect is None:
                raise FieldError(f"tests.{index}.turns", "the last turn must expect a line")
        checked = self.grader.kind in ("stdio", "function") or any(test.turns for test in self.tests)
        if not checked and self.checker != TokensChecker():
            raise FieldError("checker", f"no test has an output that {self.checker.kind!r} could check")
        return self


class TestResult(_Strict):
    """What one test came to. ``value`` is what a function returned; times in seconds."""

    __test__ = False

    id: str
    verdict: Verdict
    points: float
    hidden: bool = False
    cpu_time_s: float | None = None
    wall_time_s: float | None = None
    peak_memory_bytes: int | None = None
    exit_code: int | None = None
    signal: str | None = None
    stdout: str | None = None
    stdout_truncated: bool = False
    stderr: str | None = None
    value: JsonValue = None
    message: str | None = None

    def redacted(self) -> TestResult:
        """This result as the submitter may see it: of a hidden test, verdict and points alone."""
        if not self.hidden:
            return self
        return TestResult(id=self.id, verdict=self.verdict, points=self.points, hidden=True)


EvaluationState = Literal["queued", "running", "finished", "cancelled", "failed"]


class Evaluation(_Strict):
    """The public document of an evaluation (``GET /v1/evaluations/{id}``). ``seq`` is the newest event it reflects:
    whoever follows the events after that misses none and sees none twice."""

    id: str
    seq: int = 0
    state: EvaluationState
    verdict: Verdict | None = None
    score: float | None = None
    max_score: float
    tests: list[TestResult] = Field(default_factory=list)
    sandbox: SandboxInfo | None = None
    attempts: int = 0
    queue_position: int | None = None
    expected_start_at: datetime | None = None
    message: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def placed(self, position: int | None, expected_wait_s: float | None, now: datetime) -> Evaluation:
        """This evaluation with where it waits, and when it is expected to begin (to the second; None: unknown)."""
        start = None
        if expected_wait_s is not None:
            start = (now + timedelta(seconds=expected_wait_s)).replace(microsecond=0)
        return self.model_copy(update={"queue_position": position, "expected_start_at": start})

    def redacted(self) -> Evaluation:
        """This evaluation with nothing of its hidden tests but verdicts and points."""
        return self.model_copy(update={"tests": [test.redacted() for test in self.tests]})


class Judgement(_Strict):
    """What the judge hands back for one submission: the verdicts of all its tests."""

    verdict: Verdict
    score: float
    tests: list[TestResult]
    sandbox: SandboxInfo | None = None
    message: str | None = None
