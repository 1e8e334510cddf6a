"""Calls for trainings, and their checkpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Unpack

import httpx2

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, create, encode, nothing, reads, segment, with_json
from rlplatform.client.fields import TrainingFields, with_fields
from rlplatform.client.filters import RunFilters, params_of
from rlplatform.runs.pages import Page
from rlplatform.training.metric_series import MetricSeries
from rlplatform.training.models import CheckpointInfo, CheckpointList, Training, TrainingCheck, TrainingRequest
from rlplatform.training.variations import clone, continuation


class TrainingCalls(AsyncTransport):
    """Start trainings, steer them, and read what they produce."""

    async def start_training(
        self,
        request: TrainingRequest | Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[TrainingFields],
    ) -> Training:
        """Queue a training, for example ``client.start_training(env="CartPole-v1", seed=1)``.

        Args:
            request: the training; None if its fields are given.
            idempotency_key: name of this request: sent again, it starts nothing; made up if left out.
            fields: see :class:`~rlplatform.client.fields.TrainingFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
            TooManyRequests: a quota is used up, or the queue is full.
        """
        body = encode(with_fields(request, fields))
        return await self._send(create("/v1/trainings", body, reads(Training), idempotency_key))

    async def continue_training(
        self, training_id: str, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Training:
        """Queue a training that continues another one from its newest checkpoint, as that was trained.

        Args:
            training_id: training to continue; it is left unchanged.
            changes: values by name, as :func:`rlplatform.training.variations.clone` takes them, for example
                ``{"stop.more_env_steps": 100_000}``. Without a stop criterion the same number of steps is done again.

        Raises:
            InvalidRequest: there is no checkpoint, or the changes make no sense.
        """
        request = continuation(await self.training(training_id), changes)
        return await self.start_training(request, idempotency_key=idempotency_key)

    async def clone_training(
        self, training_id: str, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Training:
        """Queue a training with the settings of another one, from its beginning.

        Args:
            training_id: training to repeat; it is left unchanged.
            changes: values by name, as :func:`rlplatform.training.variations.clone` takes them, for example
                ``{"learning_rate": 1e-4, "seed": 1}``.

        Raises:
            InvalidRequest: the changes make no sense.
        """
        request = clone(await self.training(training_id), changes)
        return await self.start_training(request, idempotency_key=idempotency_key)

    async def check_training(
        self, request: TrainingRequest | Mapping[str, Any] | None = None, **fields: Unpack[TrainingFields]
    ) -> TrainingCheck:
        """Check a training as starting it would, and start nothing; return what it would train with.

        Args:
            request: the training; None if its fields are given.
            fields: see :class:`~rlplatform.client.fields.TrainingFields`; they replace those of ``request``.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """
        return await self._send(with_json("POST", "/v1/trainings:check", with_fields(request, fields), TrainingCheck))

    async def training(self, training_id: str) -> Training:
        """Return a training.

        Raises:
            NotFound: there is no such training.
        """
        return await self._send(Call("GET", f"/v1/trainings/{segment(training_id)}", reads(Training)))

    def trainings(self, *, page_size: int = 50, **filters: Unpack[RunFilters]) -> AsyncIterator[Training]:
        """Yield trainings, newest first unless ``sort`` is given; pages are fetched as they are needed.

        Args:
            filters: see :class:`~rlplatform.client.filters.RunFilters`.
        """
        return self._pages("/v1/trainings", Page[Training], page_size, params_of(filters))

    async def pause_training(self, training_id: str) -> Training:
        """Pause a training: save a checkpoint and free its resources.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return await self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/pause", reads(Training)))

    async def resume_training(self, training_id: str) -> Training:
        """Continue a paused training from its checkpoint, as soon as there is room.

        Raises:
            Conflict: it has finished, or has not begun.
        """
        return await self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/resume", reads(Training)))

    async def stop_training(self, training_id: str) -> Training:
        """Stop a training for good, after a last checkpoint; a finished one is left unchanged."""
        return await self._send(Call("POST", f"/v1/trainings/{segment(training_id)}/stop", reads(Training)))

    async def metrics(self, training_id: str, *names: str, max_points: int = 500) -> MetricSeries:
        """Return the time series of the metrics ``names``; of all of them without names."""
        params = {"max_points": max_points} | ({"names": ",".join(names)} if names else {})
        return await self._send(
            Call("GET", f"/v1/trainings/{segment(training_id)}/metrics", reads(MetricSeries), params)
        )

    async def checkpoints(self, training_id: str) -> list[CheckpointInfo]:
        """Return the committed checkpoints, oldest first."""
        path = f"/v1/trainings/{segment(training_id)}/checkpoints"
        return (await self._send(Call("GET", path, reads(CheckpointList)))).items

    async def download_checkpoint(
        self, checkpoint_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save a checkpoint as the tar archive ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return await self._download(f"/v1/checkpoints/{segment(checkpoint_id)}/download", target, progress)

    async def download_run(
        self, training_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save the run folder of a training as the tar archive ``target``: events, manifest, tables, checkpoints.

        A call that was interrupted leaves ``TARGET.SHA256.part``; the next one continues it.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return await self._download_resumably(f"/v1/trainings/{segment(training_id)}/files", target, progress)

    async def export_metrics(
        self,
        target: Path,
        *training_ids: str,
        form: Literal["csv", "parquet"] = "csv",
        progress: Callable[[int, int], None] | None = None,
        **filters: Unpack[RunFilters],
    ) -> Path:
        """Save the metrics of trainings as one table, a row for each iteration. ``target`` appears once it is complete.

        Args:
            training_ids: trainings; without any, those that ``filters`` find.
            form: ``csv`` or ``parquet``.
            progress: called with the bytes received and the bytes in all.
            filters: see :class:`~rlplatform.client.filters.RunFilters`; ``sort`` is not accepted.

        Raises:
            InvalidRequest: neither trainings nor filters are given, or both, or more than 1,000 are found.
            NotFound: there is no such training.
        """
        chosen: dict[str, Any] = {"run": ",".join(training_ids)} if training_ids else {}
        params = httpx2.QueryParams({**params_of(filters), **chosen, "format": form})
        return await self._download(f"/v1/trainings:export?{params}", target, progress)

    async def delete_checkpoint(self, checkpoint_id: str) -> None:
        """Delete a checkpoint for good, for example to get below the storage quota.

        Raises:
            Conflict: an unfinished training would be recovered from it.
        """
        await self._send(Call("DELETE", f"/v1/checkpoints/{segment(checkpoint_id)}", nothing))
