"""Trainers that live but do not get on: noticed by their log, whatever it is that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rlplatform.clock import Clock
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.training.record import TrainingRun

SLOW_ITERATIONS = 20
MOST_CHECK_S = 15.0
BEGINNING_S = 60.0


class StallDetector:
    """Tells when a training has appended nothing for ``timeout_s``, or for 20 of its mean iterations if that is longer.

    One that begins has at least a minute for its imports, environments and actors. While the store is away nobody
    makes progress, and that is no stall. ``timeout_s`` None: never.
    """

    def __init__(self, get: Callable[[str], Awaitable[TrainingRun]], clock: Clock, timeout_s: float | None) -> None:
        self._get = get
        self._clock = clock
        self._timeout_s = timeout_s

    async def over(self, run_id: str, end: Awaitable[None]) -> None:
        """Wait for ``end``, the end of the run's trainer.

        :raises Unavailable: it stalled first.
        """
        if self._timeout_s is None:
            return await end
        ended = asyncio.ensure_future(end)
        stalled = asyncio.ensure_future(self._stalled(run_id, self._timeout_s))
        try:
            await asyncio.wait((ended, stalled), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            raise Unavailable(stalled.result())
        finally:
            ended.cancel()
            stalled.cancel()

    async def _stalled(self, run_id: str, timeout_s: float) -> str:
        """Return, with what is to be said of it, when the run has stalled."""
        seen, since = -1, self._clock.monotonic()
        while True:
            await self._clock.sleep(min(MOST_CHECK_S, timeout_s / 4))
            now = self._clock.monotonic()
            try:
                run = await self._get(run_id)
            except PlatformError:
                since = now
                continue
            if run.seq != seen:
                seen, since = run.seq, now
            least_s = 0.0 if run.state == "running" else BEGINNING_S
            patience_s = max(timeout_s, SLOW_ITERATIONS * _iteration_s(run), least_s)
            if now - since >= patience_s:
                return (
                    f"the trainer lives but made no progress for {now - since:.0f} s "
                    f"(RLP_TRAINING__STALL_TIMEOUT_S is {timeout_s:g})"
                )


def _iteration_s(run: TrainingRun) -> float:
    """How long an iteration takes on average; 0 before the first has ended."""
    progress = run.document.progress
    return progress.train_wall_s / progress.iteration if progress.iteration else 0.0
