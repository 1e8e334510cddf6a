"""``rlp assignment``, ``rlp members`` and ``rlp submit``: processes, against the application on a socket."""

from __future__ import annotations

import asyncio
import csv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.evaluation.models import Verdict
from rlplatform.testing.files import MemoryFiles
from tests.api.command import rlp, start
from tests.api.test_assignments import course

pytestmark = pytest.mark.anyio
ROSTER = "external_id,name,email\ns1,Ada,ada@example.org\ns2,Bob,bob@example.org\n"


async def judge(it: Any, *verdicts: Verdict) -> None:
    """End the first evaluation that waits, once it is there."""
    while not (runs := await it.store.find("evaluation", states=("queued",))):
        await asyncio.sleep(0.02)
        await it.commands.submissions.scan()
    await it.commands.finish(await it.store.get(runs[0].id), verdicts)
    await it.commands.submissions.scan()


async def test_a_course_from_the_terminal(platform, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER)
    (tmp_path / "bandit.py").write_text("def run(rewards, explore, choices): return [[], []]")
    async with platform(files=MemoryFiles()) as it, it.served() as url:
        staff = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.ADMIN])}

        async def done(*arguments: str, code: int = 0, **who: str) -> str:
            found = await rlp(tmp_path, *arguments, **(who or staff))
            assert found.code == code, found.err
            return found.out + found.err

        assert "say where to write them" in await done(
            "members", "import", "roster.csv", "--credentials", "keys", code=2
        )
        await done("members", "import", "roster.csv", "--credentials", "keys", "-o", "keys.csv")
        with (tmp_path / "keys.csv").open() as file:
            keys = {row["external_id"]: row["api_key"] for row in csv.DictReader(file)}
        ada = {"RLP_URL": url, "RLP_API_KEY": keys["s1"]}

        await done("assignment", "init", "bandit")
        assert "version 1, 4 tests, 10 points" in await done("assignment", "push", "bandit")
        assert "version 1" in await done("assignment", "push", "bandit")
        assert "20 left" in await done("assignment", "ls", **ada)
        assert "epsilon-greedy" in await done("assignment", "show", "bandit", **ada)
        await done("assignment", "start", "bandit", "mine", **ada)
        assert (tmp_path / "mine" / "main.py").read_text().startswith("def run")

        process = await start(tmp_path, "submit", "bandit", "bandit.py", **ada)
        await judge(it, *[Verdict.ACCEPTED] * 2, *[Verdict.WRONG_ANSWER] * 2)
        out, err = await process.communicate()
        assert process.returncode == 1, err
        assert "greedy: accepted, 2 points" in err.decode()
        assert "4 of 10 points" in out.decode()
        assert "4 of 10" in await done("assignment", "submissions", "bandit", **ada)
        assert "scope" in await done("assignment", "grades", "bandit", code=3, **ada)
        assert "s1,Ada,ada@example.org,,4.0,10.0" in await done("assignment", "grades", "bandit", "--format", "csv")

        await done("assignment", "extend", "bandit", "s1", "--attempts", "2", "--reason", "illness")
        assert "21 left" in await done("assignment", "ls", **ada)
        assert "no member has the external id" in await done(
            "assignment", "extend", "bandit", "s9", "--attempts", "2", code=4
        )

        process = await start(tmp_path, "assignment", "regrade", "bandit", "--commit", **staff)
        await judge(it, *[Verdict.ACCEPTED] * 4)
        out, err = await process.communicate()
        assert process.returncode == 0, err
        assert "committed, version 1, 1 of 1 judged; 1 gain, 0 lose" in out.decode()
        assert "10 of 10" in await done("assignment", "grades", "bandit")

        assert "s2 is removed" in await done("members", "rm", "s2")


async def test_invitations_from_the_terminal(platform, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER)
    async with platform() as it, it.served() as url:
        staff = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.ADMIN])}

        async def done(*arguments: str, code: int = 0) -> str:
            found = await rlp(tmp_path, *arguments, **staff)
            assert found.code == code, found.err
            return found.out + found.err

        assert "no members yet" in await done("members", "invite", "--all", "-o", "none.csv")
        await done("members", "import", "roster.csv")
        assert f"{url}/#invite=rli_" in await done("members", "invite", "s1")
        page = "https://course.example/"
        assert "https://course.example/#invite=rli_" in await done("members", "invite", "s1", "--page", page)
        assert "the invitation of s1 is revoked" in await done("members", "revoke", "s1")
        assert "revoked" in await done("members", "invitations")
        assert "say where to write them" in await done("members", "invite", "--all", code=2)
        await done("members", "invite", "--all", "-o", "links.csv")
        with (tmp_path / "links.csv").open() as file:
            links = {row["external_id"]: row["link"] for row in csv.DictReader(file)}
        assert links.keys() == {"s1", "s2"}
        assert (tmp_path / "links.csv").stat().st_mode & 0o077 == 0


async def test_an_import_that_is_refused_midway_keeps_the_keys_that_were_made(platform, tmp_path: Path) -> None:
    rows = [f"n{number}," for number in range(1000)]
    (tmp_path / "first.csv").write_text("external_id,sub\ns1,ada\n")
    (tmp_path / "roster.csv").write_text("\n".join(["external_id,sub", *rows, "late,ada"]))
    async with platform() as it, it.served() as url:
        staff = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.ADMIN])}
        assert (await rlp(tmp_path, "members", "import", "first.csv", **staff)).code == 0
        done = await rlp(
            tmp_path, "members", "import", "roster.csv", "--credentials", "keys", "-o", "keys.csv", **staff
        )
        assert done.code != 0
        with (tmp_path / "keys.csv").open() as file:
            keys = [row["api_key"] for row in csv.DictReader(file)]
        assert (len(keys), all(keys)) == (1000, True)


async def test_with_nobody_to_invite_no_file_of_links_is_written(platform, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER)
    async with platform() as it, it.served() as url:
        staff = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.ADMIN])}
        given = ("--credentials", "keys", "-o", "keys.csv")
        assert (await rlp(tmp_path, "members", "import", "roster.csv", *given, **staff)).code == 0
        for form in ((), ("--json",)):
            done = await rlp(tmp_path, "members", "invite", "--all", "-o", "links.csv", *form, **staff)
            assert (done.code, done.out) == (0, "")
            assert "nobody to invite: everyone has a key already" in done.err
        assert not (tmp_path / "links.csv").exists()
        assert "links are in" not in done.err


async def test_assignment_is_compared_and_downloaded_from_the_terminal(platform, tmp_path: Path) -> None:
    async with course(platform) as it, it.it.served() as url:
        await it.publish()
        for who in ("ada", "bob"):
            await it.judge(
                (await it.submit(who, "def double(x): return 2 * x")).json(), Verdict.ACCEPTED, Verdict.ACCEPTED
            )
        staff = {"RLP_URL": url, "RLP_API_KEY": await it.it.key(scopes=[Scope.ADMIN])}
        process = await start(tmp_path, "assignment", "similarity", "double", **staff)
        while not await it.it.store.list_documents("similarity.waiting"):
            await asyncio.sleep(0.02)
        await it.it.commands.similarity.scan()
        out, err = await process.communicate()
        assert process.returncode == 0, err
        assert "2 submissions compared" in out.decode()
        assert "s1 Ada" in out.decode()
        assert "main.py:1-1" in out.decode()
        done = await rlp(tmp_path, "assignment", "download", "double", **staff)
        assert done.code == 0, done.err
        with zipfile.ZipFile(tmp_path / "double.zip") as archive:
            assert "grades.csv" in archive.namelist()
        again = await rlp(tmp_path, "assignment", "download", "double", **staff)
        assert "double.zip exists" in again.err
