"""Waiters for streams, within one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rlplatform.clock import Clock
from rlplatform.runs.ports import EncodedEvent

ReadMany = Callable[[Mapping[str, int]], Awaitable[dict[str, Sequence[EncodedEvent]]]]


class Watch:
    """One waiter; ``news`` are the streams that were appended to since :meth:`drain`."""

    def __init__(self) -> None:
        self._news: set[str] = set()
        self._signal = asyncio.Event()

    def notify(self, stream: str) -> None:
        self._news.add(stream)
        self._signal.set()

    def drain(self) -> set[str]:
        news, self._news = self._news, set()
        self._signal.clear()
        return news

    async def wait(self, clock: Clock, seconds: float) -> None:
        """Return when a stream has news, or after ``seconds``."""
        if self._signal.is_set():
            return
        tasks = [asyncio.ensure_future(self._signal.wait()), asyncio.ensure_future(clock.sleep(seconds))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


class StreamNotifier:
    """Watches of all streams. A watch set up before a read misses nothing that is appended after it."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}

    @contextmanager
    def watch(self, streams: Iterable[str]) -> Iterator[Watch]:
        watch = Watch()
        streams = tuple(streams)
        for stream in streams:
            self._watches.setdefault(stream, set()).add(watch)
        try:
            yield watch
        finally:
            for stream in streams:
                watches = self._watches[stream]
                watches.discard(watch)
                if not watches:
                    del self._watches[stream]

    def notify(self, stream: str) -> None:
        for watch in self._watches.get(stream, ()):
            watch.notify(stream)

    async def tail(
        self, clock: Clock, cursors: Mapping[str, int], wait_s: float, read_many: ReadMany
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        """Return the events of ``read_many`` as soon as there are any; none after ``wait_s`` seconds."""
        deadline = clock.monotonic() + wait_s
        with self.watch(cursors) as watch:
            found = await read_many(cursors)
            while not found and (left := deadline - clock.monotonic()) > 0:
                await watch.wait(clock, left)
                if news := watch.drain():
                    found = await read_many({stream: cursors[stream] for stream in news})
        return found
