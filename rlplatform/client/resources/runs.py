"""Calls that follow a run of any kind: its events, its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx2

from rlplatform.client.call import UNCHANGED, Call, Unchanged, nothing, segment, with_json
from rlplatform.client.event_cursor import EventCursor
from rlplatform.client.resources.evaluations import EvaluationCalls
from rlplatform.client.resources.studies import StudyCalls
from rlplatform.client.resources.trainings import TrainingCalls
from rlplatform.errors import PlatformError
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.ids import Kind, kind_of
from rlplatform.run_kinds import FINAL_TYPES
from rlplatform.runs.events import Event, stream_of
from rlplatform.studies.models import Study
from rlplatform.training.models import Training


class RunCalls(EvaluationCalls, TrainingCalls, StudyCalls):
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

    async def update_run(
        self,
        run_id: str,
        *,
        name: str | Unchanged | None = UNCHANGED,
        labels: Mapping[str, str | None] | None = None,
        notes: str | Unchanged | None = UNCHANGED,
    ) -> Evaluation | Training:
        """Change the annotations of a run, finished or not; return the run.

        Args:
            run_id: id of an evaluation or a training.
            name: new name; None for none.
            labels: labels to set; a label with the value None is removed, and the others stay.
            notes: new notes; None for none.
        """
        given = {"name": name, "labels": labels or {}, "notes": notes}
        body = {field: value for field, value in given.items() if value is not UNCHANGED}
        model: type[Evaluation | Training] = Evaluation if kind_of(run_id) is Kind.EVALUATION else Training
        return await self._send(with_json("PATCH", f"/v1/runs/{segment(run_id)}", body, model))

    async def delete_run(self, run_id: str) -> None:
        """Delete a finished evaluation or training for good, with its events, checkpoints and files.

        Raises:
            Conflict: the run has not finished, or an unfinished training starts from one of its checkpoints.
            NotAllowed: it is somebody else's run, and the key lacks the scope ``admin``.
        """
        await self._send(Call("DELETE", f"/v1/runs/{segment(run_id)}", nothing))

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

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> Evaluation | Training | Study:
        """Wait for the end of a run, and return it.

        Raises:
            TimeoutError: it has not finished after ``timeout_s``; it continues.
        """
        async for _ in self.events(run_id, types=tuple(FINAL_TYPES), timeout_s=timeout_s):
            pass
        match kind_of(run_id):
            case Kind.EVALUATION:
                return await self.evaluation(run_id)
            case Kind.STUDY:
                return await self.study(run_id)
            case _:
                return await self.training(run_id)
