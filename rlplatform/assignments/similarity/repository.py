"""Similarity reports in the store: the kept one of each assignment, and the requests that wait."""

from __future__ import annotations

from rlplatform.assignments.similarity.models import SimilarityReport
from rlplatform.store import Document, DocumentStore

_REPORT, _WAITING = "similarity.report", "similarity.waiting"
_PAGE = 100


class SimilarityRepository:
    """Reads and writes similarity reports. Ids are those of assignments."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    async def request(self, assignment_id: str, tenant: str, report: SimilarityReport) -> SimilarityReport:
        """Store a running report; return it, or the one that is running already."""
        document = Document(_WAITING, assignment_id, tenant, report.model_dump_json())
        return _parsed(await self._store.add_document(document))

    async def waiting(self) -> list[tuple[str, SimilarityReport]]:
        """Return the reports that are running, with the ids of their assignments."""
        found = []
        before = None
        while page := await self._store.list_documents(_WAITING, before=before, limit=_PAGE):
            found += [(document.id, _parsed(document)) for document in page]
            before = page[-1].id
        return found

    async def finish(self, assignment_id: str, tenant: str, report: SimilarityReport) -> None:
        """Keep a report that is ready or has failed, in place of an earlier one. Idempotent."""
        await self._store.put_document(Document(_REPORT, assignment_id, tenant, report.model_dump_json()))
        await self._store.delete_document(_WAITING, assignment_id)

    async def report(self, assignment_id: str) -> SimilarityReport | None:
        """Return the running report, or else the kept one; None if there is none."""
        found = await self._store.get_document(_WAITING, assignment_id)
        found = found or await self._store.get_document(_REPORT, assignment_id)
        return _parsed(found) if found is not None else None


def _parsed(document: Document) -> SimilarityReport:
    return SimilarityReport.model_validate_json(document.record)
