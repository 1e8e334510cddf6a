"""Contract suite of every :class:`~rlplatform.store.Store`: usage, finished runs, documents and keys."""

from __future__ import annotations

import asyncio

from rlplatform.evaluation.events import EvaluationCancelled, EvaluationFinished, EvaluationStarted
from rlplatform.store import Document, Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.opened_store import OpenedStore
from rlplatform.testing.samples import finished, iteration, key_of, retried
from rlplatform.training.events import TrainingRecovered


class LedgerContract(OpenedStore):
    """A part of :class:`~rlplatform.testing.contracts.store.StoreContract`."""

    async def test_usage_is_counted_with_the_events_and_once(self, store: Store, clock: FakeClock) -> None:
        today = clock.now().date()
        assert await store.used("acme", today) == {}
        run = await self.training(store, clock)
        events_ = [iteration(run, clock, number) for number in (1, 2)]
        for _ in range(2):
            await store.append(run.stream, events_)
        evaluation = await self.started(store, clock)
        first = EvaluationStarted(stream=evaluation.stream, time=clock.now(), attempt=1)
        done = finished(evaluation, clock)
        assert isinstance(done, EvaluationFinished)
        tests = [test.model_copy(update={"cpu_time_s": 0.25}) for test in done.tests]
        done = done.model_copy(update={"tests": tests})
        await store.append(evaluation.stream, [first])
        for _ in range(2):
            await store.append(evaluation.stream, [done])
        assert await store.used("acme", today) == {
            "trainings": 1,
            "evaluations": 1,
            "env_steps": 200,
            "sandbox_cpu_s": 0.25,
        }
        assert (await store.written("acme", today)).events == 6
        assert await store.used("other", today) == {}
        await clock.advance(86400)
        assert await store.used("acme", clock.now().date()) == {}
        await store.append(run.stream, [iteration(run, clock, 3)])
        assert await store.used("acme", clock.now().date()) == {"env_steps": 100}
        assert (await store.written("acme", clock.now().date())).events == 1

    async def test_stored_bytes_are_those_of_requests_and_events_until_the_run_is_removed(
        self, store: Store, clock: FakeClock
    ) -> None:
        async def stored() -> float:
            return (await store.written("acme", clock.now().date())).stored_bytes

        assert await stored() == 0
        kept = await self.training(store, clock)
        opened = await stored()
        assert opened == len((await store.read(kept.stream))[0].data)
        evaluation = await self.started(store, clock)
        events_ = [iteration(kept, clock, number) for number in (1, 2)]
        for _ in range(2):
            lines = await store.append(kept.stream, events_)
        request_bytes = len(evaluation.request.model_dump_json())
        (first,) = await store.read(evaluation.stream)
        before = opened + sum(len(line.data) for line in lines)
        assert await stored() == before + request_bytes + len(first.data)
        await clock.advance(100 * 86400)
        await store.append(kept.stream, [iteration(kept, clock, 3)])
        before += len((await store.read(kept.stream))[-1].data)
        await store.append(evaluation.stream, [finished(evaluation, clock)])
        for _ in range(2):
            await store.remove(evaluation.id)
        assert await stored() == before
        assert await store.written("other", clock.now().date()) == (0, 0)

    async def test_steps_done_again_are_charged_to_nobody(self, store: Store, clock: FakeClock) -> None:
        run = await self.training(store, clock, charged_env_steps=200)
        recovered = TrainingRecovered(
            stream=run.stream,
            time=clock.now(),
            checkpoint_id=None,
            iteration=2,
            env_steps=200,
            redone_iterations=2,
            redone_env_steps=200,
        )
        await store.append(run.stream, [iteration(run, clock, number) for number in (3, 4)])
        await store.append(run.stream, [recovered])
        await store.append(run.stream, [iteration(run, clock, number) for number in (3, 4, 5)])
        assert (await store.used("acme", clock.now().date()))["env_steps"] == 300, "the parent's 200 are not ours"

    async def test_a_cancelled_evaluation_is_charged_the_time_since_it_began(
        self, store: Store, clock: FakeClock
    ) -> None:
        for seconds in (0, 3):
            run = await self.started(store, clock)
            if seconds:
                first = EvaluationStarted(stream=run.stream, time=clock.now(), attempt=1)
                await store.append(run.stream, [first])
                await clock.advance(seconds)
            await store.append(run.stream, [EvaluationCancelled(stream=run.stream, time=clock.now(), reason="")])
        assert (await store.used("acme", clock.now().date()))["sandbox_cpu_s"] == 3

    async def test_the_outbox_holds_every_finished_run_until_it_is_settled(
        self, store: Store, clock: FakeClock
    ) -> None:
        assert await store.read_outbox() == []
        made = [await self.started(store, clock) for _ in range(3)]
        for run in made:
            await store.append(run.stream, [retried(run, clock), last := finished(run, clock)])
            await store.append(run.stream, [last])
        entries = await store.read_outbox()
        assert [(entry.tenant, entry.run_id, entry.type) for entry in entries] == [
            ("acme", run.id, "evaluation.finished") for run in made
        ]
        assert sorted(entry.position for entry in entries) == [entry.position for entry in entries]
        assert await store.read_outbox(after=entries[0].position, limit=1) == [entries[1]]
        for _ in range(2):
            await store.acknowledge(entries[1].position)
        assert await store.read_outbox() == [entries[2]]
        await store.acknowledge(entries[2].position)
        run = await self.started(store, clock)
        await store.append(run.stream, [finished(run, clock)])
        (entry,) = await store.read_outbox()
        assert entry.position > entries[2].position, "positions are given once"

    async def test_documents(self, store: Store) -> None:
        given = [Document("hook", f"h{number}", "ab"[number % 2], f'{{"n":{number}}}') for number in range(5)]
        for document in given:
            await store.put_document(document)
        await store.put_document(Document("quotas", "h1", "a", "{}"))
        assert await store.get_document("hook", "h1") == given[1]
        assert await store.get_document("hook", "h9") is None
        assert await store.get_document("other", "h1") is None
        assert await store.list_documents("hook") == given[::-1]
        assert await store.list_documents("hook", owner="a") == [given[4], given[2], given[0]]
        assert await store.list_documents("hook", owner="a", before="h4", limit=1) == [given[2]]
        assert await store.list_documents("hook", owner="c") == []
        replaced = given[2]._replace(record='{"n":"é"}')
        await store.put_document(replaced)
        for _ in range(2):
            await store.delete_document("hook", "h4")
        assert await store.list_documents("hook", owner="a") == [replaced, given[0]]
        assert await store.get_document("hook", "h4") is None

    async def test_of_many_that_add_a_document_one_does(self, store: Store) -> None:
        rivals = [Document("hook", "h1", "ab"[number % 2], f'{{"rival":{number}}}') for number in range(20)]
        found = await asyncio.gather(*(store.add_document(rival) for rival in rivals))
        assert set(found) <= set(rivals)
        assert len(set(found)) == 1
        assert await store.get_document("hook", "h1") == found[0]
        assert await store.list_documents("hook") == [found[0]]
        assert await store.list_documents("hook", owner=found[0].owner) == [found[0]]
        await store.delete_document("hook", "h1")
        assert await store.add_document(rivals[1]) == rivals[1]

    async def test_a_document_is_replaced_only_where_the_expected_one_stands(self, store: Store) -> None:
        first, second, third = (Document("hook", "h1", "a", f'{{"n":{number}}}') for number in range(3))
        assert not await store.replace_document(second, first), "there is none"
        assert await store.get_document("hook", "h1") is None
        await store.put_document(first)
        for _ in range(2):
            assert await store.replace_document(second, first)
        assert not await store.replace_document(third, first)
        assert await store.list_documents("hook", owner="a") == [second]
        rivals = [second._replace(record=f'{{"rival":{number}}}') for number in range(20)]
        replaced = await asyncio.gather(*(store.replace_document(rival, second) for rival in rivals))
        assert replaced.count(True) == 1
        assert await store.get_document("hook", "h1") == rivals[replaced.index(True)]

    async def test_keys(self, store: Store, clock: FakeClock) -> None:
        first = key_of("b", clock)
        await clock.advance(1)
        second, third = key_of("a", clock), key_of("b", clock)
        for key in (third, second, first):
            await store.put_key(key)
        assert await store.get_key(second.id) == second
        assert await store.get_key("key_unknown") is None
        assert [key.id for key in await store.list_keys()] == [first.id, *sorted([second.id, third.id])]
        assert list(await store.list_keys("b")) == [first, third]
        revoked = first.model_copy(update={"revoked_at": clock.now()})
        await store.put_key(revoked)
        assert await store.get_key(first.id) == revoked
        assert len(await store.list_keys()) == 3
        await store.put_key(first.model_copy(update={"expires_at": clock.now()}))
        assert await store.get_key(first.id) == revoked, "revoked is revoked, whoever replaces it at the same moment"
