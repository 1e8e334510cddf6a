from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rlplatform.clock import SystemClock
from rlplatform.testing.clock import FakeClock

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


async def test_the_system_clock_is_in_utc_and_goes_on() -> None:
    clock = SystemClock()
    before, began = clock.now(), clock.monotonic()
    await clock.sleep(0.01)
    assert before.tzinfo is UTC
    assert clock.now() > before
    assert clock.monotonic() - began >= 0.009


async def test_the_fake_clock_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock(datetime(2026, 5, 1, tzinfo=UTC))
    log: list[tuple[str, float]] = []

    async def sleep(name: str, *seconds: float) -> None:
        for span in seconds:
            await clock.sleep(span)
            log.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleep("a", 1, 1, 5)), asyncio.create_task(sleep("b", 1.5))]
    await asyncio.sleep(0)
    assert clock.sleeping == 2
    await clock.advance(2.5)
    assert log == [("a", 1), ("b", 1.5), ("a", 2)]
    assert clock.now() == datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=2.5)
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert log[-1] == ("a", 7)
    assert clock.sleeping == 0


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await clock.advance(2)
    assert task.cancelled()
    assert clock.sleeping == 0


async def test_auto_advance() -> None:
    clock = FakeClock(auto_advance=True)
    await clock.sleep(90)
    assert clock.monotonic() == 90
