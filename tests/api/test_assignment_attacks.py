"""A learner's key tries uploads, sockets, keys of requests and clocks against an assignment."""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import replace
from datetime import timedelta, timezone

import httpx2
import pytest

from rlplatform.testing.clock import FakeClock
from serve_apps.api.app import create_app
from tests.api.conftest import PlatformFactory
from tests.api.test_assignment_access import prepared
from tests.api.test_assignments import GOOD, SECRET, A, Course, W, course
from tests.api.test_live import hear, live, say

pytestmark = pytest.mark.anyio
SUBMISSIONS = "/v1/assignments/double/submissions"


async def upload(client: httpx2.AsyncClient, content: bytes, name: str = "data.txt") -> str:
    made = await client.post("/v1/files", params={"name": name}, content=content)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path.replace("__", "."), content)
    return out.getvalue()


async def attempts_of(it: Course, who: str) -> int:
    shown = (await it.clients[who].get("/v1/assignments/double")).json()
    return int(shown["mine"]["attempts"]["used"])


async def test_uploads_of_others_are_neither_read_nor_submitted(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        secret = await upload(it.staff, SECRET.encode())
        bobs = await upload(it.clients["bob"], zipped(main__py="def double(x): return 2 * x"), "all.zip")
        await it.publish(data=[{"path": "secret.txt", "file": secret}], attempts={"maximum": 1})
        ada = it.clients["ada"]
        for file in (secret, bobs):
            for path in (f"/v1/files/{file}", f"/v1/files/{file}/content"):
                assert (await ada.get(path)).status_code == 404
            assert (await ada.delete(f"/v1/files/{file}")).status_code == 404
            for body in (
                {"archive": {"file": file}},
                {"files": [{"path": "main.py", "content": {"file": file}}]},
                {"files": [*GOOD["files"], {"path": "copy.txt", "content": {"file": file}}]},
            ):
                refused = await ada.post(SUBMISSIONS, json=body)
                assert refused.status_code == 422, refused.text
        assert (await ada.get("/v1/files")).json()["items"] == []
        assert await attempts_of(it, "ada") == 0, "what is refused spends nothing"


async def test_no_submission_replaces_a_file_of_the_assignment(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(provided=[{"path": "judge.py", "content": "ANSWER = 1"}])
        ada = it.clients["ada"]
        files = {"main__py": "def double(x): return 2 * x", "judge__py": "ANSWER = 2"}
        archive = await upload(ada, zipped(**files), "all.zip")
        refused = await ada.post(SUBMISSIONS, json={"archive": {"file": archive}})
        assert refused.status_code == 422, refused.text
        for path in ("judge.py", "./judge.py", "a/../judge.py"):
            refused = await ada.post(SUBMISSIONS, json={"files": [*GOOD["files"], {"path": path, "content": ""}]})
            assert refused.status_code == 422, path
        assert await attempts_of(it, "ada") == 0


async def test_sockets_of_a_learner_follow_nothing_of_the_course(platform: PlatformFactory) -> None:
    async with course(platform) as it, it.it.served() as url:
        ids = await prepared(it)
        key = it.clients["ada"].headers["authorization"].removeprefix("Bearer ")
        own = (await it.staff.get(f"{SUBMISSIONS}/{ids['own']}")).json()["evaluation_id"]
        async with live(url, key) as socket:
            assert (await hear(socket))["type"] == "authenticated"
            for stream in (
                f"evaluations/{ids['evaluation_id']}",
                f"evaluations/{own}",
                *(f"assignments/{ids[name]}" for name in ("assignment", "regrade_id", "work")),
            ):
                await say(socket, type="subscribe", stream=stream)
                heard = await hear(socket)
                assert (heard["type"], heard.get("code")) == ("error", "not_found"), stream


@pytest.mark.parametrize("key", ["opened", "graded", "failed", "0", "work_" + "0" * 26])
async def test_no_idempotency_key_is_taken_for_an_event_of_the_platform(platform: PlatformFactory, key: str) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 1})
        ada, header = it.clients["ada"], {"Idempotency-Key": key}
        made = await ada.post(SUBMISSIONS, json=GOOD, headers=header)
        assert made.status_code == 202, made.text
        again = await ada.post(SUBMISSIONS, json=GOOD, headers=header)
        assert (again.status_code, again.json()["id"]) == (202, made.json()["id"])
        assert (await ada.post(SUBMISSIONS, json=GOOD)).json()["code"] == "no_attempt"
        await it.judge(made.json(), A, W)
        assert (await it.grades())["s1"]["points"] == 1


async def test_one_key_with_several_bodies_at_once_spends_one_attempt(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 3})
        ada, header = it.clients["ada"], {"Idempotency-Key": "same"}
        bodies = [{"files": [{"path": "main.py", "content": f"# {number}"}]} for number in range(8)]
        answers = await asyncio.gather(*(ada.post(SUBMISSIONS, json=body, headers=header) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
        assert await attempts_of(it, "ada") == 1


async def test_token_bucket_gives_no_more_than_it_holds(platform: PlatformFactory) -> None:
    """Simultaneous submissions, repeated idempotency keys, and a replica whose clock is behind."""
    async with course(platform) as it:
        await it.publish(attempts={"bucket": {"capacity": 2, "refill_s": 3600}})
        ada = it.clients["ada"]
        services = replace(it.it.app.state.context.services, clock=FakeClock(it.clock.now() - timedelta(days=1)))
        behind = create_app(services, it.it.app.state.context.settings)
        headers = {"authorization": ada.headers["authorization"]}
        transport = httpx2.ASGITransport(behind)
        async with httpx2.AsyncClient(transport=transport, base_url="http://rlp.test", headers=headers) as late:

            async def tried(rounds: int) -> list[str]:
                """Submit at once on both replicas, each key twice; return the ids of what was accepted."""
                sent = []
                for number in range(rounds):
                    body = {"files": [{"path": "main.py", "content": f"# {it.clock.monotonic()} {number}"}]}
                    key = {"Idempotency-Key": f"{it.clock.monotonic()}-{number}"}
                    sent += [client.post(SUBMISSIONS, json=body, headers=key) for client in (ada, late) * 2]
                answers = await asyncio.gather(*sent)
                assert {answer.status_code for answer in answers} <= {202, 409}
                return sorted({answer.json()["id"] for answer in answers if answer.status_code == 202})

            assert len(await tried(6)) == 2
            await it.clock.advance(3599)
            assert await tried(4) == []
            await it.clock.advance(1)
            assert len(await tried(4)) == 1
            await it.clock.advance(10 * 3600)
            assert len(await tried(6)) == 2, "it holds no more than its capacity"
        assert await attempts_of(it, "ada") == 5


async def test_key_of_an_attempt_that_was_refused_or_used_brings_no_further_one(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        closes = it.clock.now() + timedelta(hours=1)
        await it.publish(attempts={"maximum": 1}, closes_at=closes.isoformat())
        ada = it.clients["ada"]
        first = await ada.post(SUBMISSIONS, json=GOOD, headers={"Idempotency-Key": "first"})
        for key in ("second", "second", "FIRST", "first"):
            answer = await ada.post(SUBMISSIONS, json=GOOD, headers={"Idempotency-Key": key})
            replayed = key == "first"
            assert answer.status_code == (202 if replayed else 409), answer.text
            assert not replayed or answer.json()["id"] == first.json()["id"]
        other = {"files": [{"path": "main.py", "content": "# after it closed"}]}
        await it.clock.advance(3601)
        late = await ada.post(SUBMISSIONS, json=other, headers={"Idempotency-Key": "first"})
        assert (late.status_code, late.json()["code"]) == (409, "idempotency_mismatch")
        assert (await it.submit("bob")).status_code == 409, "it is closed"
        assert await attempts_of(it, "ada") == 1


@pytest.mark.parametrize("hours", [-12, 0, 14])
async def test_dates_are_instants_whatever_their_zone_is(platform: PlatformFactory, hours: int) -> None:
    async with course(platform) as it:
        due = (it.clock.now() + timedelta(hours=1)).astimezone(timezone(timedelta(hours=hours)))
        closes = due + timedelta(hours=1)
        dates = {"due_at": due.isoformat(), "closes_at": closes.isoformat(), "late": {"per_day": 0.5}}
        await it.publish(**dates)
        zone = {"Time-Zone": "Pacific/Kiritimati", "Date": "Mon, 01 Jan 2001 00:00:00 GMT"}
        shares = []
        for wait_s in (3599, 2):
            await it.clock.advance(wait_s)
            body = {"files": [{"path": "main.py", "content": f"# {wait_s}"}]}
            shares.append((await it.clients["ada"].post(SUBMISSIONS, json=body, headers=zone)).json()["late_share"])
        assert shares == [0, 0.5]
        await it.clock.advance(3600)
        assert (await it.clients["ada"].post(SUBMISSIONS, json=GOOD, headers=zone)).status_code == 409
