"""Server of the store: the one process that owns the embedded database.

All other processes read and write the store by calling it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rlplatform.store import Store

CALLS = frozenset(
    {
        *(
            "create",
            "find_by_idempotency_key",
            "get",
            "find",
            "summaries",
            "annotations",
            "annotate",
            "remove",
            "acquire",
            "append",
            "read",
            "tail",
            "list_unarchived",
            "trim",
        ),
        *("put_key", "get_key", "list_keys"),
        *("used", "written", "read_outbox", "acknowledge", "close"),
        *("put_document", "add_document", "replace_document", "get_document", "list_documents", "delete_document"),
    }
)


class StoreServer:
    """The ``Store`` port behind one method, so that calls cross an actor boundary unchanged."""

    def __init__(self, open_store: Callable[[], Awaitable[Store]]) -> None:
        """``open_store`` is awaited by the first call; if it raises, the next call tries again."""
        self._open_store = open_store
        self._opening = asyncio.Lock()
        self._store: Store | None = None

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the method ``name`` of the store."""
        if name not in CALLS:
            raise ValueError(f"not a call of the store: {name}")
        if name == "close" and self._store is None:
            return None
        return await getattr(await self._opened(), name)(*args, **kwargs)

    async def _opened(self) -> Store:
        if self._store is None:
            async with self._opening:
                self._store = self._store or await self._open_store()
        return self._store
