"""Filters of lists of runs, as the client takes and sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from rlplatform.errors import InvalidRequest


class RunFilters(TypedDict, total=False):
    """Filters and order of a list of runs.

    Keys: ``states``: in one of them; ``labels``: with all of them, None for any value; ``env``: environment;
    ``submitter``: principal, or ``me``; ``created_after`` and ``created_before``: times with a time zone; ``search``:
    words that all appear in id, name, labels, notes or environment; ``sort``: ``created_at``, ``finished_at``,
    ``name``, ``env``, ``state``, ``score`` or ``env_steps``, with ``-`` in front for the greatest first.
    """

    states: Sequence[str]
    labels: Mapping[str, str | None]
    env: str | None
    submitter: str | None
    created_after: datetime | None
    created_before: datetime | None
    search: str | None
    sort: str | None


def params_of(filters: RunFilters) -> dict[str, Any]:
    """Return the query parameters of a list.

    Raises:
        InvalidRequest: a time has no time zone.
    """
    found: dict[str, Any] = {}
    if states := filters.get("states"):
        found["state"] = list(states)
    if labels := filters.get("labels"):
        found["label"] = [key if value is None else f"{key}={value}" for key, value in labels.items()]
    for name in ("env", "submitter", "search", "sort"):
        if (given := filters.get(name)) is not None:
            found[name] = given
    for name in ("created_after", "created_before"):
        moment = filters.get(name)
        if isinstance(moment, datetime):
            if moment.tzinfo is None:
                raise InvalidRequest(f"{name} must have a time zone; got {moment.isoformat()}", field=name)
            found[name] = moment.isoformat()
    return found
