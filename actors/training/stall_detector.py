"""Detection of trainers that are alive but make no progress, by their event log, whatever the cause."""

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
    """Detects that a training has appended nothing for ``timeout_s`` seconds, or for 20 of its mean iterations if
    longer.

    A training that starts has at least a minute for its imports, environments and actors. Time during which the store
    is unavailable does not count. With ``timeout_s`` None, nothing is detected.
    """

    def __init__(self, get: Callable[[str], Awaitable[TrainingRun]], clock: Clock, timeout_s: float | None) -> None:
        self._get = get
        self._clock = clock
        self._timeout_s = timeout_s

    async def wait(self, run_id: str, end: Awaitable[None]) -> None:
        """Wait for ``end``, the end of the run's trainer.

        Raises:
            Unavailable: the training stalled first.
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
        """Wait until the run has stalled; return the message that describes it."""
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
    """Return the mean duration of an iteration in seconds; 0 before the first has ended."""
    progress = run.document.progress
    return progress.train_wall_s / progress.iteration if progress.iteration else 0.0
