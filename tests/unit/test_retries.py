from __future__ import annotations

import asyncio
import itertools

import pytest

from rlplatform.errors import Fenced, Unavailable
from rlplatform.retries import Backoff, backoff_s, retry, with_timeout
from rlplatform.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Flaky:
    """Fails so often, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls, self._failures, self._error = 0, failures, error

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "answer"


async def test_delays_grow_to_a_limit() -> None:
    clock = FakeClock(auto_advance=True)
    backoff, moments = Backoff(clock, 1.0, 4.0), [0.0]
    for _ in range(6):
        await backoff.wait()
        moments.append(clock.monotonic())
    delays = [after - before for before, after in itertools.pairwise(moments)]
    for delay, most in zip(delays, [1, 2, 4, 4, 4, 4], strict=True):
        assert most / 2 <= delay <= most


def test_delay_of_any_attempt_is_finite_and_at_most_the_limit() -> None:
    assert 2 <= backoff_s(1_000_000, 0.1, 4.0) <= 4
    assert 4.5 <= backoff_s(3, 1.0, 60.0, factor=3.0) <= 9


async def test_it_perseveres_for_as_long_as_it_may() -> None:
    clock = FakeClock(auto_advance=True)
    assert await retry(clock, Flaky(100, Unavailable("away"))) == "answer"
    with pytest.raises(Unavailable):
        await retry(clock, Flaky(100, Unavailable("away")), patience_s=3)


async def test_what_no_retry_can_help_is_raised_at_once() -> None:
    flaky = Flaky(1, Fenced("a newer owner"))
    with pytest.raises(Fenced):
        await retry(FakeClock(), flaky)
    assert flaky.calls == 1


async def test_within_gives_the_answer_the_error_or_up() -> None:
    clock = FakeClock()
    assert await with_timeout(clock, 1, Flaky(0, Unavailable("away"))()) == "answer"
    with pytest.raises(Unavailable):
        await with_timeout(clock, 1, Flaky(1, Unavailable("away"))())
    for_ever = asyncio.ensure_future(asyncio.Event().wait())
    waiting = asyncio.ensure_future(with_timeout(clock, 1, for_ever))
    await clock.advance(1)
    with pytest.raises(TimeoutError, match="not within 1 s"):
        await waiting
    await asyncio.sleep(0)
    assert for_ever.cancelled()
    assert clock.sleeping == 0
