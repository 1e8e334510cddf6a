"""What handles do without a cluster."""

from __future__ import annotations

import asyncio
import threading

import pytest

from actors.handles import to_its_end

pytestmark = pytest.mark.anyio


async def test_what_a_thread_makes_is_there_when_its_cancellation_is_over() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def make() -> None:
        begun.set()
        go_on.wait(5)
        made.append("an actor")

    making = asyncio.create_task(to_its_end(make))
    await asyncio.to_thread(begun.wait, 5)
    making.cancel()
    await asyncio.sleep(0.01)
    assert not making.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert made == ["an actor"]


async def test_what_it_returns_and_raises_is_passed_on() -> None:
    assert await to_its_end(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await to_its_end(int, "seven")
