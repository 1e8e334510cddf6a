"""A learner's key reads and influences nothing but the learner's own submissions: every route is tried."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from rlplatform.access.principals import Scope
from tests.api.conftest import PlatformFactory
from tests.api.test_assignments import SECRET, A, Course, W, course

pytestmark = pytest.mark.anyio
BOBS = "# the program of bob"
HIDDEN = "output of text"  # what the hidden test printed


async def prepared(it: Course) -> dict[str, str]:
    """Publish, submit as both, grade, begin a regrade; return the ids that a learner could guess."""
    shown = await it.publish(attempts={"maximum": 3}, leaderboard={})
    adas = (await it.submit("ada", "# ada")).json()
    bobs = (await it.submit("bob", BOBS)).json()
    await it.judge(adas, A, W)
    await it.judge(bobs, A, A)
    await it.staff.put("/v1/assignments/upcoming", json=secret_definition(it))
    regrade = (await it.staff.post("/v1/assignments/double:regrade", json={})).json()["id"]
    staffs = (await it.staff.get(f"/v1/assignments/double/submissions/{bobs['id']}")).json()
    works = await it.it.store.find("work")
    return {
        "name": "double",
        "version": "1",
        "submission_id": bobs["id"],
        "own": adas["id"],
        "evaluation_id": staffs["evaluation_id"],
        "assignment": shown["staff"]["id"],
        "regrade_id": regrade,
        "member_id": it.ids["bob"],
        "work": next(run.id for run in works if run.document.member_id == it.ids["bob"]),
    }


def secret_definition(it: Course) -> dict[str, Any]:
    opens = (it.clock.now() + timedelta(days=1)).isoformat()
    return {
        "title": "later",
        "statement": SECRET,
        "tests": [{"id": "t", "stdin": "", "expected_stdout": SECRET}],
        "opens_at": opens,
    }


def tell_tales(text: str) -> list[str]:
    """Return the secrets that ``text`` gives away."""
    return [secret for secret in (SECRET, BOBS, HIDDEN, '"args"', '"s2"', "=Bob") if secret in text]


async def state_of_the_course(it: Course) -> str:
    runs = [run for kind in ("assignment", "regrade", "evaluation") for run in await it.it.store.find(kind)]
    works = [run for run in await it.it.store.find("work") if run.document.member_id == it.ids["bob"]]
    return "".join(run.model_dump_json() for run in [*runs, *works]) + str(
        [await it.it.store.list_documents(kind) for kind in ("member", "course", "assignment.version")]
    )


async def test_no_route_shows_a_learner_tests_or_anothers_work_or_lets_it_change_them(
    platform: PlatformFactory,
) -> None:
    async with course(platform) as it:
        ids = await prepared(it)
        before = await state_of_the_course(it)
        ada = it.clients["ada"]
        tried = 0
        for route in it.it.app.state.routes:
            named = re.findall(r"{(\w+)", route.path)
            for values in ({**ids}, {**ids, "name": "upcoming"}, {**ids, "submission_id": ids["own"]}):
                path = re.sub(r"{(\w+)[^}]*}", lambda found, v=values: v.get(found[1], "x"), route.path)
                for method in route.methods - {"HEAD"}:
                    if "own" in values and values["submission_id"] == ids["own"] and "submission_id" in named:
                        if method != "GET":
                            continue
                        if path.endswith("/events"):
                            continue  # a stream of its own: below
                    if (method, route.path) == ("POST", "/v1/assignments/{name}/submissions"):
                        continue  # what a learner may do
                    answer = await ada.request(method, path, json={} if method in ("POST", "PUT") else None)
                    tried += 1
                    allowed = tell_tales(answer.text)
                    assert allowed == [], (method, path, answer.text)
        assert tried > 150
        staffs = await it.staff.get(f"/v1/assignments/double/submissions/{ids['submission_id']}")
        assert {BOBS, HIDDEN} <= set(tell_tales(staffs.text)), "secrets are told from what staff see"
        assert await state_of_the_course(it) == before
        for stream in (
            f"evaluations/{ids['evaluation_id']}",
            f"assignments/{ids['assignment']}",
            f"assignments/{ids['regrade_id']}",
            f"assignments/{ids['work']}",
        ):
            refused = await ada.post("/v1/tickets", json={"stream": stream})
            assert refused.status_code == 404, stream
        listed = await ada.get("/v1/evaluations", params={"limit": 200})
        assert listed.json()["items"] == [], "evaluations of submissions belong to their assignment"
        everybody = await ada.get("/v1/assignments/double/submissions", params={"member": it.ids["bob"]})
        assert everybody.status_code == 404
        own = (await ada.get("/v1/assignments/double/submissions")).json()["items"]
        assert [one["id"] for one in own] == [ids["own"]]


async def test_the_stream_of_an_own_submission_hides_hidden_tests(platform: PlatformFactory) -> None:
    async with course(platform) as it, it.it.served() as url:
        ids = await prepared(it)
        header = {"Authorization": it.clients["ada"].headers["authorization"]}
        async with httpx2.AsyncClient(base_url=url, headers=header) as ada:
            own = await ada.get(f"/v1/assignments/double/submissions/{ids['own']}/events")
            assert own.status_code == 200
            events = [json.loads(line[6:]) for line in own.text.splitlines() if line.startswith("data: ")]
            assert [event["type"] for event in events][-1] == "evaluation.finished"
            assert tell_tales(own.text) == []
            assert (await ada.get(f"/v1/assignments/double/submissions/{ids['submission_id']}/events")).is_error


async def test_a_learner_cannot_manage_a_course(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        ids = await prepared(it)
        ada, where = it.clients["ada"], "/v1/assignments/double"
        for method, path, body in (
            ("PUT", where, {"title": "mine", "tests": [{"id": "t", "stdin": "", "expected_stdout": ""}]}),
            ("PUT", f"{where}/extensions/{it.ids['ada']}", {"extra_attempts": 100}),
            ("DELETE", f"{where}/extensions/{it.ids['ada']}", None),
            ("PUT", f"{where}/adjustments/{it.ids['ada']}", {"points": 100, "reason": "me"}),
            ("POST", f"{where}:regrade", {"dry_run": False}),
            ("POST", f"{where}/regrades/{ids['regrade_id']}:commit", None),
            ("POST", f"{where}/regrades/{ids['regrade_id']}:discard", None),
            ("POST", f"{where}/submissions/{ids['own']}/comments", {"path": "main.py", "text": "10/10"}),
            ("GET", f"{where}/grades", None),
            ("GET", f"{where}/archive", None),
            ("GET", f"{where}/similarity", None),
            ("POST", f"{where}/similarity", {}),
            ("GET", f"{where}/versions/1", None),
            ("POST", "/v1/members:import", {"members": [{"external_id": "s9"}], "credentials": "keys"}),
            ("POST", f"/v1/members/{it.ids['bob']}/invitations", {}),
            ("DELETE", f"/v1/members/{it.ids['bob']}/invitations", None),
            ("POST", "/v1/members:invite", {"members": [it.ids["ada"]]}),
            ("GET", "/v1/invitations", None),
            ("DELETE", f"/v1/members/{it.ids['bob']}", None),
            ("PUT", "/v1/course", {"learners_evaluate_freely": True}),
            ("POST", "/v1/keys", {"name": "x", "role": "learner"}),
        ):
            refused = await ada.request(method, path, json=body)
            assert refused.status_code == 403, (method, path, refused.text)


async def test_no_body_of_a_learner_carries_tests_time_or_attempts(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 1}, due_at=it.clock.now().isoformat(), late={"per_day": 0.5})
        await it.clock.advance(60)
        ada, where = it.clients["ada"], "/v1/assignments/double/submissions"
        files = [{"path": "main.py", "content": "x"}]
        for extra in (
            {"tests": []},
            {"submitted_at": "2000-01-01T00:00:00Z"},
            {"attempts": {"maximum": 9}},
            {"member_id": it.ids["bob"]},
            {"evaluation_id": "eval_" + "0" * 26},
            {"priority": "high"},
            {"image": "python"},
        ):
            assert (await ada.post(where, json={"files": files, **extra})).status_code == 422, extra
        dated = {"Date": "Mon, 01 Jan 2001 00:00:00 GMT", "X-Request-Start": "0", "Time-Zone": "Pacific/Kiritimati"}
        made = await ada.post(where, json={"files": files}, headers=dated)
        assert (made.status_code, made.json()["late_share"]) == (202, 0.5)
        assert (await ada.post(where, json={"files": files}, headers=dated)).json()["code"] == "no_attempt"


async def test_second_key_of_a_member_shares_the_attempts(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 2})
        invitation = (await it.staff.post(f"/v1/members/{it.ids['ada']}/invitations", json={})).json()["invitation"]
        second = (await it.staff.post("/v1/invitations:accept", json={"invitation": invitation})).json()["api_key"]
        async with it.it.client(second) as again:
            where, body = "/v1/assignments/double/submissions", {"files": [{"path": "main.py", "content": "x"}]}
            answers = await asyncio.gather(
                *(client.post(where, json=body) for client in (again, it.clients["ada"]) for _ in range(4))
            )
        assert sorted(answer.status_code for answer in answers) == [202] * 2 + [409] * 6


async def test_keys_of_other_tenants_and_of_no_member_are_told_so(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        async with it.it.client(await it.it.key("other", scopes=[Scope.ADMIN])) as stranger:
            for path in ("", "/submissions", "/grades", "/leaderboard", "/regrades"):
                assert (await stranger.get(f"/v1/assignments/double{path}")).status_code == 404
            assert (await stranger.delete(f"/v1/members/{it.ids['ada']}")).status_code == 404
        async with it.it.client(await it.it.key(scopes=[Scope.EVALUATE])) as nobody:
            refused = await nobody.get("/v1/assignments/double")
            assert (refused.status_code, "not a member" in refused.json()["detail"]) == (403, True)
            assert (await nobody.get("/v1/assignments")).json()["items"] == []
