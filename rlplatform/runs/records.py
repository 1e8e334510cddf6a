"""Records of runs: each is the fold of the events of its stream.

:meth:`Run.apply` is the only way a record changes, inside the store's append.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from rlplatform.runs.annotations import Annotations, RunDocument
from rlplatform.runs.events import Event, stream_of
from rlplatform.runs.index import Facts, IndexEntry, searched_text


class StoredRun(NamedTuple):
    """Run as text, in the parts that a database stores separately.

    ``request`` never changes. ``tests`` of the document may be large; None if ``record`` contains them. ``record`` is
    the rest, except the epoch and the ``annotations``, and ends with the document.
    """

    request: str | None
    tests: str | None
    record: str
    annotations: str


NOT_STORED = {"name", "labels", "notes", "submitter"}
"""Fields of a run's document that a stored record leaves out."""


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
    def facts(self) -> Facts:
        """Facts that lists filter and sort by."""
        return Facts()

    @property
    def annotations(self) -> Annotations:
        """Name, labels and notes."""
        return _annotations(self.document)

    @property
    def index_entry(self) -> IndexEntry:
        """Entry of the index of runs."""
        facts, annotations = self.facts, self.annotations
        text = searched_text(self.id, facts.env, annotations)
        return IndexEntry(self.id, self.kind, self.tenant, self.state, self.created_by, facts, annotations, text)

    def annotated(self, annotations: Annotations) -> Self:
        """Return this run with other annotations."""
        return self.model_copy(update={"document": _annotated(self.document, annotations, self.created_by)})

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
        excluded = NOT_STORED if isinstance(self.document, RunDocument) else None
        record = self.model_dump_json(exclude={"epoch": True, "document": excluded or set()})
        return StoredRun(None, None, record, self.annotations.model_dump_json())

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

    @property
    def annotations(self) -> Annotations:
        """Name, labels and notes."""
        return _annotations(self.document)

    def annotated(self, annotations: Annotations) -> Self:
        """Return this summary with other annotations."""
        return self.model_copy(update={"document": _annotated(self.document, annotations, self.created_by)})


def _annotations(document: object) -> Annotations:
    return document.annotations if isinstance(document, RunDocument) else Annotations()


def _annotated(document: object, annotations: Annotations, submitter: str) -> object:
    if not isinstance(document, RunDocument):
        return document
    given = {"name": annotations.name, "labels": annotations.labels, "notes": annotations.notes}
    return document.model_copy(update={**given, "submitter": submitter})
