"""Lists: newest first, paged by keyset cursor."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.ids import Kind, check_id
from rlplatform.runs.ports import RunStore
from rlplatform.runs.records import RunSummary


class PageQuery(BaseModel):
    """Query parameters that every list accepts."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200, description="Largest number of documents on a page.")
    cursor: str | None = Field(default=None, description="`next_cursor` of the previous page.")

    def check_cursor(self, kind: Kind) -> None:
        """Check that the cursor is an id of ``kind``, as those of its lists are.

        Raises:
            InvalidRequest: it is not.
        """
        if self.cursor is None:
            return
        try:
            check_id(self.cursor, kind)
        except InvalidRequest:
            raise InvalidRequest("the cursor is not one of this list's", field="cursor") from None


class ListQuery(PageQuery):
    """Query parameters that every list of runs accepts."""

    state: list[str] = Field(default_factory=list, description="States to list; all if left out.")


Listing = Annotated[ListQuery, Query()]


async def list_runs(
    store: RunStore, kind: Kind, query: ListQuery, principal: Principal, states: list[str]
) -> tuple[list[RunSummary], str | None]:
    """Return one page of the runs that the principal may see, and the cursor of the next page.

    Pages may be short for principals that see only their own runs.

    Raises:
        InvalidRequest: an unknown state, or a malformed cursor.
    """
    for state in query.state:
        if state not in states:
            raise UnknownName("state", state[:80], states, field="state")
    query.check_cursor(kind)
    found = await store.summaries(
        kind.name.lower(), tenant=principal.tenant, states=query.state, before=query.cursor, limit=query.limit + 1
    )
    cursor = found[query.limit - 1].id if len(found) > query.limit else None
    return [run for run in found[: query.limit] if principal.can_see(run.tenant, run.created_by)], cursor
