"""Runs are named, labelled, found, sorted and deleted: over HTTP, with both clients and ``rlp``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.cli import exit_codes
from rlplatform.client import AsyncClient, Client
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.evaluation.models import Verdict
from tests.api.command import rlp

pytestmark = pytest.mark.anyio


async def test_a_run_has_the_annotations_of_its_request_and_says_who_submitted_it(
    platform, evaluation: dict[str, Any], training: dict[str, Any]
) -> None:
    given = {"name": "baseline", "labels": {"course": "rl101", "week": ""}, "notes": "first\nsecond"}
    async with platform() as it, it.client() as client:
        me = (await client.get("/v1/whoami")).json()["id"]
        for path, request in (("/v1/evaluations", evaluation), ("/v1/trainings", training)):
            posted = (await client.post(path, json={**request, **given})).json()
            shown = (await client.get(f"{path}/{posted['id']}")).json()
            (listed,) = (await client.get(path)).json()["items"]
            for document in (posted, shown, listed):
                assert {name: document[name] for name in (*given, "submitter")} == {**given, "submitter": me}
            plain = (await client.post(path, json=request)).json()
            assert (plain["name"], plain["labels"], plain["notes"], plain["submitter"]) == (None, {}, None, me)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("name", "", "name"),
        ("name", "two\nlines", "one line of text is accepted"),
        ("name", "x" * 121, "name"),
        ("labels", {"a b": "1"}, "labels"),
        ("labels", {"": "1"}, "labels"),
        ("labels", {"a": 1}, "labels"),
        ("labels", {f"k{i}": "" for i in range(33)}, "at most 32 are accepted"),
        ("notes", "x" * 10_001, "notes"),
    ],
)
async def test_a_wrong_annotation_is_refused_by_name(
    platform, training: dict[str, Any], field: str, value: Any, why: str
) -> None:
    async with platform() as it, it.client() as client:
        run = (await client.post("/v1/trainings", json=training)).json()
        for answer in (
            await client.post("/v1/trainings", json={**training, field: value}),
            await client.patch(f"/v1/runs/{run['id']}", json={field: value}),
        ):
            assert (answer.status_code, answer.json()["field"].partition(".")[0]) == (422, field), answer.text
            assert why in answer.text


async def test_annotations_change_whenever_one_likes(platform, evaluation: dict[str, Any]) -> None:
    async with platform(judge=Verdict.ACCEPTED) as it, it.client() as client:
        run = (await client.post("/v1/evaluations", json={**evaluation, "labels": {"a": "1", "b": "2"}})).json()
        path = f"/v1/evaluations/{run['id']}"
        before = await client.get(path)
        patch = {"name": "best", "labels": {"b": None, "c": "3"}}
        changed = await client.patch(f"/v1/runs/{run['id']}", json=patch)
        assert (changed.status_code, changed.json()["labels"]) == (200, {"a": "1", "c": "3"})
        shown = await client.get(path, headers={"If-None-Match": before.headers["etag"]})
        assert (shown.status_code, shown.json()["name"], shown.json()["verdict"]) == (200, "best", "accepted")
        assert shown.json() == changed.json()
        assert (await it.replica().app.state.context.records.get(run["id"])).annotations.name == "best"
        await client.patch(f"/v1/runs/{run['id']}", json={"name": None})
        assert (await client.get(path)).json()["name"] is None


async def test_who_may_annotate_and_delete(platform, evaluation: dict[str, Any]) -> None:
    async with platform(judge=Verdict.ACCEPTED) as it, it.client(await it.key(scopes=[Scope.EVALUATE])) as learner:
        run = (await learner.post("/v1/evaluations", json=evaluation)).json()["id"]
        assert (await learner.patch(f"/v1/runs/{run}", json={"name": "mine"})).status_code == 200
        refused = await learner.delete(f"/v1/runs/{run}")
        assert (refused.status_code, refused.json()["scope"]) == (403, "read"), "a course keeps its submissions"
        async with it.client(await it.key(scopes=[Scope.EVALUATE])) as other:
            assert (await other.patch(f"/v1/runs/{run}", json={"name": "x"})).status_code == 404
            assert (await other.delete(f"/v1/runs/{run}")).status_code == 404
        async with it.client(await it.key(scopes=[Scope.READ, Scope.TRAIN])) as researcher:
            assert (await researcher.patch(f"/v1/runs/{run}", json={"name": "x"})).json()["scope"] == "evaluate"
            assert (await researcher.delete(f"/v1/runs/{run}")).json()["scope"] == "admin"
        async with it.client(await it.key(scopes=[Scope.ADMIN])) as staff:
            assert (await staff.delete(f"/v1/runs/{run}")).status_code == 204
            assert (await staff.get(f"/v1/evaluations/{run}")).status_code == 404
            assert (await staff.delete(f"/v1/runs/{run}")).status_code == 404


async def test_only_a_finished_run_can_be_deleted(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        run = (await client.post("/v1/trainings", json=training)).json()["id"]
        refused = await client.delete(f"/v1/runs/{run}")
        assert (refused.status_code, refused.json()["state"]) == (409, "queued")
        await it.commands.succeed(await it.store.get(run))
        assert (await client.delete(f"/v1/runs/{run}")).status_code == 204
        assert (await client.get("/v1/trainings")).json()["items"] == []
        for wrong in ("pol_00000000000000000000000000", "x", "train_00000000000000000000000000"):
            assert (await client.delete(f"/v1/runs/{wrong}")).status_code == 404


async def test_lists_are_filtered_searched_and_sorted(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        me = (await client.get("/v1/whoami")).json()["id"]
        ids = {}
        for number in range(6):
            labels = {"course": f"rl{number % 2}", "odd": ""} if number % 2 else {"course": "rl0"}
            given = {"name": f"Run {9 - number}", "labels": labels, "notes": "a LONG note" if number == 3 else None}
            ids[(await client.post("/v1/trainings", json={**training, **given})).json()["id"]] = number
        run = await it.store.get(next(iter(ids)))
        await it.commands.iterate(run, 1, 3)
        await it.commands.succeed(run)

        async def found(**params: Any) -> list[int]:
            answer = await client.get("/v1/trainings", params=params)
            assert answer.status_code == 200, answer.text
            return [ids[item["id"]] for item in answer.json()["items"]]

        assert await found() == [5, 4, 3, 2, 1, 0]
        assert await found(label="course=rl1") == [5, 3, 1]
        assert await found(label=["course=rl1", "odd"]) == [5, 3, 1]
        assert await found(label="course=") == []
        assert await found(search="run LONG") == [3]
        assert await found(search=next(iter(ids))[-8:]) == [0]
        assert await found(env="CartPole-v1", submitter="me", state="queued", limit=2) == [5, 4]
        assert await found(submitter=me, sort="name") == [5, 4, 3, 2, 1, 0]
        assert await found(submitter="somebody") == await found(env="Pendulum-v1") == []
        assert (await found(sort="-score"))[0] == 0
        assert (await found(created_after="2020-01-01T00:00:00Z", created_before="2999-01-01T00:00:00Z"))[0] == 5
        assert await found(created_before="2020-01-01T00:00:00+01:00") == []
        assert len(await found(created_after="1900-01-01T00:00:00Z")) == 6
        first = await client.get("/v1/trainings", params={"sort": "name", "limit": 4, "label": "course"})
        cursor = first.json()["next_cursor"]
        assert await found(sort="name", limit=4, label="course", cursor=cursor) == [1, 0]
        assert "sort=name" in first.headers["link"]
        for params, field in (
            ({"label": "a b=1"}, "label"),
            ({"sort": "color"}, "sort"),
            ({"created_after": "2020-01-01T00:00:00"}, "created_after"),
            ({"created_after": "yesterday"}, "created_after"),
            ({"cursor": "x", "sort": "name"}, "cursor"),
        ):
            answer = await client.get("/v1/trainings", params=params)
            assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_page_is_full_for_a_principal_that_sees_only_its_own_runs(platform, evaluation: dict[str, Any]) -> None:
    async with (
        platform() as it,
        it.client(await it.key(scopes=[Scope.EVALUATE])) as one,
        it.client(await it.key(scopes=[Scope.EVALUATE])) as other,
    ):
        for _ in range(3):
            await one.post("/v1/evaluations", json=evaluation)
            await other.post("/v1/evaluations", json=evaluation)
        page = (await one.get("/v1/evaluations", params={"limit": 2})).json()
        assert len(page["items"]) == 2
        me = page["items"][0]["submitter"]
        assert (await other.get("/v1/evaluations", params={"submitter": me})).json()["items"] == []


async def test_both_clients_annotate_filter_and_delete(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        async with AsyncClient(url, key) as client:
            run = await client.start_training({**training, "labels": {"a": "1"}})
            changed = await client.update_run(run.id, name="one", labels={"a": None, "b": "2"}, notes="n")
            assert (changed.name, changed.labels, changed.notes) == ("one", {"b": "2"}, "n")
            assert (await client.update_run(run.id, notes=None)).name == "one"
            assert [each.id async for each in client.trainings(labels={"b": None}, search="one")] == [run.id]
            await it.commands.succeed(await it.store.get(run.id))

        def blocking() -> None:
            with Client(url, key) as client:
                assert client.update_run(run.id, labels={"b": "3"}).labels == {"b": "3"}
                assert [each.id for each in client.trainings(labels={"b": "3"}, sort="-score")] == [run.id]
                client.delete_run(run.id)
                with pytest.raises(NotFound):
                    client.training(run.id)
                with pytest.raises(InvalidRequest):
                    client.update_run("nonsense", name="x")

        await asyncio.to_thread(blocking)


async def test_the_command_line_labels_lists_and_removes(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        start = ["train", "--env", "CartPole-v1", "--engine", "simulated", "-n", "1000", "--detach"]
        for name in ("one", "two"):
            started = await rlp(tmp_path, *start, "--name", name, "-l", "course=rl101", "--notes", "mine", **at)
            assert started.code == exit_codes.DONE, started.err
        one, two = sorted(run.id for run in await it.store.find("training"))
        labelled = await rlp(tmp_path, "runs", "label", one[-6:], two, "week=3", "course-", "--name", "both", **at)
        assert labelled.out.splitlines() == [f"{one}: both: week=3", f"{two}: both: week=3"]
        assert "give labels as key=value" in (await rlp(tmp_path, "runs", "label", one, **at)).err
        wanted = ["-l", "week=3", "--since", "1h", "--search", one[-6:]]
        listed = await rlp(tmp_path, "runs", "ls", *wanted, "--json", **at)
        assert [line["id"] for line in listed.lines] == [one]
        assert "both" in (await rlp(tmp_path, "runs", "show", one, **at)).out
        assert "no runs like that" in (await rlp(tmp_path, "runs", "ls", "--label", "course", **at)).err
        assert "--since takes" in (await rlp(tmp_path, "runs", "ls", "--since", "yesterday", **at)).err
        refused = await rlp(tmp_path, "runs", "rm", "--yes", one, **at)
        assert (refused.code, "queued" in refused.err) == (exit_codes.FAILED, True)
        await it.commands.succeed(await it.store.get(one))
        removed = await rlp(tmp_path, "runs", "rm", "--yes", one[-6:], **at)
        assert removed.out == f"{one}: deleted\n"
        assert [run.id for run in await it.store.find("training")] == [two]
