"""Calls for evaluations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, create, encode, reads, segment
from rlplatform.client.fields import EvaluationFields, with_fields
from rlplatform.client.filters import RunFilters, params_of
from rlplatform.errors import PlatformError, error_from
from rlplatform.evaluation.models import BatchResult, Evaluation, EvaluationRequest
from rlplatform.evaluation.submission_models import Submission
from rlplatform.runs.pages import Page


class EvaluationCalls(AsyncTransport):
    """Submit evaluations, read and cancel them."""

    async def submit_evaluation(
        self,
        request: EvaluationRequest | Mapping[str, Any] | None = None,
        *,
        wait_s: float = 0.0,
        idempotency_key: str | None = None,
        **fields: Unpack[EvaluationFields],
    ) -> Evaluation:
        """Queue an evaluation; return its result if it finishes within ``wait_s``.

        Args:
            request: the evaluation; None if its fields are given.
            wait_s: seconds to wait for the result, at most 60.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.EvaluationFields`; they replace those of ``request``.
        """
        params = {"wait": wait_s} if wait_s else {}
        read, body = reads(Evaluation), encode(with_fields(request, fields))
        return await self._send(create("/v1/evaluations", body, read, idempotency_key, params=params, wait_s=wait_s))

    async def submit_evaluations(
        self, requests: Sequence[EvaluationRequest | Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Evaluation | PlatformError]:
        """Queue up to 200 evaluations at once.

        Returns:
            For each request, in order, the queued evaluation or why it was refused.
        """
        body = b'{"evaluations":[' + b",".join(encode(request) for request in requests) + b"]}"
        batch = await self._send(create("/v1/evaluations:batch", body, reads(BatchResult), idempotency_key))
        return [row.evaluation if row.evaluation is not None else error_from(row.error or {}) for row in batch.results]

    async def evaluation(self, evaluation_id: str) -> Evaluation:
        """Return an evaluation.

        Raises:
            NotFound: there is no such evaluation.
        """
        return await self._send(Call("GET", f"/v1/evaluations/{segment(evaluation_id)}", reads(Evaluation)))

    async def submission(self, evaluation_id: str) -> Submission:
        """Return the program and the visible tests of an evaluation.

        Raises:
            NotFound: there is no such evaluation.
        """
        return await self._send(Call("GET", f"/v1/evaluations/{segment(evaluation_id)}/submission", reads(Submission)))

    async def download_submission(
        self, evaluation_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save the program of an evaluation and its further files as ``target``, a ZIP archive without uploaded data.

        Args:
            progress: called with the bytes received and the bytes in all.

        Raises:
            NotFound: there is no such evaluation, or an uploaded file of the program has been deleted.
        """
        return await self._download(f"/v1/evaluations/{segment(evaluation_id)}/submission/archive", target, progress)

    def evaluations(self, *, page_size: int = 50, **filters: Unpack[RunFilters]) -> AsyncIterator[Evaluation]:
        """Yield evaluations, newest first unless ``sort`` is given, without their tests.

        Pages are fetched as they are needed.

        Args:
            filters: see :class:`~rlplatform.client.filters.RunFilters`.
        """
        return self._pages("/v1/evaluations", Page[Evaluation], page_size, params_of(filters))

    async def cancel_evaluation(self, evaluation_id: str) -> Evaluation:
        """Cancel an evaluation; a finished one is left unchanged."""
        return await self._send(Call("DELETE", f"/v1/evaluations/{segment(evaluation_id)}", reads(Evaluation)))
