"""``/v1/assignments`` for staff and learners: publish, submit, grade, regrade."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from rlplatform.access.principals import Scope
from rlplatform.evaluation.models import Verdict
from rlplatform.ids import kind_of
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.files import MemoryFiles
from tests.api.conftest import Platform, PlatformFactory

pytestmark = pytest.mark.anyio
SECRET = "the-secret-of-the-test"
BODY: dict[str, Any] = {
    "title": "Double",
    "statement": "Return *twice* the number.",
    "starter": [{"path": "main.py", "content": "def double(x): ..."}],
    "grader": {"kind": "function", "entry": "double"},
    "tests": [
        {"id": "two", "args": [2], "expected": 4},
        {"id": "text", "args": [SECRET], "expected": SECRET * 2, "hidden": True, "points": 3},
    ],
}
GOOD = {"files": [{"path": "main.py", "content": "def double(x): return 2 * x"}]}
A, W = Verdict.ACCEPTED, Verdict.WRONG_ANSWER


class Course:
    """A course with two learners, on a platform in process."""

    def __init__(self, it: Platform, staff: httpx2.AsyncClient, clock: FakeClock) -> None:
        self.it = it
        self.staff = staff
        self.clock = clock
        self.clients: dict[str, httpx2.AsyncClient] = {}
        self.ids: dict[str, str] = {}

    async def publish(self, name: str = "double", **changes: Any) -> dict[str, Any]:
        answer = await self.staff.put(f"/v1/assignments/{name}", json=BODY | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def submit(self, who: str, source: str | None = None, **more: Any) -> httpx2.Response:
        body = {"files": [{"path": "main.py", "content": source}]} if source is not None else GOOD
        return await self.clients[who].post("/v1/assignments/double/submissions", json=body | more)

    async def judge(self, submission: dict[str, Any], *verdicts: Verdict) -> None:
        """End the evaluation of a submission."""
        shown = (await self.staff.get(f"/v1/assignments/double/submissions/{submission['id']}")).json()
        run = await self.it.store.get(shown["evaluation_id"])
        await self.it.commands.finish(run, verdicts)
        await self.it.commands.submissions.scan()

    async def judge_regrade(self, *verdicts: Verdict) -> None:
        """End all evaluations that wait."""
        for run in await self.it.store.find("evaluation", states=("queued",)):
            await self.it.commands.finish(run, verdicts)
        await self.it.commands.submissions.scan()

    async def grades(self) -> dict[str, Any]:
        items = (await self.staff.get("/v1/assignments/double/grades")).json()["items"]
        return {row["external_id"]: row for row in items}


@asynccontextmanager
async def course(platform: PlatformFactory, **options: Any) -> AsyncIterator[Course]:
    clock = FakeClock()
    async with (
        platform(clock=clock, files=MemoryFiles(), **options) as it,
        it.client(await it.key(scopes=[Scope.ADMIN])) as staff,
    ):
        made = Course(it, staff, clock)
        roster = {
            "members": [{"external_id": "s1", "name": "Ada"}, {"external_id": "s2", "name": "=Bob"}],
            "credentials": "keys",
        }
        rows = (await staff.post("/v1/members:import", json=roster)).json()["results"]
        async with it.client(rows[0]["api_key"]) as ada, it.client(rows[1]["api_key"]) as bob:
            made.clients = {"ada": ada, "bob": bob}
            made.ids = {"ada": rows[0]["member"]["id"], "bob": rows[1]["member"]["id"]}
            yield made


async def test_assignment_is_published_submitted_to_and_graded(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        made = await it.publish()
        assert (made["version"], made["max_points"], made["staff"]["definition"]["tests"][1]["args"]) == (
            1,
            4,
            [SECRET],
        )
        shown = (await it.clients["ada"].get("/v1/assignments/double")).json()
        assert (shown["statement"], shown["tests"], shown["mine"]["attempts"]["allowed"]) == (
            BODY["statement"],
            2,
            True,
        )
        answer = await it.submit("ada")
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        assert answer.headers["location"] == f"/v1/assignments/double/submissions/{answer.json()['id']}"
        await it.judge(answer.json(), A, W)
        mine = (await it.clients["ada"].get(answer.headers["location"])).json()
        assert (mine["state"], mine["points"], mine["max_points"], mine["verdict"]) == ("graded", 1, 4, "wrong_answer")
        assert mine["content"] == GOOD["files"]
        assert [(one["id"], one["stdout"]) for one in mine["results"]] == [("two", "output of two\n"), ("text", None)]
        staffs = (await it.staff.get(answer.headers["location"])).json()
        assert (staffs["results"][1]["stdout"], staffs["member"]) == ("output of text\n", "Ada")
        grades = await it.grades()
        assert (grades["s1"]["points"], grades["s2"]["points"], grades["s2"]["submissions"]) == (1, None, 0)
        listed = (await it.clients["ada"].get("/v1/assignments")).json()["items"]
        assert [(one["name"], one["mine"]["points"]) for one in listed] == [("double", 1)]


async def test_same_definition_makes_no_version_and_versions_never_change(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        again = await it.staff.put("/v1/assignments/double", json=BODY)
        assert (again.status_code, again.json()["version"]) == (200, 1)
        changed = await it.staff.put("/v1/assignments/double", json=BODY | {"statement": "new"})
        assert (changed.status_code, changed.json()["version"]) == (201, 2)
        first = (await it.staff.get("/v1/assignments/double/versions/1")).json()
        assert first["statement"] == BODY["statement"]
        assert (await it.staff.get("/v1/assignments/double/versions/3")).status_code == 404
        stale = await it.submit("ada", version=1)
        assert (stale.status_code, stale.json()["version"]) == (409, 2)


async def test_versions_published_at_once_get_numbers_of_their_own(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        bodies = [BODY | {"statement": str(number)} for number in range(6)]
        answers = await asyncio.gather(*(it.staff.put("/v1/assignments/double", json=body) for body in bodies))
        published = [answer.json()["version"] for answer in answers if answer.status_code == 201]
        assert {answer.status_code for answer in answers} <= {201, 409}
        shown = (await it.staff.get("/v1/assignments/double")).json()
        assert [version["number"] for version in shown["staff"]["versions"]] == list(range(1, len(published) + 1))


@pytest.mark.parametrize("name", ["Double", "a_b", "-a", "a" * 65, "double:regrade"])
async def test_names_are_plain(platform: PlatformFactory, name: str) -> None:
    async with course(platform) as it:
        refused = await it.staff.put(f"/v1/assignments/{name}", json=BODY)
        assert (refused.status_code, refused.json()["field"]) == (422, "name")


async def test_attempts_are_shown_and_spent_once_each_whatever_comes_at_once(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 3})
        answers = await asyncio.gather(*(it.submit("ada", f"# {number}") for number in range(20)))
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [409] * 17
        refused = next(answer.json() for answer in answers if answer.status_code == 409)
        assert (refused["code"], refused["used"], refused["maximum"], refused["next_at"]) == ("no_attempt", 3, 3, None)
        shown = (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]["attempts"]
        assert (shown["used"], shown["left"], shown["allowed"]) == (3, 0, False)
        assert (await it.submit("bob")).status_code == 202, "each member has attempts of their own"
        extended = await it.staff.put(f"/v1/assignments/double/extensions/{it.ids['ada']}", json={"extra_attempts": 1})
        assert extended.status_code == 200
        assert [(await it.submit("ada")).status_code for _ in range(2)] == [202, 409]


async def test_replayed_key_gives_the_same_submission_and_spends_nothing(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 2})
        ada, where = it.clients["ada"], "/v1/assignments/double/submissions"
        key = {"Idempotency-Key": "once"}
        answers = await asyncio.gather(*(ada.post(where, json=GOOD, headers=key) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
        other = await ada.post(where, json={"files": [{"path": "main.py", "content": "1"}]}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
        bob = await it.clients["bob"].post(where, json=GOOD, headers=key)
        assert bob.json()["id"] != answers[0].json()["id"], "keys belong to members"
        assert (await it.submit("ada", "# 2")).status_code == 202
        assert (await it.submit("ada", "# 3")).status_code == 409
        await it.clock.advance(90 * 86_400)
        late = await ada.post(where, json=GOOD, headers=key)
        assert (late.status_code, late.json()["id"]) == (202, answers[0].json()["id"]), "a key is never forgotten"


async def test_cool_down_follows_the_clock_of_the_platform(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"cool_down_s": 600})
        assert (await it.submit("ada", "# 1")).status_code == 202
        early = await it.submit("ada", "# 2")
        assert (early.status_code, early.json()["next_at"] is not None) == (409, True)
        await it.clock.advance(600)
        assert (await it.submit("ada", "# 2")).status_code == 202


async def test_dates_open_close_and_cost(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        now = it.clock.now()
        dates = {
            "opens_at": (now + timedelta(hours=1)).isoformat(),
            "due_at": (now + timedelta(hours=2)).isoformat(),
            "closes_at": (now + timedelta(days=3)).isoformat(),
            "late": {"per_day": 0.25},
        }
        await it.publish(**dates)
        assert (await it.clients["ada"].get("/v1/assignments/double")).status_code == 404
        assert (await it.clients["ada"].get("/v1/assignments")).json()["items"] == []
        assert (await it.submit("ada")).status_code == 404
        await it.clock.advance(3600)
        in_time = (await it.submit("ada", "# in time")).json()
        await it.judge(in_time, A, W)
        mine = (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]
        assert (mine["date_state"], mine["late_share"]) == ("open", 0)
        await it.clock.advance(86_400)
        mine = (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]
        assert (mine["date_state"], mine["late_share"]) == ("late", 0.25), "the penalty is known before submitting"
        late = (await it.submit("ada", "# late")).json()
        await it.judge(late, A, A)
        row = (await it.grades())["s1"]
        assert (row["points"], row["late_share"], row["score"], row["submission_id"]) == (3.0, 0.25, 4.0, late["id"])
        where = f"/v1/assignments/double/extensions/{it.ids['ada']}"
        await it.staff.put(where, json={"due_at": (it.clock.now() + timedelta(days=9)).isoformat()})
        assert (await it.grades())["s1"]["points"] == 4.0, "an extension also holds for what was submitted before"
        await it.clock.advance(3 * 86_400)
        assert (await it.submit("bob")).json()["code"] == "conflict"
        assert (await it.submit("ada", "# extended")).status_code == 202
        assert (await it.staff.delete(where)).status_code == 200
        assert (await it.submit("ada", "# too late")).status_code == 409


async def test_last_or_best_counts_and_equal_files_keep_their_first_result(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        outcomes = (("# 1", (A, W)), ("# lucky", (W, W)), ("# lucky", (A, A)))
        for source, verdicts in outcomes:
            await it.judge((await it.submit("ada", source)).json(), *verdicts)
        assert (await it.grades())["s1"]["points"] == 1, "the same files again cannot raise the score"
        await it.staff.put("/v1/assignments/double", json=BODY | {"counts": "last"})
        assert (await it.grades())["s1"]["points"] == 0


async def test_failure_of_the_platform_gives_the_attempt_back(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(attempts={"maximum": 1})
        made = (await it.submit("ada")).json()
        await it.judge(made, A, Verdict.INTERNAL_ERROR)
        shown = (await it.clients["ada"].get(f"/v1/assignments/double/submissions/{made['id']}")).json()
        assert (shown["state"], "the platform failed" in shown["message"]) == ("failed", True)
        assert (await it.grades())["s1"]["points"] is None
        assert (await it.submit("ada")).status_code == 202


async def test_submission_is_accepted_without_a_sandbox_and_judged_later(platform: PlatformFactory) -> None:
    async with course(platform, sandbox="no Docker engine") as it:
        await it.publish()
        made = await it.submit("ada")
        assert (made.status_code, made.json()["state"]) == (202, "pending")
        await it.it.commands.submissions.scan()
        it.it.commands.sandbox = None
        await it.it.commands.submissions.scan()
        await it.judge(made.json(), A, A)
        assert (await it.grades())["s1"]["points"] == 4


async def test_regrade_lists_who_gains_and_loses_and_commits_as_one_event(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        await it.judge((await it.submit("ada", "# a")).json(), A, W)
        await it.judge((await it.submit("bob", "# b")).json(), A, A)
        await it.staff.put("/v1/assignments/double", json=BODY | {"statement": "other tests"})
        begun = await it.staff.post("/v1/assignments/double:regrade", json={})
        regrade = begun.json()
        assert (begun.status_code, regrade["state"], regrade["total"], regrade["version"]) == (202, "running", 2, 2)
        busy = await it.staff.post("/v1/assignments/double:regrade", json={})
        assert (busy.status_code, busy.json()["regrade"]) == (409, regrade["id"])
        where = f"/v1/assignments/double/regrades/{regrade['id']}"
        assert (await it.staff.post(f"{where}:commit")).status_code == 409
        by_member = {}
        for run in await it.it.store.find("evaluation", states=("queued",)):
            verdicts = (A, A) if run.request.source == "# a" else (W, A)
            by_member[run.request.source] = run.request.priority
            await it.it.commands.finish(run, verdicts)
        await it.it.commands.submissions.scan()
        assert set(by_member.values()) == {"low"}
        report = (await it.staff.get(where)).json()
        assert (report["state"], report["gained"], report["lost"]) == ("ready", 1, 1)
        assert [(row["external_id"], row["before"], row["after"]) for row in report["changes"]] == [
            ("s2", 4, 3),
            ("s1", 1, 4),
        ]
        assert (await it.grades())["s1"]["points"] == 1, "a dry run changes nothing"
        for _ in range(2):
            assert (await it.staff.post(f"{where}:commit")).json()["state"] == "committed"
        grades = await it.grades()
        assert (grades["s1"]["points"], grades["s2"]["points"]) == (4, 3)
        events = await it.it.store.read(f"assignments/{regrade['assignment_id']}")
        assert [event.type for event in events].count("assignment.regraded") == 1
        await it.judge((await it.submit("bob", "# new")).json(), A, A)
        assert (await it.grades())["s2"]["points"] == 4, "later submissions have results of their own"


async def test_regrade_can_commit_by_itself_be_repeated_and_be_discarded(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        await it.judge((await it.submit("ada", "# a")).json(), W, W)
        key = {"Idempotency-Key": "again"}
        first, second = [
            await it.staff.post("/v1/assignments/double:regrade", json={"dry_run": False}, headers=key)
            for _ in range(2)
        ]
        assert first.json()["id"] == second.json()["id"]
        await it.judge_regrade(A, A)
        assert (await it.grades())["s1"]["points"] == 4
        dropped = (await it.staff.post("/v1/assignments/double:regrade", json={})).json()
        where = f"/v1/assignments/double/regrades/{dropped['id']}"
        assert (await it.staff.post(f"{where}:discard")).json()["state"] == "discarded"
        await it.judge_regrade(W, W)
        assert (await it.grades())["s1"]["points"] == 4
        assert (await it.staff.post(f"{where}:commit")).status_code == 409
        listed = (await it.staff.get("/v1/assignments/double/regrades")).json()["items"]
        assert [one["state"] for one in listed] == ["discarded", "committed"]


async def test_leaderboard_has_pseudonyms_ties_and_a_freeze(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        freeze_at = it.clock.now() + timedelta(days=1)
        await it.publish(leaderboard={"freeze_at": freeze_at.isoformat()})
        for who in ("ada", "bob"):
            await it.judge((await it.submit(who)).json(), A, W)
        rows = (await it.clients["ada"].get("/v1/assignments/double/leaderboard")).json()["items"]
        assert [(row["rank"], row["value"], row["me"]) for row in rows] == [(1, 1, True), (1, 1, False)]
        assert "Ada" not in str(rows)
        await it.clock.advance(2 * 86_400)
        await it.judge((await it.submit("bob", "# better")).json(), A, A)
        frozen = (await it.clients["bob"].get("/v1/assignments/double/leaderboard")).json()
        assert [row["value"] for row in frozen["items"]] == [1, 1]
        assert frozen["frozen_at"] is not None
        final = (await it.staff.get("/v1/assignments/double/leaderboard")).json()
        assert [(row["rank"], row["name"], row["value"]) for row in final["items"]] == [(1, "=Bob", 4), (2, "Ada", 1)]


async def test_hidden_episodes_are_the_same_for_all_submissions_to_a_version_and_fresh_in_a_final_one(
    platform: PlatformFactory,
) -> None:
    async with course(platform) as it:
        tests = [{"id": "open"}, {"id": "known", "hidden": True, "seed": 7}]
        tests += [{"id": name, "hidden": True, "episodes": 32} for name in ("one", "other")]
        agent = {"grader": {"kind": "episode", "env": "CartPole-v1"}, "tests": tests}

        async def seeds() -> set[tuple[int | None, ...]]:
            runs = await it.it.store.find("evaluation", states=("queued",))
            return {tuple(test.seed for test in run.request.tests) for run in runs}

        await it.publish(**agent, leaderboard={"freeze_at": it.clock.now().isoformat()})
        for who in ("ada", "bob", "ada"):
            await it.submit(who, f"# {who}")
        ((visible, known, one, other),) = await seeds()
        assert (visible, known) == (None, 7)
        assert len({one, other, None}) == 3
        await it.judge_regrade(A, A, A, A)
        await it.publish(**agent, leaderboard={})
        await it.staff.post("/v1/assignments/double:regrade", json={})
        await it.it.commands.submissions.scan()
        ((_, _, *fresh),) = await seeds()
        assert not {one, other} & {*fresh}
        shown = (await it.clients["ada"].get("/v1/assignments/double")).json()
        secret = (await it.staff.get("/v1/assignments/double")).json()["staff"]["versions"][0]["seed_secret"]
        assert secret is not None
        assert secret not in str(shown)


async def test_learner_reads_the_reason_of_an_adjustment_and_staff_its_history(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        made = (await it.submit("ada")).json()
        await it.judge(made, A, W)
        assert (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]["adjustment"] is None
        for points, reason in ((-1, "no report"), (2, "it came by email")):
            body = {"points": points, "reason": reason}
            await it.staff.put(f"/v1/assignments/double/adjustments/{it.ids['ada']}", json=body)
        mine = (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]
        assert (mine["points"], mine["adjustment"]["reason"]) == (3, "it came by email")
        shown = (await it.staff.get(f"/v1/assignments/double/submissions/{made['id']}")).json()
        assert [one["reason"] for one in shown["adjustments"]] == ["no report", "it came by email"]


async def test_grades_come_as_csv_and_for_gradescope(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        await it.judge((await it.submit("bob")).json(), A, W)
        adjusted = await it.staff.put(
            f"/v1/assignments/double/adjustments/{it.ids['bob']}", json={"points": 0.5, "reason": "style"}
        )
        assert [one["points"] for one in adjusted.json()["adjustments"]] == [0.5]
        table = await it.staff.get("/v1/assignments/double/grades", params={"format": "csv"})
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        lines = table.text.splitlines()
        assert lines[0].endswith("submission_id,test two,test text")
        assert lines[2].startswith("s2,'=Bob,,,1.5,4.0,1.0,0.0,0.5,wrong_answer,1,"), "a name is never a formula"
        scope = (await it.staff.get("/v1/assignments/double/grades", params={"format": "gradescope"})).json()
        assert list(scope) == ["s2"]
        assert scope["s2"]["score"] == 1.5
        assert [(t["name"], t["status"], t["visibility"]) for t in scope["s2"]["tests"]] == [
            ("two", "passed", "visible"),
            ("text", "failed", "after_published"),
        ]
        rates = (await it.staff.get("/v1/assignments/double/grades")).json()["tests"]
        assert [(rate["id"], rate["passed"], rate["graded"]) for rate in rates] == [("two", 1, 1), ("text", 0, 1)]


async def test_comments_of_staff_reach_the_learner(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        made = (await it.submit("ada")).json()
        where = f"/v1/assignments/double/submissions/{made['id']}"
        written = await it.staff.post(f"{where}/comments", json={"path": "main.py", "line": 1, "text": "good"})
        assert written.status_code == 201
        unknown = await it.staff.post(f"{where}/comments", json={"path": "other.py", "text": "?"})
        assert (unknown.status_code, unknown.json()["field"]) == (422, "path")
        assert [one["text"] for one in (await it.clients["ada"].get(where)).json()["comments"]] == ["good"]


async def test_roster_is_idempotent_and_invitations_work_once(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        roster = {"members": [{"external_id": "s1", "name": "Ada Lovelace"}, {"external_id": "s3", "sub": "ada@idp"}]}
        for created in (True, False):
            rows = (await it.staff.post("/v1/members:import", json=roster)).json()["results"]
            assert [row["created"] for row in rows] == [False, created]
        members = (await it.staff.get("/v1/members")).json()["items"]
        assert [(one["external_id"], one["name"]) for one in members] == [
            ("s1", "Ada Lovelace"),
            ("s2", "=Bob"),
            ("s3", ""),
        ]
        taken = await it.staff.post("/v1/members:import", json={"members": [{"external_id": "s4", "sub": "ada@idp"}]})
        assert (taken.status_code, taken.json()["field"]) == (409, "members.0.sub")
        invited = await it.staff.post(f"/v1/members/{rows[1]['member']['id']}/invitations", json={})
        text = {"invitation": invited.json()["invitation"]}
        async with it.it.client() as stranger:
            del stranger.headers["authorization"]
            answers = await asyncio.gather(*(stranger.post("/v1/invitations:accept", json=text) for _ in range(5)))
            assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401, 401]
            made = next(answer.json() for answer in answers if answer.status_code == 201)
            late = (await it.staff.post(f"/v1/members/{it.ids['bob']}/invitations", json={"expires_in_s": 60})).json()
            await it.clock.advance(61)
            assert (await stranger.post("/v1/invitations:accept", json={"invitation": late["invitation"]})).is_error
        async with it.it.client(made["api_key"]) as invitee:
            me = await invitee.get("/v1/members/me")
            assert (me.json()["external_id"], kind_of(me.json()["id"]).value) == ("s3", "mem")


async def test_removed_member_can_do_nothing_more_and_keeps_the_grade(platform: PlatformFactory) -> None:
    async with course(platform, settings={"access": {"pepper": "pepper", "key_lease_s": 0}}) as it:
        await it.publish()
        await it.judge((await it.submit("ada")).json(), A, A)
        assert (await it.staff.delete(f"/v1/members/{it.ids['ada']}")).json()["state"] == "removed"
        assert (await it.submit("ada")).status_code == 401
        assert (await it.grades())["s1"]["points"] == 4
        assert (await it.staff.post(f"/v1/members/{it.ids['ada']}/invitations", json={})).status_code == 409


async def test_course_decides_whether_learners_evaluate_freely(
    platform: PlatformFactory, evaluation: dict[str, Any]
) -> None:
    async with course(platform) as it:
        assert (await it.clients["ada"].post("/v1/evaluations", json=evaluation)).status_code == 202
        assert (await it.staff.put("/v1/course", json={"learners_evaluate_freely": False})).status_code == 200
        await it.clock.advance(2)
        for path, body in (("evaluations", evaluation), ("evaluations:batch", {"evaluations": [evaluation]})):
            refused = await it.clients["ada"].post(f"/v1/{path}", json=body)
            assert (refused.status_code, "submit to assignments" in refused.json()["detail"]) == (403, True)
        assert (await it.staff.post("/v1/evaluations", json=evaluation)).status_code == 202
        await it.publish()
        assert (await it.submit("ada")).status_code == 202


async def test_archive_is_a_submission_and_cannot_replace_what_the_assignment_provides(
    platform: PlatformFactory,
) -> None:
    async with course(platform) as it:
        await it.publish(provided=[{"path": "helper.py", "content": "x = 1"}])
        for names, status in ((("main.py", "more.py"), 202), (("main.py", "helper.py"), 422)):
            archive = await upload_zip(it.clients["ada"], names)
            where = "/v1/assignments/double/submissions"
            answer = await it.clients["ada"].post(where, json={"archive": {"file": archive}})
            assert answer.status_code == status, answer.text
            foreign = await it.clients["bob"].post(where, json={"archive": {"file": archive}})
            assert (foreign.status_code, foreign.json()["field"]) == (422, "archive"), "another learner's file"
            if status == 202:
                kept = await it.clients["ada"].delete(f"/v1/files/{archive}")
                assert kept.status_code == 409, "a submission keeps its files"


async def test_archive_has_the_required_files(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish(required_files=["main.py", "report.md"])
        for names, status in ((("main.py",), 422), (("main.py", "report.md"), 202)):
            archive = await upload_zip(it.clients["ada"], names)
            where = "/v1/assignments/double/submissions"
            answer = await it.clients["ada"].post(where, json={"archive": {"file": archive}})
            assert answer.status_code == status, answer.text
            if status == 422:
                assert "the archive has no 'report.md'; it needs main.py, report.md" in answer.json()["detail"]
        used = (await it.clients["ada"].get("/v1/assignments/double")).json()["mine"]["attempts"]["used"]
        assert used == 1, "what is refused spends no attempt"


async def upload_zip(client: httpx2.AsyncClient, names: tuple[str, ...]) -> str:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "def double(x): return 2 * x")
    answer = await client.post("/v1/files", params={"name": "work.zip"}, content=out.getvalue())
    return str(answer.json()["id"])
