"""Calls that follow a run of any kind: its events, its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx2

from rlplatform.client.event_cursor import EventCursor
from rlplatform.client.resources.evaluations import EvaluationCalls
from rlplatform.client.resources.trainings import TrainingCalls
from rlplatform.errors import PlatformError
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.ids import Kind, kind_of
from rlplatform.run_kinds import FINAL_TYPES
from rlplatform.runs.events import Event, stream_of
from rlplatform.training.models import Training


class RunCalls(EvaluationCalls, TrainingCalls):
    """Follow runs to their end."""

    async def evaluate(
        self, request: EvaluationRequest | Mapping[str, Any], *, timeout_s: float | None = None
    ) -> Evaluation:
        """Submit an evaluation, wait for its end, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        submitted = await self.submit_evaluation(request, wait_s=20.0 if timeout_s is None else 0.0)
        if submitted.finished_at is not None:
            return submitted
        done = await self.wait(submitted.id, timeout_s=timeout_s)
        assert isinstance(done, Evaluation)
        return done

    async def events(
        self, run_id: str, *, after: int = 0, types: Sequence[str] = (), timeout_s: float | None = None
    ) -> AsyncIterator[Event]:
        """Yield the events of a run after number ``after``, live, to its final one.

        Reconnects by itself and misses none.

        Args:
            types: only events of these types.

        Raises:
            InvalidRequest: ``run_id`` is not the id of a run.
            TimeoutError: the run has not finished after ``timeout_s``; it continues.
            Unavailable: the server has not answered for two minutes.
        """
        path = f"/v1/{stream_of(run_id)}/events"
        cursor = EventCursor(after, types, timeout_s)
        while not cursor.done:
            try:
                async with aclosing(self._stream(path, cursor)) as events:
                    async for event in events:
                        yield event
            except httpx2.ReadTimeout:
                continue
            except httpx2.TransportError as error:
                await self._sleep(cursor.pause_s(self._unreachable(error)))
            except PlatformError as error:
                await self._sleep(cursor.pause_s(error))

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> Evaluation | Training:
        """Wait for the end of a run, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        async for _ in self.events(run_id, types=tuple(FINAL_TYPES), timeout_s=timeout_s):
            pass
        return await self.evaluation(run_id) if kind_of(run_id) is Kind.EVALUATION else await self.training(run_id)
