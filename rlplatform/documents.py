"""The documents of the HTTP interface that are no domain models, shared by the API and the client."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, model_validator

from rlplatform import names
from rlplatform.access.principals import Role, Scope
from rlplatform.access.quotas import Quotas
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, TestCase
from rlplatform.jsonvalues import StrictModel
from rlplatform.training.models import CheckpointInfo, EnvironmentInfo

T = TypeVar("T", bound=BaseModel)


class Page(StrictModel, Generic[T]):
    """One page of a list, newest first."""

    items: list[T]
    """The documents of this page."""
    next_cursor: str | None = None
    """Value for `?cursor=` of the next page; null on the last page."""


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


class SubmittedFile(StrictModel):
    """A further file of a submission."""

    path: str
    """Relative POSIX path."""
    content: str
    """Text of the file."""


class SubmittedTest(StrictModel):
    """A test as it was submitted. Of a hidden one, only id, points and group."""

    id: str
    """Its name among the tests."""
    points: float
    """Points that it gives."""
    hidden: bool
    """True if learners see nothing but its verdict and points."""
    group: str | None = None
    """Group that it is scored with."""
    given: dict[str, JsonValue] = Field(default_factory=dict)
    """Input and expectation, by the names of the request: `stdin`, `expected_stdout`, `args`, …."""

    @classmethod
    def of(cls, test: TestCase) -> SubmittedTest:
        """``test`` as its submitter may see it."""
        about = {"id", "points", "hidden", "group"}
        given = {} if test.hidden else test.model_dump(mode="json", exclude=about, exclude_unset=True)
        return cls(id=test.id, points=test.points, hidden=test.hidden, group=test.group, given=given)


class Submission(StrictModel):
    """Program and tests of an evaluation, as they were submitted."""

    id: str
    """Id of the evaluation."""
    source: str
    """The program."""
    files: list[SubmittedFile]
    """Further files of the program."""
    grader: dict[str, JsonValue]
    """Grader of the request."""
    checker: dict[str, JsonValue]
    """Checker of the request."""
    limits: dict[str, JsonValue]
    """Limits of each test."""
    tests: list[SubmittedTest]
    """In the order of the request."""

    @classmethod
    def of(cls, evaluation_id: str, request: EvaluationRequest) -> Submission:
        """The submission of ``request``, as its submitter may see it."""
        return cls(
            id=evaluation_id,
            source=request.source,
            files=[SubmittedFile(path=file.path, content=file.content) for file in request.files],
            grader=request.grader.model_dump(mode="json"),
            checker=request.checker.model_dump(mode="json"),
            limits=request.limits.model_dump(mode="json"),
            tests=[SubmittedTest.of(test) for test in request.tests],
        )


class MetricSeries(StrictModel):
    """Metrics over time: columns of equal length, one row for each iteration that is kept. Iterations repeated after a
    recovery are there once."""

    training_id: str
    """Id of the training."""
    simulated: bool
    """True if the simulated engine runs it, which trains nothing."""
    stride: int
    """Every `stride`-th iteration is kept, and the last."""
    iteration: list[int]
    """Iterations."""
    env_steps: list[int]
    """Environment steps at each iteration."""
    train_wall_s: list[float]
    """Time spent on training at each iteration, in seconds."""
    metrics: dict[str, list[float | None]]
    """Values of each metric; null if an iteration has no such metric."""


class CheckpointList(StrictModel):
    """Committed checkpoints of a training, oldest first."""

    items: list[CheckpointInfo]
    """The checkpoints."""


class EnvironmentList(StrictModel):
    """Environments that can be trained on, by id."""

    items: list[EnvironmentInfo]
    """The environments."""
    next_cursor: str | None = None
    """`cursor` of the next page; null: there is none."""


class KeyRequest(StrictModel):
    """An API key to create. Give either `role` or `scopes`."""

    name: str = Field(min_length=1, max_length=100)
    """Name for people."""
    role: Role | None = None
    """Usual set of scopes; null if `scopes` are given."""
    scopes: list[Scope] = Field(default_factory=list, max_length=20)
    """Permissions of the key."""
    tenant: str | None = Field(default=None, max_length=64, pattern=names.TENANT)
    """Tenant that the key belongs to; null: the caller's own. Another one needs the scope `operate`."""
    expires_in_s: float | None = Field(default=None, gt=0, le=10 * 366 * 86400)
    """Lifetime of the key, in seconds; null: it does not expire."""

    @model_validator(mode="after")
    def _one_of_both(self) -> KeyRequest:
        if (self.role is None) == (not self.scopes):
            raise ValueError("give either a role or scopes")
        return self

    @property
    def granted(self) -> frozenset[Scope]:
        """The scopes asked for."""
        return self.role.scopes if self.role is not None else frozenset(self.scopes)


class KeyRotation(StrictModel):
    """Overlap of the old and the new key."""

    overlap_s: float = Field(default=3600.0, ge=0, le=30 * 86400)
    """Time during which the old key keeps working, in seconds."""


class KeyInfo(StrictModel):
    """An API key, without its secret."""

    id: str
    """Id of the key."""
    prefix: str
    """Beginning of the key's text."""
    tenant: str
    """Tenant that it belongs to."""
    name: str
    """Name for people."""
    owner: str | None = None
    """Id of the first key of its rotations, which owns the runs; null: this one."""
    scopes: list[Scope]
    """Permissions of the key."""
    created_at: datetime
    """Time of creation."""
    expires_at: datetime | None = None
    """Time of expiry; null: it does not expire."""
    revoked_at: datetime | None = None
    """Time of revocation; null: not revoked."""


class KeyCreated(StrictModel):
    """A new API key."""

    key: KeyInfo
    """The key, without its secret."""
    api_key: str
    """Text of the key, shown this once."""


class KeyList(StrictModel):
    """API keys, oldest first."""

    items: list[KeyInfo]
    """The keys."""


class WhoAmI(StrictModel):
    """Principal that the credentials of the request stand for."""

    id: str
    """Id of the principal."""
    tenant: str
    """Tenant that it belongs to."""
    scopes: list[Scope]
    """Permissions that it has."""


class QuotaState(StrictModel):
    """Use of one quota."""

    quota: str
    """Name of the quota."""
    used: float
    """Amount that is used."""
    limit: float | None
    """Amount that may be used; null: no limit."""
    resets_at: datetime | None = None
    """Time at which `used` becomes 0; null: it does not reset by itself."""


class TenantQuotas(StrictModel):
    """Quotas of a tenant."""

    tenant: str
    """The tenant."""
    quotas: Quotas
    """Quotas that apply."""
    overrides: dict[str, int | float | None]
    """Quotas that were set for this tenant alone."""


class Usage(StrictModel):
    """Runs of a tenant now, and its use of the platform since midnight, UTC."""

    tenant: str
    """The tenant."""
    since: datetime
    """Midnight, UTC: the start of the numbers that end in `_today`."""
    queued_evaluations: int = 0
    """Evaluations that wait."""
    running_evaluations: int = 0
    """Evaluations that run."""
    queued_trainings: int = 0
    """Trainings that wait."""
    active_trainings: int = 0
    """Trainings that start, run or recover."""
    evaluations_today: int = 0
    """Evaluations that were submitted today."""
    sandbox_cpu_time_s_today: float = 0.0
    """CPU time of tests today, in seconds."""
    trainings_today: int = 0
    """Trainings that were started today."""
    env_steps_today: int = 0
    """Environment steps of trainings today."""
    events_today: int = 0
    """Events appended to the tenant's runs since midnight."""
    stored_bytes: int = 0
    """Size of the requests and events of the tenant's runs, in bytes."""
    checkpoint_bytes: int | None = None
    """Size of all stored checkpoints, in bytes; null: unknown."""
    policies: int = 0
    """Published policies."""
    file_bytes: int = 0
    """Size of all uploaded files, in bytes."""
    quotas: list[QuotaState] = Field(default_factory=list)
    """Use of each quota."""


class TicketRequest(StrictModel):
    """A ticket to create."""

    stream: str | None = Field(default=None, max_length=200)
    """Stream that the ticket is for, for example `trainings/train_…`; null: any stream of the tenant."""


class Ticket(StrictModel):
    """A ticket, good once, for `?ticket=` of an event stream or the `auth` message of `/v1/live`."""

    ticket: str
    """Text of the ticket."""
    expires_at: datetime
    """Time of expiry."""


class Health(StrictModel):
    """The process answers."""

    status: Literal["alive"] = "alive"
    """Always `alive`."""


class DependencyState(StrictModel):
    """State of one part that the platform depends on."""

    name: str
    """Name of the part."""
    ok: bool
    """True if it answers."""
    detail: str | None = None
    """Explanation; null: none."""


class Readiness(StrictModel):
    """Readiness of the platform."""

    status: Literal["ready", "degraded", "unavailable"]
    """`degraded`: no sandbox, so evaluations are refused with 503 and trainings continue."""
    dependencies: list[DependencyState]
    """State of each part that the platform depends on."""
    queued_evaluations: int = 0
    """Evaluations that wait."""
    running_evaluations: int = 0
    """Evaluations that run."""
    running_trainings: int = 0
    """Trainings that run."""
