"""Grade links: where the grade of a member on an assignment is sent, and what was sent there."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import AwareDatetime

from rlplatform.assignments.repository import work_id
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

_LINK = "lti.grade"
_PAGE = 200


class GradeLink(StrictModel):
    """Column of a platform's gradebook for one member and one assignment."""

    tenant: str
    registration_id: str
    assignment_id: str
    member_id: str
    user_id: str
    """Id of the person at the platform."""
    resource_link_id: str
    lineitem: str | None
    """Address of the column; None: it is made when the first grade is sent."""
    lineitems: str | None
    """Address where columns are made."""
    sent: str | None = None
    """Grade that the platform accepted last; None: none."""
    failures: int = 0
    """Failed attempts since then."""
    retry_at: AwareDatetime | None = None
    """Time of the next attempt; None: at once."""

    @property
    def id(self) -> str:
        """Id of the link: a member has one for each assignment."""
        return work_id(self.assignment_id, self.member_id)


class GradeLinks:
    """Grade links of all tenants, over a store."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    async def keep(self, link: GradeLink) -> None:
        """Note where grades go. The column that a member came from last holds."""
        found = await self._store.get_document(_LINK, link.id)
        if found is not None:
            before = GradeLink.model_validate_json(found.record)
            same = (before.registration_id, before.user_id, before.resource_link_id)
            if same == (link.registration_id, link.user_id, link.resource_link_id):
                changes = {"lineitem": link.lineitem or before.lineitem, "lineitems": link.lineitems}
                link = before.model_copy(update=changes)
        await self.put(link)

    async def put(self, link: GradeLink) -> None:
        """Add or replace a link."""
        await self._store.put_document(Document(_LINK, link.id, link.assignment_id, link.model_dump_json()))

    async def all(self) -> AsyncIterator[GradeLink]:
        """Yield all links."""
        before = None
        while page := await self._store.list_documents(_LINK, before=before, limit=_PAGE):
            for document in page:
                yield GradeLink.model_validate_json(document.record)
            before = page[-1].id
