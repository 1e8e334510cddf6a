"""``/v1/evaluations``."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from rlplatform.access.principals import Scope
from rlplatform.evaluation.models import Verdict

pytestmark = pytest.mark.anyio


async def test_submitting(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.post("/v1/evaluations", json=evaluation)
        document = answer.json()
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/v1/evaluations/{document['id']}"
        assert (document["state"], document["verdict"], document["max_score"]) == ("queued", None, 1.0)
        assert (await client.get(answer.headers["location"])).json() == document | {"queue_position": 0}
        second = await client.post("/v1/evaluations", json=evaluation)
        assert (await client.get(second.headers["location"])).json()["queue_position"] == 1


async def test_waiting_for_the_result(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        pending = asyncio.create_task(client.post("/v1/evaluations?wait=5", json=evaluation))
        while not (runs := await it.store.find("evaluation")):
            await asyncio.sleep(0.01)
        await it.commands.finish(runs[0], [Verdict.ACCEPTED])
        answer = await pending
        assert answer.status_code == 200
        assert answer.json()["verdict"] == "accepted"
        assert len(it.app.state.context.hubs) == 0
        too_long = await client.post("/v1/evaluations?wait=0.05", json=evaluation)
        assert (too_long.status_code, too_long.json()["state"]) == (202, "queued")
        assert (await client.post("/v1/evaluations?wait=61", json=evaluation)).status_code == 422


async def test_nobody_waits_for_a_client_that_has_left(platform, evaluation) -> None:
    async with platform() as it, it.served() as url, it.client() as client:
        hubs = it.app.state.context.hubs
        headers = {"Authorization": client.headers["authorization"]}
        async with httpx2.AsyncClient(base_url=url, headers=headers) as leaving:
            pending = asyncio.create_task(leaving.post("/v1/evaluations?wait=60", json=evaluation))
            async with asyncio.timeout(5):
                while not len(hubs):
                    await asyncio.sleep(0.01)
                pending.cancel()
                while len(hubs):
                    await asyncio.sleep(0.01)
        assert (await it.store.find("evaluation"))[0].state == "queued"


async def test_the_same_key_and_body_is_the_same_evaluation(platform, evaluation) -> None:
    async with platform() as it, it.client() as client, it.client(await it.key("other")) as other:
        key = {"Idempotency-Key": "hw1"}
        first = await client.post("/v1/evaluations", json=evaluation, headers=key)
        reordered = dict(reversed(evaluation.items())) | {"language": "python"}
        again = await client.post("/v1/evaluations", json=reordered, headers=key)
        assert again.json()["id"] == first.json()["id"]
        assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
        refused = await client.post("/v1/evaluations", json=evaluation | {"source": "other"}, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_mismatch")
        assert (await other.post("/v1/evaluations", json=evaluation, headers=key)).json()["id"] != first.json()["id"]
        too_long = await client.post("/v1/evaluations", json=evaluation, headers={"Idempotency-Key": "x" * 256})
        assert (too_long.status_code, too_long.json()["field"]) == (422, "Idempotency-Key")


async def test_a_key_is_its_senders_alone_and_a_batchs_no_single_ones(platform, evaluation) -> None:
    async with platform() as it, it.client() as client, it.client(await it.key(scopes=[Scope.EVALUATE])) as fellow:
        batch = {"evaluations": [evaluation]}
        (row,) = (await client.post("/v1/evaluations:batch", json=batch, headers={"Idempotency-Key": "K"})).json()[
            "results"
        ]
        seen = {row["evaluation"]["id"]}
        for who, key in ((client, "batch:K:0"), (client, "K:0"), (client, "K"), (fellow, "K"), (fellow, "K:0")):
            answer = await who.post("/v1/evaluations", json=evaluation, headers={"Idempotency-Key": key})
            assert answer.json()["id"] not in seen
            seen.add(answer.json()["id"])
        other = evaluation | {"source": "other"}
        refused = await fellow.post("/v1/evaluations", json=other, headers={"Idempotency-Key": "K"})
        assert refused.json()["detail"] == "Idempotency-Key 'K' was used with another body within the last 24 hours"


async def test_a_batch_row_stands_for_itself(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        body = {"evaluations": [evaluation, {"source": "1"}, evaluation]}
        answer = await client.post("/v1/evaluations:batch", json=body, headers={"Idempotency-Key": "b"})
        rows = answer.json()["results"]
        assert [row["status"] for row in rows] == [202, 422, 202]
        assert rows[1]["error"]["field"] == "tests"
        assert rows[0]["evaluation"]["id"] != rows[2]["evaluation"]["id"]
        again = await client.post("/v1/evaluations:batch", json=body, headers={"Idempotency-Key": "b"})
        assert [row["evaluation"] and row["evaluation"]["id"] for row in again.json()["results"]] == [
            row["evaluation"] and row["evaluation"]["id"] for row in rows
        ]
        assert [row["replayed"] for row in rows + again.json()["results"]] == [False] * 3 + [True, False, True]
        changed = {"evaluations": [evaluation, evaluation, evaluation | {"source": "2"}]}
        answer = await client.post("/v1/evaluations:batch", json=changed, headers={"Idempotency-Key": "b"})
        assert [row["status"] for row in answer.json()["results"]] == [202, 202, 409]


async def test_pages_show_everything_once(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        made = [(await client.post("/v1/evaluations", json=evaluation)).json()["id"] for _ in range(5)]
        seen: list[str] = []
        url = "/v1/evaluations?limit=2&state=queued"
        while url:
            answer = await client.get(url)
            seen += [row["id"] for row in answer.json()["items"]]
            url = answer.links.get("next", {}).get("url", "")
            assert bool(url) == (answer.json()["next_cursor"] is not None)
        assert seen == sorted(made, reverse=True)
        assert (await client.get("/v1/evaluations?cursor=nonsense")).json()["field"] == "cursor"
        assert (await client.get("/v1/evaluations?state=finished")).json()["items"] == []


async def test_cancelling(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        path = (await client.post("/v1/evaluations", json=evaluation)).headers["location"]
        for _ in range(2):
            answer = await client.delete(path)
            found = answer.json()
            assert (answer.status_code, found["state"], found["verdict"]) == (202, "cancelled", "cancelled")


async def test_a_hidden_test_shows_its_verdict_alone(platform) -> None:
    tests: list[dict[str, Any]] = [
        {"id": "open", "stdin": "1", "expected_stdout": "1"},
        {"id": "secret", "stdin": "the input", "expected_stdout": "the answer", "hidden": True},
    ]
    async with platform(judge=Verdict.WRONG_ANSWER) as it, it.client(await it.key(scopes=[Scope.EVALUATE])) as client:
        answer = await client.post("/v1/evaluations?wait=1", json={"source": "", "tests": tests})
        texts = [answer.text, (await client.get(answer.headers["location"])).text]
        texts.append((await client.get(answer.headers["location"] + "/events")).text)
        texts.append((await client.get("/v1/evaluations")).text)
        for text in texts:
            assert "output of secret" not in text
            assert "the input" not in text
            assert "the answer" not in text
        shown = answer.json()["tests"][1]
        assert {name: value for name, value in shown.items() if value is not None and value is not False} == {
            "id": "secret",
            "verdict": "wrong_answer",
            "points": 0.0,
            "hidden": True,
        }


async def test_a_result_that_is_known_is_not_sent_again(platform, evaluation) -> None:
    async with platform() as it, it.client() as client:
        path = (await client.post("/v1/evaluations", json=evaluation)).headers["location"]
        tag = (await client.get(path)).headers["etag"]
        for asked in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            same = await client.get(path, headers={"If-None-Match": asked})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        await it.commands.finish((await it.store.find("evaluation"))[0], [Verdict.ACCEPTED])
        changed = await client.get(path, headers={"If-None-Match": tag})
        assert (changed.status_code, changed.json()["state"]) == (200, "finished")


async def test_a_submission_can_be_read_again_without_its_hidden_tests(platform, evaluation) -> None:
    async with platform() as it, it.client(await it.key(scopes=[Scope.EVALUATE])) as client:
        secret = {"id": "secret", "stdin": "99\n", "expected_stdout": "198\n", "points": 2.0, "hidden": True}
        asked = evaluation | {"tests": [*evaluation["tests"], secret], "files": [{"path": "a.py", "content": "A = 1"}]}
        made = (await client.post("/v1/evaluations", json=asked)).json()
        answer = await client.get(f"/v1/evaluations/{made['id']}/submission")
        assert answer.status_code == 200
        found = answer.json()
        assert (found["id"], found["source"], found["files"]) == (made["id"], asked["source"], asked["files"])
        visible, hidden = found["tests"]
        sent = evaluation["tests"][0]
        assert visible["given"] == {name: sent[name] for name in ("stdin", "expected_stdout")}
        assert hidden == {"id": "secret", "points": 2.0, "hidden": True, "group": None, "given": {}}
        assert "99" not in answer.text
        assert "198" not in answer.text
        unchanged = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(answer.request.url.path, headers=unchanged)).status_code == 304
        async with (
            it.client(await it.key("other")) as stranger,
            it.client(await it.key(scopes=[Scope.EVALUATE])) as peer,
        ):
            for client in (stranger, peer):
                assert (await client.get(answer.request.url.path)).status_code == 404
