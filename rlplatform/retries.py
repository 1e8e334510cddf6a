"""Retries: back-off with jitter, and calls that outlast an outage."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rlplatform.clock import Clock
from rlplatform.errors import PlatformError

T = TypeVar("T")


def backoff_s(attempt: int, first_s: float, most_s: float, factor: float = 2.0) -> float:
    """Return the seconds to wait after the failed ``attempt`` (from 1): exponential back-off with jitter.

    The longest delay is ``first_s`` after the first attempt, grows by ``factor`` with each attempt, and stays at
    ``most_s`` from there on. It is shortened at random by up to a half, so that clients do not return together.
    """
    longest = min(most_s, first_s * factor ** min(attempt - 1, 64))
    return longest * random.uniform(0.5, 1.0)


class Backoff:
    """Delays of :func:`backoff_s`, one after another."""

    def __init__(self, clock: Clock, first_s: float = 0.05, most_s: float = 2.0) -> None:
        self._clock = clock
        self._first_s = first_s
        self._most_s = most_s
        self._attempt = 0

    async def wait(self) -> None:
        """Let the next delay pass."""
        self._attempt += 1
        await self._clock.sleep(backoff_s(self._attempt, self._first_s, self._most_s))


async def retry(clock: Clock, call: Callable[[], Awaitable[T]], patience_s: float | None = None) -> T:
    """Call ``call`` again after every retryable error, for ``patience_s`` seconds (None: for ever), and return its
    value.

    ``call`` must be idempotent.

    Raises:
        PlatformError: an error that is not retryable, or the last one after ``patience_s``.
    """
    backoff = Backoff(clock)
    deadline = None if patience_s is None else clock.monotonic() + patience_s
    while True:
        try:
            return await call()
        except PlatformError as error:
            if not error.retryable or (deadline is not None and clock.monotonic() >= deadline):
                raise
        await backoff.wait()


async def with_timeout(clock: Clock, seconds: float, work: Awaitable[T]) -> T:
    """Return the result of ``work``, if it comes within ``seconds``.

    Raises:
        TimeoutError: it does not; ``work`` has then been cancelled.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError(f"not within {seconds:g} s")
    finally:
        task.cancel()
        timer.cancel()
