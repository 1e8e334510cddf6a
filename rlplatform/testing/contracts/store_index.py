"""Contract suite of the index of runs: annotations, filters, orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.ids import Kind, least_id
from rlplatform.runs.annotations import MAX_LABELS, Annotations, RunPatch
from rlplatform.runs.index import SORT_KEYS, IndexEntry, RunFilter
from rlplatform.runs.records import Run
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.opened_store import OpenedStore
from rlplatform.testing.samples import evaluation_run, finished, iteration, queued, training_run
from rlplatform.training.events import TrainingStarting, TrainingSucceeded
from rlplatform.training.record import TrainingRun

QUERIES: Sequence[dict[str, Any]] = (
    {},
    {"tenant": "a"},
    {"submitter": "key_1"},
    {"tenant": "b", "submitter": "key_2", "env": "Pendulum-v1"},
    {"env": "CartPole-v1"},
    {"labels": {"course": "rl101"}},
    {"tenant": "a", "labels": {"course": None, "group": "é ü/=:*"}},
    {"labels": {"course": "nothing"}},
    {"text": "base LINE"},
    {"tenant": "a", "text": "group=é"},
    {"text": "100%_"},
    {"text": "note"},
    {"states": ["queued"], "labels": {"course": "rl101"}},
    {"states": ["queued", "succeeded", "queued"], "tenant": "a", "env": "CartPole-v1"},
    {"states": ["failed"]},
)


class IndexContract(OpenedStore):
    """Compares every store with the filter in plain Python."""

    async def test_annotations_change_at_any_time_and_appends_leave_them(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        patch = RunPatch(name="Baseline", labels={"course": "rl101", "week": "3"}, notes="a\nb")
        assert await store.annotate(run.id, patch) == patch.applied_to(Annotations())
        await store.append(run.stream, [finished(run, clock)])
        assert await store.annotate(run.id, RunPatch(name=None, labels={"week": None})) == Annotations(
            labels={"course": "rl101"}, notes="a\nb"
        )
        found = await store.find("evaluation")
        (summary,) = await store.summaries("evaluation")
        for document in ((await store.get(run.id)).document, found[0].document, summary.document):
            assert document.annotations == await store.annotations(run.id)
            assert document.submitter == "key_1"
        assert (await store.get(run.id)).state == "finished"
        for unknown in (store.annotations("eval_x"), store.annotate("eval_x", patch)):
            with pytest.raises(NotFound):
                await unknown

    async def test_a_run_has_a_limited_number_of_labels(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        await store.annotate(run.id, RunPatch(labels={f"a{i}": "" for i in range(MAX_LABELS)}))
        with pytest.raises(InvalidRequest, match="labels: the run would have 33"):
            await store.annotate(run.id, RunPatch(labels={"one": "more"}))
        await store.annotate(run.id, RunPatch(labels={"one": "more", "a0": None}))
        assert len(await store.summaries("evaluation", labels={"one": "more"})) == 1
        assert await store.summaries("evaluation", labels={"a0": None}) == []

    async def test_two_who_label_a_run_at_once_both_succeed(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        await asyncio.gather(*(store.annotate(run.id, RunPatch(labels={f"k{i}": str(i)})) for i in range(8)))
        assert (await store.annotations(run.id)).labels == {f"k{i}": str(i) for i in range(8)}
        for i in range(8):
            assert [found.id for found in await store.summaries("evaluation", labels={f"k{i}": str(i)})] == [run.id]

    async def test_lists_are_filtered_sorted_and_paged_as_the_filter_says(self, store: Store, clock: FakeClock) -> None:
        entries = await self._many(store, clock)
        newest = max(entries)
        by_id = [entries[run_id] for run_id in sorted(entries)]
        times = [{"before": newest}, {"since": newest}, {"since": least_id(Kind.TRAINING, clock.now())}]
        for query in (*QUERIES, *times):
            for sort in SORT_KEYS:
                for descending in (True, False):
                    given = {**query, "sort": sort, "descending": descending}
                    expected = RunFilter(kind="training", **given, limit=1000).page(by_id)
                    found = await store.summaries("training", **given, limit=1000)
                    assert [summary.id for summary in found] == expected, given
        assert await store.find("evaluation", labels={"course": "rl101"}) == []

    @pytest.mark.parametrize("sort", SORT_KEYS)
    @pytest.mark.parametrize("descending", [True, False])
    async def test_pages_of_a_sorted_list_hold_every_run_once(
        self, store: Store, clock: FakeClock, *, sort: Any, descending: bool
    ) -> None:
        await self._many(store, clock)
        order: dict[str, Any] = {"tenant": "a", "sort": sort, "descending": descending}
        whole = [summary.id for summary in await store.summaries("training", **order, limit=1000)]
        assert len(whole) == 9
        pages: list[str] = []
        after: str | None = None
        while page := await store.find("training", **order, limit=2, after=after):
            pages += [run.id for run in page]
            after = pages[-1]
        assert pages == whole
        if sort != "created_at":
            with pytest.raises(InvalidRequest, match="has been deleted"):
                await store.find("training", **order, after="train_00000000000000000000000000")

    async def test_a_removed_run_is_found_no_more(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        await store.annotate(run.id, RunPatch(name="gone", labels={"course": "rl101"}))
        await store.append(run.stream, [finished(run, clock)])
        await store.remove(run.id)
        for query in QUERIES:
            assert await store.summaries("evaluation", **query) == []
        with pytest.raises(NotFound):
            await store.annotations(run.id)

    async def test_a_list_does_not_sort_by_telemetry(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.training(store, clock) for _ in range(3)]
        await store.append(runs[0].stream, [iteration(runs[0], clock, 9)])
        starting = TrainingStarting(stream=runs[1].stream, time=clock.now(), epoch=1)
        await store.append(runs[1].stream, [starting, iteration(runs[1], clock, 3)])
        found = await store.summaries("training", sort="score")
        assert [summary.id for summary in found] == [runs[1].id, runs[2].id, runs[0].id]

    async def _many(self, store: Store, clock: FakeClock) -> dict[str, IndexEntry]:
        """Return the index entries of 18 trainings of two tenants that differ in everything."""
        entries: dict[str, IndexEntry] = {}
        for number in range(18):
            run: Run = self._training(clock, number)
            await store.create(run, queued(run, clock))
            if number % 3 == 0:
                await store.append(run.stream, [iteration(run, clock, number % 7 + 1)])
            if number % 6 == 0:
                await clock.advance(1)
                progress = (await store.get(run.id)).document.progress
                ended = {"stop_reason": "env_steps", "progress": progress}
                await store.append(run.stream, [TrainingSucceeded(stream=run.stream, time=clock.now(), **ended)])
            if number % 4 == 0:
                labels = {"course": "rl101" if number % 8 else "rl102", "group": "é ü/=:*"}
                await store.annotate(run.id, RunPatch(name=f"BaseLine {number % 5}", labels=labels))
            if number % 5 == 0:
                await store.annotate(run.id, RunPatch(name="Ünder 100%_", notes="A note"))
            stored = await store.get(run.id)
            known = stored if stored.final else run.annotated(stored.annotations)
            entries[run.id] = known.index_entry
        evaluation = evaluation_run(clock, "a")
        await store.create(evaluation, queued(evaluation, clock))
        return entries

    def _training(self, clock: FakeClock, number: int) -> TrainingRun:
        run = training_run(clock, "ab"[number % 2])
        env = ("CartPole-v1", "Pendulum-v1", "Acrobot-v1")[number % 3]
        request = run.document.request.model_copy(update={"env": env})
        document = run.document.model_copy(update={"request": request})
        return run.model_copy(update={"document": document, "created_by": f"key_{number % 4}"})
