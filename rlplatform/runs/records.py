"""Records of runs: each is the fold of the events of its stream.

:meth:`Run.apply` is the only way a record changes, inside the store's append.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from rlplatform.runs.events import Event, stream_of


class StoredRun(NamedTuple):
    """Run as text, in the parts that a database stores separately.

    ``request`` never changes. ``tests`` of the document may be large; None if ``record`` contains them. ``record`` is
    the rest, except the epoch, and ends with the document.
    """

    request: str | None
    tests: str | None
    record: str


class Run(BaseModel):
    """Record of an evaluation, a training or a policy.

    ``epoch`` is the fencing token: only the newest owner may append. ``stored_bytes`` is the size of the request and
    the events, as far as they were counted to the tenant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    event: ClassVar[type[Event]]
    """Base of the events of such runs."""

    id: str
    tenant: str
    created_by: str
    epoch: int = 0
    seq: int = 0
    stored_bytes: int = 0
    if TYPE_CHECKING:  # each kind declares them itself, the document last: a stored record ends with it
        kind: str
        document: Any

    @property
    def stream(self) -> str:
        """Name of the stream of the run's events."""
        return stream_of(self.id)

    @property
    @abstractmethod
    def state(self) -> str:
        """State of the run, as its document shows it."""

    @property
    @abstractmethod
    def final(self) -> bool:
        """True if nothing may follow."""

    @abstractmethod
    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return this run after ``event``. ``size`` is the number of characters of its JSON, if known."""

    def charge(self, before: Self) -> tuple[str, float]:  # noqa: ARG002
        """Return the usage counter that this run increases, and the increase since its state ``before``."""
        return "", 0.0

    def to_stored(self) -> StoredRun:
        """Return the run as the database keeps it."""
        return StoredRun(None, None, self.model_dump_json(exclude={"epoch"}))

    def _stored_with(self, event: Event, size: int | None) -> int:
        """Return the stored size after ``event``."""
        before = self.stored_bytes if self.seq else 0
        return before + (len(event.model_dump_json()) if size is None else size)


class RunSummary(BaseModel):
    """Entry of a list of runs, without anything that may be large. ``document`` of an evaluation has no tests."""

    model_config = ConfigDict(frozen=True)

    id: str
    tenant: str
    created_by: str
    kind: str
    document: Any

    @property
    def state(self) -> str:
        """State of the run, as its document shows it."""
        return str(self.document.state)
