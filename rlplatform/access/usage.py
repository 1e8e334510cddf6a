"""What a tenant uses, from its runs: what goes on now, and what today's runs have come to.

A day is a UTC day, and a run counts for the day it was created on: a training over midnight, for its first day alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from rlplatform.documents import Usage
from rlplatform.ports import RunStore
from rlplatform.runs import EvaluationRun, Run, TrainingRun

_PAGE = 200


async def measure(store: RunStore, tenant: str, now: datetime) -> Usage:
    """The usage of ``tenant``. Reads every run of today, and every one that is not over."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    usage = Usage(tenant=tenant, since=midnight)
    async for run in _runs(store, "evaluation", tenant, ("queued", "running")):
        usage.queued_evaluations += run.state == "queued"
        usage.running_evaluations += run.state == "running"
    async for run in _runs(store, "training", tenant, ("queued", "starting", "running", "paused", "interrupted")):
        usage.queued_trainings += run.state == "queued"
        usage.active_trainings += run.state != "queued"
    async for run in _runs(store, "evaluation", tenant, since=midnight):
        assert isinstance(run, EvaluationRun)
        usage.evaluations_today += 1
        usage.sandbox_cpu_time_s_today += sum(test.cpu_time_s or 0.0 for test in run.document.tests)
    async for run in _runs(store, "training", tenant, since=midnight):
        assert isinstance(run, TrainingRun)
        usage.trainings_today += 1
        usage.env_steps_today += run.document.progress.env_steps
    return usage


async def _runs(
    store: RunStore, kind: str, tenant: str, states: tuple[str, ...] = (), since: datetime | None = None
) -> AsyncIterator[Run]:
    before = None
    while found := await store.find(kind, tenant=tenant, states=states, before=before, limit=_PAGE):
        for run in found:
            if since is not None and run.document.created_at < since:
                return
            yield run
        before = found[-1].id
