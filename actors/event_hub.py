"""The event hub: the one process that owns the embedded store. Everyone else reads and writes it by calling in."""

from __future__ import annotations

from typing import Any

from rlplatform.ports import Store

CALLS = frozenset(
    {"create", "get", "find", "acquire", "append", "read", "tail", "put_key", "get_key", "list_keys", "close"}
)


class EventHub:
    """The ``Store`` port behind one method, so that it crosses an actor boundary as it is."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``name`` of the store."""
        if name not in CALLS:
            raise ValueError(f"not a call of the store: {name}")
        return await getattr(self._store, name)(*args, **kwargs)
