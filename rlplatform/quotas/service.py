"""Quotas and usage of tenants. Usage is counted by the store with every event (``storage.ledger.charges``)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from rlplatform.clock import Clock
from rlplatform.errors import QuotaExceeded
from rlplatform.files.ledger import QUOTA, FileLedger
from rlplatform.quotas.models import QuotaState, Usage
from rlplatform.runs.records import RunSummary
from rlplatform.settings import Quotas
from rlplatform.store import Document, Store
from rlplatform.studies.models import StudyState
from rlplatform.training.ports import CheckpointStore

_KIND = "quotas"
_DAILY = {
    "sandbox_cpu_s_per_day": "sandbox_cpu_s",
    "env_steps_per_day": "env_steps",
}
_FRESH_S = 1.0
_MEASURED_S = 10.0
_PAGE = 200
_ACTIVE = ("starting", "running", "interrupted")


class QuotaService:
    """Quotas and usage of all tenants. What is set holds everywhere within a second."""

    def __init__(
        self, store: Store, defaults: Quotas, clock: Clock, checkpoints: CheckpointStore | None = None
    ) -> None:
        """``checkpoints`` None: their bytes are unknown, and not limited here."""
        self._store = store
        self._defaults = defaults
        self._clock = clock
        self._checkpoints = checkpoints
        self._quotas: dict[str, tuple[Quotas, float]] = {}
        self._stored: dict[str, tuple[int, float]] = {}
        self._written: dict[str, tuple[Quotas, float]] = {}

    async def quotas(self, tenant: str) -> Quotas:
        """Return the quotas that hold for ``tenant``."""
        known = self._quotas.get(tenant)
        if known is None or self._clock.monotonic() - known[1] > _FRESH_S:
            overrides = await self.overrides(tenant)
            known = self._quotas[tenant] = (self._defaults.with_overrides(overrides), self._clock.monotonic())
        return known[0]

    async def overrides(self, tenant: str) -> Quotas:
        """Return the quotas set for ``tenant``; fields that were not are unset."""
        found = await self._store.get_document(_KIND, tenant)
        return Quotas.model_validate_json(found.record) if found is not None else Quotas()

    async def override(self, tenant: str, overrides: Quotas) -> Quotas:
        """Set what is given in ``overrides``, and nothing else; what then holds."""
        if overrides.model_fields_set:
            record = overrides.model_dump_json(exclude_unset=True)
            await self._store.put_document(Document(_KIND, tenant, tenant, record))
        else:
            await self._store.delete_document(_KIND, tenant)
        self._quotas.pop(tenant, None)
        return await self.quotas(tenant)

    async def check_evaluations(self, tenant: str) -> Quotas:
        """Return the tenant's quotas, if it may evaluate further today.

        Raises:
            QuotaExceeded: it may not.
        """
        await self._check_written(tenant)
        return await self._check(tenant, "sandbox_cpu_s_per_day")

    async def check_progress(self, tenant: str) -> Quotas:
        """Return the tenant's quotas, if its trainings may continue today.

        Raises:
            QuotaExceeded: they may not.
        """
        await self._check_written(tenant)
        return await self._check(tenant, "env_steps_per_day")

    async def check_trainings(self, tenant: str) -> Quotas:
        """Return the tenant's quotas, if it may begin to train today.

        Raises:
            QuotaExceeded: it may not.
        """
        quotas = await self.check_progress(tenant)
        if quotas.checkpoint_bytes is not None and self._checkpoints is not None:
            used = await self._checkpoint_bytes(tenant)
            self._compare("checkpoint_bytes", used, quotas.checkpoint_bytes)
        return quotas

    async def check_studies(self, tenant: str) -> None:
        """:raises QuotaExceeded: the tenant has as many unfinished studies as it may have."""
        limit = (await self.quotas(tenant)).concurrent_studies
        if limit is not None and (used := await self._studies(tenant)) >= limit:
            raise QuotaExceeded("concurrent_studies", used=used, limit=limit, retry_after_s=60.0)

    async def check_policies(self, tenant: str) -> None:
        """:raises QuotaExceeded: the tenant has published as many policies as it may have."""
        limit = (await self.quotas(tenant)).policies
        if limit is not None and (used := await self._policies(tenant)) >= limit:
            raise QuotaExceeded("policies", used=used, limit=limit, retry_after_s=3600.0)

    async def usage(self, tenant: str) -> Usage:
        """Return the tenant's usage, now and today, and its quotas. Reads every unfinished run.

        CPU time is in tenths of a second, so that the time of a hidden test cannot be found by subtraction.
        """
        quotas = await self.quotas(tenant)
        midnight, tomorrow = self._today()
        used = dict(await self._store.used(tenant, midnight.date()))
        written = await self._store.written(tenant, midnight.date())
        used["sandbox_cpu_s"] = round(used.get("sandbox_cpu_s", 0.0), 1)
        evaluations = Counter([run.state async for run in self._runs(tenant, "evaluation", ("queued", "running"))])
        trainings = Counter(
            [
                "queued" if run.state == "queued" else "active"
                async for run in self._runs(tenant, "training", ("queued", *_ACTIVE))
            ]
        )
        studies = await self._studies(tenant)
        policies = await self._policies(tenant)
        files = (await FileLedger(self._store, self._clock).usage(tenant)).total_bytes
        checkpoints = await self._checkpoint_bytes(tenant) if self._checkpoints is not None else None
        amounts: dict[str, float] = {
            "concurrent_evaluations": evaluations.total(),
            "concurrent_trainings": trainings.total(),
            "concurrent_studies": studies,
            **{quota: used.get(counter, 0.0) for quota, counter in _DAILY.items()},
            "events_per_day": written.events,
            "stored_bytes": written.stored_bytes,
            "policies": policies,
            QUOTA: files,
        }
        if checkpoints is not None:
            amounts["checkpoint_bytes"] = checkpoints
        return Usage(
            tenant=tenant,
            since=midnight,
            queued_evaluations=evaluations["queued"],
            running_evaluations=evaluations["running"],
            queued_trainings=trainings["queued"],
            active_trainings=trainings["active"],
            evaluations_today=int(used.get("evaluations", 0)),
            sandbox_cpu_time_s_today=used["sandbox_cpu_s"],
            trainings_today=int(used.get("trainings", 0)),
            env_steps_today=int(used.get("env_steps", 0)),
            events_today=written.events,
            stored_bytes=written.stored_bytes,
            policies=policies,
            file_bytes=files,
            checkpoint_bytes=checkpoints,
            quotas=[
                QuotaState(
                    quota=quota,
                    used=amount,
                    limit=getattr(quotas, quota),
                    resets_at=tomorrow if quota.endswith("_per_day") else None,
                )
                for quota, amount in amounts.items()
            ],
        )

    def measure(self, tenant: str) -> None:
        """Measure the tenant's checkpoints again the next time: some have gone."""
        self._stored.pop(tenant, None)

    async def _check_written(self, tenant: str) -> None:
        """Check the quotas of events and stored bytes, at most once a second for each tenant: they are large."""
        quotas = await self.quotas(tenant)
        passed = self._written.get(tenant)
        if passed is not None and passed[0] == quotas and self._clock.monotonic() - passed[1] <= _FRESH_S:
            return
        if quotas.events_per_day is not None or quotas.stored_bytes is not None:
            midnight, tomorrow = self._today()
            written = await self._store.written(tenant, midnight.date())
            self._compare("events_per_day", written.events, quotas.events_per_day, tomorrow)
            self._compare("stored_bytes", written.stored_bytes, quotas.stored_bytes)
        self._written[tenant] = (quotas, self._clock.monotonic())

    async def _check(self, tenant: str, quota: str) -> Quotas:
        quotas = await self.quotas(tenant)
        limit = getattr(quotas, quota)
        if limit is None:
            return quotas
        midnight, tomorrow = self._today()
        self._compare(quota, (await self._store.used(tenant, midnight.date())).get(_DAILY[quota], 0.0), limit, tomorrow)
        return quotas

    def _compare(self, quota: str, used: float, limit: float | None, resets_at: datetime | None = None) -> None:
        """Compare with a limit. Raises ``QuotaExceeded`` if nothing is left.

        The error rounds CPU time to tenths of a second, as :meth:`usage` does.
        """
        if limit is None or used < limit:
            return
        left_s = (resets_at - self._clock.now()).total_seconds() if resets_at else 3600.0
        raise QuotaExceeded(
            quota, used=round(used, 1), limit=limit, retry_after_s=max(1.0, left_s), resets_at=resets_at
        )

    async def _checkpoint_bytes(self, tenant: str) -> int:
        """Bytes of all stored checkpoints of the tenant, measured at most every ten seconds."""
        assert self._checkpoints is not None
        known = self._stored.get(tenant)
        if known is None or self._clock.monotonic() - known[1] > _MEASURED_S:
            ids = [run.id async for run in self._runs(tenant, "training", ())]
            size = await asyncio.to_thread(_size, self._checkpoints, ids)
            known = self._stored[tenant] = (size, self._clock.monotonic())
        return known[0]

    async def _studies(self, tenant: str) -> int:
        return sum([1 async for _ in self._runs(tenant, "study", StudyState.unfinished())])

    async def _policies(self, tenant: str) -> int:
        return sum([1 async for _ in self._runs(tenant, "policy", ("published",))])

    def _today(self) -> tuple[datetime, datetime]:
        """This midnight and the next, UTC."""
        midnight = self._clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight, midnight + timedelta(days=1)

    async def _runs(self, tenant: str, kind: str, states: tuple[str, ...]) -> AsyncIterator[RunSummary]:
        before = None
        while found := await self._store.summaries(kind, tenant=tenant, states=states, before=before, limit=_PAGE):
            for run in found:
                yield run
            before = found[-1].id


def _size(checkpoints: CheckpointStore, training_ids: list[str]) -> int:
    return sum(info.size_bytes for training_id in training_ids for info in checkpoints.list(training_id))
