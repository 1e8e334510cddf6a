"""Page of a list."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

from rlplatform.json_models import StrictModel

T = TypeVar("T", bound=BaseModel)


class Page(StrictModel, Generic[T]):
    """One page of a list, newest first."""

    items: list[T]
    """The documents of this page."""
    next_cursor: str | None = None
    """Value for `?cursor=` of the next page; null on the last page."""
