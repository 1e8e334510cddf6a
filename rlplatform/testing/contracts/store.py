"""Contract suite of every :class:`~rlplatform.store.Store`: runs and events."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from rlplatform.errors import Conflict, Fenced, IdempotencyMismatch, InvalidRequest, NotFound
from rlplatform.evaluation.events import EvaluationStarted, EvaluationTestFinished
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.run_kinds import parse_event
from rlplatform.runs.events import StreamGap
from rlplatform.runs.ports import Idempotency
from rlplatform.runs.records import Run
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.assignments import AssignmentContract
from rlplatform.testing.contracts.store_documents import LedgerContract
from rlplatform.testing.contracts.store_index import IndexContract
from rlplatform.testing.samples import evaluation_run, finished, fold, iteration, queued, retried, seqs, training_run
from rlplatform.training.events import TrainingPauseRequested, TrainingQueued, TrainingStarted, TrainingStarting


class StoreContract(AssignmentContract, LedgerContract, IndexContract):
    """Subclasses provide ``open_store(clock)``, an asynchronous context of a store that holds nothing."""

    # -- runs

    @pytest.mark.parametrize("make", [evaluation_run, training_run])
    async def test_what_was_created_is_read_back(self, store: Store, clock: FakeClock, make: object) -> None:
        run = evaluation_run(clock) if make is evaluation_run else training_run(clock)
        stored, new = await store.create(run, queued(run, clock))
        assert new
        assert stored == run.apply(queued(run, clock).model_copy(update={"seq": 1}))
        assert await store.get(run.id) == stored
        assert seqs(await store.read(run.stream)) == [1]

    async def test_a_run_is_created_once(self, store: Store, clock: FakeClock) -> None:
        run = evaluation_run(clock)
        first = queued(run, clock)
        stored, _ = await store.create(run, first)
        assert await store.create(run, first) == (stored, False)
        with pytest.raises(Conflict, match=run.id):
            await store.create(run, queued(run, clock))
        assert seqs(await store.read(run.stream)) == [1]

    async def test_a_run_with_a_past_is_refused(self, store: Store, clock: FakeClock) -> None:
        run = evaluation_run(clock)
        with pytest.raises(InvalidRequest, match="not new"):
            await store.create(run.model_copy(update={"seq": 3}), queued(run, clock))
        with pytest.raises(NotFound):
            await store.get(run.id)

    async def test_unknown_runs_and_streams_are_not_found(self, store: Store, clock: FakeClock) -> None:
        run = evaluation_run(clock)
        for attempt in (
            store.get(run.id),
            store.get("nonsense"),
            store.acquire(run.id),
            store.read(run.stream),
            store.read("nonsense"),
            store.read(f"trainings/{run.id}"),
            store.tail({run.stream: 0}, wait_s=60),
            store.append(run.stream, [retried(run, clock)]),
        ):
            with pytest.raises(NotFound):
                await attempt

    async def test_an_idempotency_key_creates_one_run_for_24_hours(self, store: Store, clock: FakeClock) -> None:
        key = Idempotency("acme", "submit:1", "a" * 64)
        first, other, later = (evaluation_run(clock) for _ in range(3))
        stored, new = await store.create(first, queued(first, clock), idempotency=key)
        assert new
        assert await store.create(other, queued(other, clock), idempotency=key) == (stored, False)
        with pytest.raises(NotFound):
            await store.get(other.id)
        with pytest.raises(IdempotencyMismatch):
            await store.create(other, queued(other, clock), idempotency=key._replace(body_sha256="b" * 64))
        await clock.advance(timedelta(hours=24).total_seconds() - 1)
        assert (await store.create(other, queued(other, clock), idempotency=key))[1] is False
        await clock.advance(1)
        assert (await store.create(later, queued(later, clock), idempotency=key))[0].id == later.id

    async def test_idempotency_keys_belong_to_their_tenant(self, store: Store, clock: FakeClock) -> None:
        runs = [evaluation_run(clock, "a"), evaluation_run(clock, "a:b"), evaluation_run(clock, "b")]
        keys = [Idempotency("a", "b:c", "1"), Idempotency("a:b", "c", "2"), Idempotency("b", "b:c", "3")]
        for run, key in zip(runs, keys, strict=True):
            assert (await store.create(run, queued(run, clock), idempotency=key))[1] is True

    async def test_the_same_key_at_the_same_time_creates_one_run(self, store: Store, clock: FakeClock) -> None:
        runs = [evaluation_run(clock) for _ in range(50)]
        key = Idempotency("acme", "k", "a" * 64)
        answers = await asyncio.gather(*(store.create(run, queued(run, clock), idempotency=key) for run in runs))
        assert [new for _, new in answers].count(True) == 1
        assert len({run.id for run, _ in answers}) == 1
        assert len(await store.find("evaluation")) == 1

    async def test_find_pages_newest_first(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.started(store, clock, tenant="ab"[i % 2]) for i in range(11)]
        training = training_run(clock, "a")
        await store.create(training, queued(training, clock))
        newest = sorted((run.id for run in runs), reverse=True)
        assert [run.id for run in await store.find("evaluation")] == newest
        pages: list[str] = []
        before: str | None = None
        while page := await store.find("evaluation", before=before, limit=4):
            pages += [run.id for run in page]
            before = page[-1].id
        assert pages == newest
        of_b = sorted((run.id for run in runs if run.tenant == "b"), reverse=True)
        assert [run.id for run in await store.find("evaluation", tenant="b", limit=3)] == of_b[:3]
        assert [run.id for run in await store.find("training")] == [training.id]
        assert await store.find("training", tenant="b") == []
        with pytest.raises(InvalidRequest, match="limit"):
            await store.find("evaluation", limit=0)

    async def test_find_by_state_follows_the_events(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.started(store, clock) for _ in range(4)]
        start = EvaluationStarted(stream=runs[1].stream, time=clock.now(), attempt=1)
        await store.append(runs[1].stream, [start])
        await store.append(runs[2].stream, [finished(runs[2], clock)])

        async def found(*states: str) -> set[str]:
            return {run.id for run in await store.find("evaluation", tenant="acme", states=states)}

        assert await found("queued") == {runs[0].id, runs[3].id}
        assert await found("running") == {runs[1].id}
        assert await found("running", "finished") == {runs[1].id, runs[2].id}
        assert await found("failed") == set()
        newest = await store.find("evaluation", states=["queued", "running", "finished"], limit=2)
        assert [run.id for run in newest] == sorted((run.id for run in runs), reverse=True)[:2]

    async def test_a_summary_is_a_run_less_what_may_be_large(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.started(store, clock, tenant="ab"[number % 2]) for number in range(5)]
        await store.append(runs[3].stream, [finished(runs[3], clock)])
        for query in ({}, {"tenant": "a"}, {"states": ["finished"]}, {"limit": 2}, {"before": runs[2].id}):
            found = await store.find("evaluation", **query)
            summaries = await store.summaries("evaluation", **query)
            whose = [(run.id, run.tenant, run.created_by, run.state) for run in found]
            assert [(s.id, s.tenant, s.created_by, s.state) for s in summaries] == whose
            assert [s.document for s in summaries] == [r.document.model_copy(update={"tests": []}) for r in found]
        run = await self.training(store, clock)
        await store.append(run.stream, [iteration(run, clock, 1)])
        (summary,) = await store.summaries("training")
        assert summary.document == (await store.get(run.id)).document
        with pytest.raises(InvalidRequest, match="limit"):
            await store.summaries("evaluation", limit=0)

    async def test_what_is_over_can_be_removed_and_nothing_else(self, store: Store, clock: FakeClock) -> None:
        gone, stays, going_on = [await self.started(store, clock) for _ in range(3)]
        for run in (gone, stays):
            await store.append(run.stream, [finished(run, clock)])
        with pytest.raises(Conflict, match="queued: only what is over"):
            await store.remove(going_on.id)
        used = await store.used("acme", clock.now().date())
        for _ in range(2):
            await store.remove(gone.id)
        await store.remove("eval_unknown")
        for attempt in (
            store.get(gone.id),
            store.acquire(gone.id),
            store.read(gone.stream),
            store.tail({gone.stream: 0}, wait_s=60),
            store.append(gone.stream, [retried(gone, clock)]),
        ):
            with pytest.raises(NotFound):
                await attempt
        for query in ({}, {"tenant": "acme"}, {"states": ["finished", "queued"]}):
            assert [run.id for run in await store.find("evaluation", **query)] == [going_on.id, stays.id]
        assert seqs(await store.read(stays.stream)) == [1, 2]
        await store.append(going_on.stream, [retried(going_on, clock)])
        assert await store.used("acme", clock.now().date()) == used, "what was used stays counted"

    # -- events

    async def test_seq_starts_at_1_and_has_no_gaps(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        one = await store.append(run.stream, [retried(run, clock)])
        more = await store.append(run.stream, [retried(run, clock), retried(run, clock)])
        assert seqs([*one, *more]) == [2, 3, 4]
        assert await store.append(run.stream, []) == []
        log = await store.read(run.stream)
        assert seqs(log) == [1, 2, 3, 4]
        assert log[1:] == [*one, *more]
        assert seqs(await store.read(run.stream, after=1, limit=2)) == [2, 3]
        assert list(await store.read(run.stream, after=4)) == []
        assert list(await store.read(run.stream, after=99)) == []

    async def test_a_line_is_the_event(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        event = retried(run, clock, reason='two\nlines, é, \u2028, "quoted", 🦊')
        (line,) = await store.append(run.stream, [event])
        assert line == (await store.read(run.stream, after=1))[0]
        assert "\n" not in line.data
        assert json.loads(line.data)["seq"] == line.seq == 2
        assert line.type == "evaluation.retried"
        assert parse_event(line.data) == event.model_copy(update={"seq": 2})

    async def test_an_event_id_is_appended_once(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        first, second = retried(run, clock), retried(run, clock)
        (line,) = await store.append(run.stream, [first])
        again = await store.append(run.stream, [second, first, second])
        assert seqs(again) == [3, 2, 3]
        assert again[1] == line
        last = finished(run, clock)
        await store.append(run.stream, [last])
        assert seqs(await store.append(run.stream, [last, first])) == [4, 2]
        assert seqs(await store.read(run.stream)) == [1, 2, 3, 4]

    async def test_nothing_follows_a_final_state(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        with pytest.raises(Conflict, match="finished"):
            await store.append(run.stream, [finished(run, clock), retried(run, clock)])
        assert seqs(await store.read(run.stream)) == [1]
        assert (await store.get(run.id)).state == "queued"
        await store.append(run.stream, [finished(run, clock)])
        with pytest.raises(Conflict, match="finished"):
            await store.append(run.stream, [retried(run, clock)])
        assert (await store.get(run.id)).state == "finished"

    async def test_events_of_others_are_refused(self, store: Store, clock: FakeClock) -> None:
        run, other = await self.started(store, clock), await self.started(store, clock)
        gap = StreamGap(stream=run.stream, time=clock.now(), first_seq=1, last_seq=2)
        for stranger in (retried(other, clock), TrainingQueued(stream=run.stream, time=clock.now()), gap):
            with pytest.raises(InvalidRequest) as caught:
                await store.append(run.stream, [retried(run, clock), stranger])
            assert caught.value.extra["field"] == "events.1"
        assert seqs(await store.read(run.stream)) == [1]

    async def test_an_older_epoch_is_fenced(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        assert (await store.get(run.id)).epoch == 0
        old = await store.acquire(run.id)
        mine = retried(run, clock)
        await store.append(run.stream, [mine], epoch=old)
        new = await store.acquire(run.id)
        assert new > old > 0
        assert (await store.get(run.id)).epoch == new
        for attempt in (retried(run, clock), mine):
            with pytest.raises(Fenced, match="another owner"):
                await store.append(run.stream, [attempt], epoch=old)
        with pytest.raises(Fenced):
            await store.append(run.stream, [retried(run, clock)], epoch=new + 1)
        await store.append(run.stream, [retried(run, clock)], epoch=new)
        await store.append(run.stream, [finished(run, clock)])
        with pytest.raises(Fenced):
            await store.append(run.stream, [retried(run, clock)], epoch=old)
        assert seqs(await store.read(run.stream)) == [1, 2, 3, 4]

    async def test_only_one_of_many_owners_can_write(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        epochs = await asyncio.gather(*(store.acquire(run.id) for _ in range(20)))
        assert len(set(epochs)) == 20
        answers = await asyncio.gather(
            *(store.append(run.stream, [retried(run, clock)], epoch=epoch) for epoch in epochs), return_exceptions=True
        )
        won = [epoch for epoch, answer in zip(epochs, answers, strict=True) if not isinstance(answer, Fenced)]
        assert won == [max(epochs)]

    async def test_a_record_is_the_fold_of_its_stream(self, store: Store, clock: FakeClock) -> None:
        evaluation, training = evaluation_run(clock), training_run(clock)
        result = TestResult(id="t1", verdict=Verdict.WRONG_ANSWER, points=0.0, stdout="x", value={"a": [1.5, None]})
        await store.create(evaluation, queued(evaluation, clock))
        await clock.advance(1.5)
        start = EvaluationStarted(stream=evaluation.stream, time=clock.now(), attempt=1)
        judged = EvaluationTestFinished(stream=evaluation.stream, time=clock.now(), attempt=1, result=result)
        await store.append(evaluation.stream, [start, judged])
        await store.append(evaluation.stream, [finished(evaluation, clock)])
        await store.create(training, queued(training, clock))
        await store.append(
            training.stream,
            [
                TrainingStarting(stream=training.stream, time=clock.now(), epoch=1),
                TrainingStarted(stream=training.stream, time=clock.now(), manifest={"seed": 1, "x": [0.1]}),
                *(iteration(training, clock, number) for number in range(1, 20)),
                TrainingPauseRequested(stream=training.stream, time=clock.now(), by="key_1"),
            ],
        )
        for run in (evaluation, training):
            assert fold(run, await store.read(run.stream)) == await store.get(run.id)
        assert (await store.get(training.id)).state == "running"

    async def test_thousands_of_concurrent_appends_lose_nothing(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.started(store, clock) for _ in range(4)]
        sent = {run.stream: [retried(run, clock, str(i)) for i in range(500)] for run in runs}
        answers = await asyncio.gather(
            *(store.append(stream, [event]) for stream, batch in sent.items() for event in batch)
        )
        assert len({(line.data) for (line,) in answers}) == 2000
        for run in runs:
            log = await store.read(run.stream, limit=1000)
            assert seqs(log) == list(range(1, 502))
            assert {parse_event(line.data).id for line in log[1:]} == {event.id for event in sent[run.stream]}
            assert (await store.get(run.id)).seq == 501

    # -- tail

    async def test_tail_answers_at_once_when_there_is_something(self, store: Store, clock: FakeClock) -> None:
        run, quiet = await self.started(store, clock), await self.started(store, clock)
        await store.append(run.stream, [retried(run, clock) for _ in range(3)])
        found = await store.tail({run.stream: 1, quiet.stream: 1}, wait_s=60, limit=2)
        assert {stream: seqs(lines) for stream, lines in found.items()} == {run.stream: [2, 3]}

    async def test_tail_wakes_when_something_is_appended(self, store: Store, clock: FakeClock) -> None:
        run, other, third = [await self.started(store, clock) for _ in range(3)]
        waiting = [
            asyncio.create_task(store.tail({run.stream: 1, other.stream: 1}, wait_s=60)),
            asyncio.create_task(store.tail({other.stream: 1}, wait_s=60)),
        ]
        await asyncio.sleep(0.05)
        await store.append(third.stream, [retried(third, clock)])
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        (line,) = await store.append(other.stream, [retried(other, clock)])
        async with asyncio.timeout(5):
            assert await asyncio.gather(*waiting) == [{other.stream: [line]}] * 2

    async def test_tail_gives_up_after_its_wait(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        assert await store.tail({run.stream: 1}, wait_s=0) == {}
        assert await store.tail({}, wait_s=0) == {}
        waiting = asyncio.create_task(store.tail({run.stream: 1}, wait_s=0.2))
        async with asyncio.timeout(5):
            while not waiting.done():
                await clock.advance(0.1)
                await asyncio.sleep(0.01)
        assert waiting.result() == {}

    async def test_a_tail_that_follows_appends_misses_nothing(self, store: Store, clock: FakeClock) -> None:
        runs = [await self.started(store, clock) for _ in range(3)]
        cursors = {run.stream: 0 for run in runs}

        async def write(run: Run) -> None:
            for _ in range(100):
                await store.append(run.stream, [retried(run, clock)])

        async def follow() -> None:
            while any(seq < 101 for seq in cursors.values()):
                for stream, lines in (await store.tail(cursors, wait_s=60, limit=7)).items():
                    assert seqs(lines) == list(range(cursors[stream] + 1, cursors[stream] + len(lines) + 1))
                    cursors[stream] = lines[-1].seq

        async with asyncio.timeout(60):
            await asyncio.gather(follow(), *(write(run) for run in runs))

    async def test_a_cancelled_tail_harms_nobody(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        waiting = [asyncio.create_task(store.tail({run.stream: 1}, wait_s=60)) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        (line,) = await store.append(run.stream, [retried(run, clock)])
        async with asyncio.timeout(5):
            assert await asyncio.gather(*waiting[1:]) == [{run.stream: [line]}] * 2

    async def test_recall_tells_what_a_key_has_made(self, store: Store, clock: FakeClock) -> None:
        key = Idempotency("acme", "k", "0" * 64)
        assert await store.find_by_idempotency_key(key) is None
        run, _ = await store.create(made := evaluation_run(clock), queued(made, clock), idempotency=key)
        assert await store.find_by_idempotency_key(key) == run
        assert await store.find_by_idempotency_key(key._replace(tenant="other")) is None
        with pytest.raises(IdempotencyMismatch):
            await store.find_by_idempotency_key(key._replace(body_sha256="1" * 64))
        await clock.advance(24 * 3600)
        assert await store.find_by_idempotency_key(key) is None

    async def test_close_is_idempotent(self, store: Store) -> None:
        await store.close()
        await store.close()
