"""Similarity reports over HTTP: who may ask, what is compared, what is kept."""

from __future__ import annotations

import pytest

from tests.api.conftest import PlatformFactory
from tests.api.test_assignments import A, W, course

pytestmark = pytest.mark.anyio
WHERE = "/v1/assignments/double/similarity"


async def test_submissions_that_count_are_compared_and_the_report_is_kept(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        assert (await it.staff.get(WHERE)).status_code == 404
        await it.judge((await it.submit("bob", "def double(x): return x + x")).json(), A, A)
        await it.clock.advance(60)
        await it.judge((await it.submit("ada", "def double(x): return x + x")).json(), A, A)
        await it.judge((await it.submit("bob", "def double(x): ...")).json(), W, W)  # does not count
        begun = await it.staff.post(WHERE, json={"min_similarity": 0.8})
        assert (begun.status_code, begun.json()["state"], begun.headers["location"]) == (202, "running", WHERE)
        assert (await it.staff.get(WHERE)).json()["state"] == "running"
        await it.it.commands.similarity.scan()
        report = (await it.staff.get(WHERE)).json()
        assert (report["state"], report["compared"], report["min_similarity"]) == ("ready", 2, 0.8)
        (pair,) = report["pairs"]
        assert (pair["a"]["external_id"], pair["b"]["external_id"], pair["similarity"]) == ("s2", "s1", 1)
        assert pair["b"]["passages"] == [{"path": "main.py", "first_line": 1, "last_line": 1}]
        assert it.it.commands.comparer.given == {"0/main.py": "def double(x): ..."}


async def test_second_request_finds_the_report_that_is_running(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        first = (await it.staff.post(WHERE, json={})).json()
        assert (await it.staff.post(WHERE, json={"min_similarity": 0.9})).json() == first


async def test_comparison_that_fails_says_why_and_can_be_begun_again(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        comparer, runner = it.it.commands.comparer, it.it.commands.similarity
        comparer.failure = "the comparison took longer than 600 s"
        await it.staff.post(WHERE, json={})
        await runner.scan()
        failed = (await it.staff.get(WHERE)).json()
        assert (failed["state"], failed["message"]) == ("failed", comparer.failure)
        comparer.failure = None
        await it.staff.post(WHERE, json={})
        await runner.scan()
        assert (await it.staff.get(WHERE)).json()["state"] == "ready"


async def test_submission_without_code_is_named_and_the_others_are_compared(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        await it.publish()
        await it.judge((await it.submit("ada", "\n")).json(), W, W)
        await it.judge((await it.submit("bob", "x = 1")).json(), W, W)
        await it.staff.post(WHERE, json={})
        await it.it.commands.similarity.scan()
        report = (await it.staff.get(WHERE)).json()
        assert report["compared"] == 1
        assert [(one["external_id"], one["reason"]) for one in report["skipped"]] == [
            ("s1", "it has no code: main.py is empty, or was uploaded as a file")
        ]
