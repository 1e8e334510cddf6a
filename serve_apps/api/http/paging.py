"""Lists: newest first, paged by keyset cursor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from rlplatform import patterns
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.ids import Kind, check_id, least_id
from rlplatform.runs.annotations import LabelKey
from rlplatform.runs.index import SORT_KEYS, RunQuery, SortKey
from rlplatform.runs.ports import RunStore
from rlplatform.runs.records import RunSummary

_LABEL_KEY = TypeAdapter(LabelKey)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


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


if TYPE_CHECKING:
    _Order = str
else:
    _Order = Literal[tuple(f"{sign}{key}" for key in SORT_KEYS for sign in ("-", ""))]


def _rfc3339(text: object) -> object:
    if isinstance(text, str) and not _DATE_TIME.match(text):
        raise ValueError("is not a time of RFC 3339, for example 2026-01-31T12:00:00Z")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]


class StateQuery(PageQuery):
    """Query parameters that every list of things with a state accepts."""

    state: list[str] = Field(default_factory=list, description="States to list; all if left out.")


class RunFilterQuery(BaseModel):
    """Query parameters that choose evaluations or trainings."""

    model_config = ConfigDict(extra="forbid")

    state: list[str] = Field(default_factory=list, description="States of the runs; all if left out.")
    label: list[str] = Field(
        default_factory=list,
        max_length=32,
        description="Labels that the runs have, each as `key=value`, or `key` for any value.",
    )
    env: str | None = Field(default=None, max_length=128, description="Environment of the runs.")
    submitter: str | None = Field(
        default=None, max_length=256, description="Principal that submitted the runs; `me`: the caller."
    )
    created_after: Moment | None = Field(default=None, description="Earliest time of the request, with its time zone.")
    created_before: Moment | None = Field(
        default=None, description="Time before which the runs were requested, with its time zone."
    )
    search: str | None = Field(
        default=None,
        max_length=200,
        description="Words that all appear in the id, name, labels, notes or environment of a run.",
    )


class RunListQuery(RunFilterQuery, PageQuery):
    """Query parameters of the lists of evaluations and trainings."""

    sort: _Order = Field(
        default="-created_at",
        description="Value to sort by, `-` for the greatest first. `score` is the score of an evaluation, or the mean "
        "return of a training's policy; runs without the value come last.",
    )


Listing = Annotated[StateQuery, Query()]
RunListing = Annotated[RunListQuery, Query()]


async def list_runs(
    store: RunStore, kind: Kind, query: StateQuery | RunListQuery, principal: Principal, states: list[str]
) -> tuple[list[RunSummary], str | None]:
    """Return one page of the runs that the principal may see, and the cursor of the next page.

    Raises:
        InvalidRequest: an unknown state, a malformed label or cursor.
    """
    for state in query.state:
        if state not in states:
            raise UnknownName("state", state[:80], states, field="state")
    query.check_cursor(kind)
    filters = _filters(query, kind, principal) if isinstance(query, RunListQuery) else RunQuery()
    if not principal.has(Scope.READ):
        if filters.get("submitter") not in (None, principal.id):
            return [], None
        filters["submitter"] = principal.id
    filters |= {"tenant": principal.tenant, "states": query.state, "after": query.cursor, "limit": query.limit + 1}
    found = await store.summaries(kind.name.lower(), **filters)
    cursor = found[query.limit - 1].id if len(found) > query.limit else None
    return found[: query.limit], cursor


def _filters(query: RunListQuery, kind: Kind, principal: Principal) -> RunQuery:
    key: SortKey = query.sort.removeprefix("-")  # type: ignore[assignment]
    return {
        "submitter": principal.id if query.submitter == "me" else query.submitter,
        "env": query.env,
        "labels": dict(map(_label, query.label)),
        "since": least_id(kind, query.created_after) if query.created_after is not None else None,
        "before": least_id(kind, query.created_before) if query.created_before is not None else None,
        "text": query.search,
        "sort": key,
        "descending": query.sort.startswith("-"),
    }


def _label(text: str) -> tuple[str, str | None]:
    key, given, value = text.partition("=")
    try:
        _LABEL_KEY.validate_python(key)
    except ValidationError:
        accepted = f"key=value or key, with keys of {patterns.ACCEPTED[patterns.LABEL_KEY]}"
        raise InvalidRequest(f"label: {text[:80]!r} is not a label; accepted is {accepted}", field="label") from None
    return key, value if given else None
