"""Calls for studies, which search hyperparameters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Unpack

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, create, encode, reads, segment
from rlplatform.client.fields import StudyFields, with_fields
from rlplatform.runs.pages import Page
from rlplatform.studies.models import Study, StudyRequest


class StudyCalls(AsyncTransport):
    """Start studies, steer them, and read their trials."""

    async def start_study(
        self,
        request: StudyRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[StudyFields],
    ) -> Study:
        """Start a study.

        Args:
            request: the study; None if its fields are given.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.StudyFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the space or the training makes no sense; nothing was started.
        """
        body = encode(with_fields(request, fields))
        return await self._send(create("/v1/studies", body, reads(Study), idempotency_key))

    async def study(self, study_id: str) -> Study:
        """Return a study, with all its trials.

        Raises:
            NotFound: there is no such study.
        """
        return await self._send(Call("GET", f"/v1/studies/{segment(study_id)}", reads(Study)))

    def studies(self, *, states: Sequence[str] = (), page_size: int = 50) -> AsyncIterator[Study]:
        """Yield all studies, newest first, without their trials; pages are fetched as they are needed."""
        return self._pages("/v1/studies", Page[Study], page_size, {"state": list(states)} if states else {})

    async def pause_study(self, study_id: str) -> Study:
        """Pause a study and its trainings.

        Raises:
            Conflict: it has finished, or is being stopped.
        """
        return await self._send(Call("POST", f"/v1/studies/{segment(study_id)}/pause", reads(Study)))

    async def resume_study(self, study_id: str) -> Study:
        """Continue a paused study.

        Raises:
            Conflict: it has finished, or is being stopped.
        """
        return await self._send(Call("POST", f"/v1/studies/{segment(study_id)}/resume", reads(Study)))

    async def stop_study(self, study_id: str) -> Study:
        """Stop a study and its trainings for good; a finished one is left unchanged."""
        return await self._send(Call("POST", f"/v1/studies/{segment(study_id)}/stop", reads(Study)))
