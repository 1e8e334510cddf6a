"""Waiting until tasks that wait for nothing but a store have come to rest, also when the store is a real one."""

from __future__ import annotations

import asyncio

from rlplatform.store import Store

TURNS = 80


class WatchedStore:
    """A store that knows how many of its calls are under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.in_flight = 0

    def __getattr__(self, name: str) -> object:
        inner = getattr(self._store, name)

        async def call(*args: object, **kwargs: object) -> object:
            self.in_flight += 1
            try:
                return await inner(*args, **kwargs)
            finally:
                self.in_flight -= 1

        return call


async def settle(store: object = None) -> None:
    """Let every task that can run do so; with a :class:`WatchedStore`, until that is idle and stays so."""
    while True:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if not getattr(store, "in_flight", 0):
            return
        await asyncio.sleep(0.0005)
