"""Common beginning of the contract suites of stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from rlplatform.clock import Clock
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import evaluation_run, queued, training_run
from rlplatform.training.record import TrainingRun


class OpenedStore:
    """Subclasses provide ``open_store(clock)``, an asynchronous context of a store that holds nothing."""

    pytestmark = pytest.mark.anyio

    def open_store(self, clock: Clock) -> AbstractAsyncContextManager[Store]:
        raise NotImplementedError

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    async def store(self, anyio_backend: str, clock: FakeClock) -> AsyncIterator[Store]:
        async with self.open_store(clock) as store:
            yield store

    async def training(self, store: Store, clock: Clock, **fields: object) -> TrainingRun:
        run = training_run(clock).model_copy(update=fields)
        stored, _ = await store.create(run, queued(run, clock))
        assert isinstance(stored, TrainingRun)
        return stored

    async def started(self, store: Store, clock: Clock, tenant: str = "acme") -> EvaluationRun:
        run = evaluation_run(clock, tenant)
        stored, _ = await store.create(run, queued(run, clock))
        assert isinstance(stored, EvaluationRun)
        return stored
