"""Port of the database: all stores in one, because they change together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from rlplatform.access.api_keys import KeyStore
from rlplatform.runs.ports import EventLog, RunStore


class OutboxEntry(NamedTuple):
    """Finished run, as the outbox holds it until it is settled; later ones have a greater ``position``."""

    position: int
    tenant: str
    run_id: str
    event_id: str
    type: str


class Document(NamedTuple):
    """Small JSON document. Documents of a ``kind`` are listed by ``owner``, which never changes."""

    kind: str
    id: str
    owner: str
    record: str


class Written(NamedTuple):
    """``events`` appended on a day; ``stored_bytes`` of requests and events of the runs that are kept."""

    events: int
    stored_bytes: int


class UsageStore(Protocol):
    """Usage of tenants, counted with each append: as durable as the events, and never counted twice."""

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        """Return the amounts of a UTC day by counter. Counters at zero may be missing, and days two months ago."""

    async def written(self, tenant: str, day: date) -> Written:
        """Return how much the tenant's runs have written on a UTC day, and how much of all days is stored."""


class OutboxStore(Protocol):
    """Outbox of finished runs. The append of a final event puts its run there, until it is settled."""

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        """Return entries with a greater position than ``after``, oldest first."""

    async def acknowledge(self, position: int) -> None:
        """Delete all entries up to ``position``. Idempotent."""


class DocumentStore(Protocol):
    """Small documents that are not runs: quotas, webhooks, deliveries, files."""

    async def put_document(self, document: Document) -> None:
        """Add or replace a document."""

    async def add_document(self, document: Document) -> Document:
        """Add a document unless there is one of this kind and id; return the one that is there then."""

    async def replace_document(self, document: Document, expected: Document) -> bool:
        """Replace ``expected`` by ``document``: compare-and-set.

        Returns:
            True also if ``document`` is there already; False if neither of the two is there any more.
        """

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        """Return the document of this kind and id; None if there is none."""

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        """Return documents of a kind, greatest id first; ``before``: the last id of the page before."""

    async def delete_document(self, kind: str, document_id: str) -> None:
        """Delete a document. Idempotent."""


class Store(RunStore, EventLog, UsageStore, OutboxStore, DocumentStore, KeyStore, Protocol):
    """All stores on one database: a record, its events, their usage and the outbox change together."""

    async def close(self) -> None:
        """Release it. Idempotent."""
