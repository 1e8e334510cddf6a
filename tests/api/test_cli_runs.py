"""``rlp`` as a new user meets it: running a program, short ids, links, tables of a terminal of 100 columns."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.cli import exit_codes
from rlplatform.cli.function_call import call_of
from rlplatform.evaluation.models import Verdict
from tests.api.command import rlp, start

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("judge", [Verdict.ACCEPTED, Verdict.RUNTIME_ERROR])
async def test_a_program_without_tests_simply_runs(platform, tmp_path: Path, judge: Verdict) -> None:
    (tmp_path / "slow.py").write_text("print('hello')")
    async with platform(judge=judge) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        process = await start(tmp_path, "evaluate", "slow.py", stdin=asyncio.subprocess.PIPE, **at)
        out, _ = await process.communicate(b"4\n")
        assert process.returncode == (exit_codes.DONE if judge is Verdict.ACCEPTED else exit_codes.FAILED)
        (run,) = await it.store.find("evaluation")
        run = await it.store.get(run.id)
        assert [(test.stdin, test.expected_stdout) for test in run.request.tests] == [("4\n", None)]
        assert run.document.name == "slow.py"
        assert b"points" not in out


async def test_a_checker_of_ones_own_is_sent_and_not_read_back(platform, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print(1)")
    (tmp_path / "check.py").write_text("import sys\nsys.exit(0)\n")
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        key = await it.key(scopes=[Scope.EVALUATE])
        at = {"RLP_URL": url, "RLP_API_KEY": key}
        call = ["evaluate", "main.py", "--stdin", "", "--expect", "1", "--checker"]
        assert (await rlp(tmp_path, *call, "check.py", **at)).code == exit_codes.DONE
        run = await it.store.get((await it.store.find("evaluation"))[0].id)
        assert (run.request.checker.kind, run.request.checker.convention) == ("program", "testlib")
        async with it.client(key) as client:
            shown = await client.get(f"/v1/evaluations/{run.id}/submission")
        assert shown.json()["checker"]["kind"] == "program"
        assert "sys.exit" not in shown.text
        missing = await rlp(tmp_path, *call, "other.py", **at)
        assert (missing.code, "there is no file 'other.py'" in missing.err) == (exit_codes.USAGE, True)


async def test_a_function_without_tests_is_called(platform, tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text("def add(a, b):\n    return a - b\n")
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        call = ["evaluate", "fn.py", "--function", "add", "--arg", "2", "--arg", '"x"']
        assert (await rlp(tmp_path, *call, **at)).code == exit_codes.DONE
        run = await it.store.get((await it.store.find("evaluation"))[0].id)
        assert run.request.grader.kind == "stdio"
        assert [file.path for file in run.request.files] == ["fn.py"]
        assert (await rlp(tmp_path, *call, "--expect", "5", **at)).code == exit_codes.DONE
        run = await it.store.get((await it.store.find("evaluation"))[0].id)
        (test,) = run.request.tests
        assert (run.request.grader.kind, test.args, test.expected) == ("function", [2, "x"], 5)
        wrong = await rlp(tmp_path, "evaluate", "fn.py", "--arg", "2", **at)
        assert (wrong.code, "--function" in wrong.err) == (exit_codes.USAGE, True)
        (tmp_path / "tests.json").write_text('[{"id": "a", "args": [1, 2], "expected": 3}]')
        wrong = await rlp(tmp_path, *call, "--tests", "tests.json", **at)
        assert (wrong.code, "not both" in wrong.err) == (exit_codes.USAGE, True)


@pytest.mark.parametrize(
    ("function", "arguments", "out", "err"),
    [
        ("add", [2, 3], "-1\n", ""),
        ("shout", [], "loud\nNone\n", ""),
        ("none", [], "", "fn.py defines no function none\n"),
        ("fail", [1], "", 'Traceback (most recent call last):\n  File "fn.py", line 6, in fail\n'),
    ],
)
def test_a_called_function_prints_its_value_and_names_the_learners_file(
    tmp_path: Path, function: str, arguments: list[Any], out: str, err: str
) -> None:
    import subprocess
    import sys

    source = (
        "def add(a, b):\n    return a - b\ndef shout():\n    print('loud')\n"
        "def fail(x):\n    return x / 0\nif __name__ == '__main__':\n    input()\n"
    )
    request = call_of(tmp_path / "fn.py", function, arguments, source)
    for file in request["files"]:
        (tmp_path / file["path"]).write_text(file["content"])
    (tmp_path / "main.py").write_text(request["source"])
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == (out, 1 if err else 0)
    assert done.stderr.startswith(err)
    assert "main.py" not in done.stderr


async def test_a_failing_test_shows_what_it_was_given(platform, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(3)")
    tests = [
        {"id": "seen", "stdin": "2\n", "expected_stdout": "four\n"},
        {"id": "unseen", "stdin": "secret\n", "expected_stdout": "secret", "hidden": True},
    ]
    (tmp_path / "tests.json").write_text(json.dumps(tests))
    async with platform(judge=Verdict.WRONG_ANSWER) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.EVALUATE])}
        done = await rlp(tmp_path, "evaluate", "a.py", "--tests", "tests.json", **at)
        assert "  input:\n    2\n  expected:\n    four\n" in done.err
        assert "unseen (hidden)  wrong_answer" in done.out
        assert "the verdict is shown: unseen" in done.err
        assert "secret" not in done.out + done.err
        (run,) = await it.store.find("evaluation")
        shown = await rlp(tmp_path, "runs", "show", run.id[-8:], **at)
        assert "  expected:\n    four\n" in shown.err
        assert f"{url}/#/evaluations/{run.id}" in shown.out
        staff = await rlp(tmp_path, "runs", "show", run.id, RLP_URL=url, RLP_API_KEY=await it.key())
        assert "unseen (hidden from learners):\n  input:\n    secret\n  expected:\n    secret\n" in staff.err


async def test_short_ids_stand_for_the_runs_that_have_them(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        at = {"RLP_URL": url, "RLP_API_KEY": key}
        async with it.client(key) as client:
            ids = [(await client.post("/v1/trainings", json=training)).json()["id"] for _ in range(2)]
        first = ids[0]
        for short in (first, first[-8:], f"…{first[-8:]}", f"...{first[-8:]}", first[:-1], first[6:-1]):
            shown = await rlp(tmp_path, "runs", "show", short, "--json", **at)
            assert shown.lines[0]["id"] == first, short
        same = await rlp(tmp_path, "runs", "show", first[:12], **at)
        assert (same.code, all(known in same.err for known in ids)) == (exit_codes.USAGE, True)
        none = await rlp(tmp_path, "runs", "show", "zzzzzzzz", **at)
        assert none.code == exit_codes.NOT_FOUND
        for wrong in ("abc", "ckpt_" + "0" * 26, "../v1/keys", ""):
            refused = await rlp(tmp_path, "runs", "show", wrong, **at)
            assert (refused.code, "no id of the form" in refused.err) == (exit_codes.USAGE, True), wrong
        assert (await rlp(tmp_path, "runs", "stop", first[-8:], **at)).out == f"{first}: stop requested\n"
        made = (await rlp(tmp_path, "keys", "create", "spare", "--role", "learner", "--json", **at)).lines[0]["key"][
            "id"
        ]
        assert (await rlp(tmp_path, "keys", "revoke", made[-8:], **at)).out == f"{made}: revoked\n"


async def test_a_training_says_where_its_page_is(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        done = await rlp(tmp_path, "train", "--env", "CartPole-v1", "-n", "9", "--detach", **at)
        assert done.err.endswith(f"page: {url}/#/trainings/{done.out.strip()}\n")


async def test_a_training_says_beforehand_what_may_surprise(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        plain = await rlp(tmp_path, "train", "--env", "FrozenLake-v1", "-n", "1000", "--detach", **at)
        assert "FrozenLake-v1 has no tuned preset" in plain.err
        assert "expect about 16,384 steps instead of 1,000" in plain.err
        tuned = await rlp(tmp_path, "train", "--env", "CartPole-v1", "--iterations", "9", "--detach", **at)
        assert tuned.err.startswith("page: ")


async def test_keys_are_listed_with_the_scopes_they_have_in_effect(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.ADMIN])}
        listed = (await rlp(tmp_path, "keys", "ls", **at)).out
        assert "evaluate train read admin  active" in listed
        assert "operate" not in listed


async def test_staff_see_who_submitted_the_runs_of_others(
    platform, tmp_path: Path, training: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    async with platform() as it, it.served() as url:
        ann, anns = await it.keys.create(tenant="school", name="ann's laptop", scopes=[Scope.EVALUATE])
        async with it.client(anns) as client:
            made = (await client.post("/v1/evaluations", json=evaluation)).json()
        own = {"RLP_URL": url, "RLP_API_KEY": anns}
        assert "BY" not in (await rlp(tmp_path, "runs", "ls", **own)).out
        assert "submitted by" not in (await rlp(tmp_path, "runs", "show", made["id"], **own)).out
        admin = await it.key(scopes=[Scope.ADMIN])
        async with it.client(admin) as client:
            await client.post("/v1/trainings", json=training)
        staff = {"RLP_URL": url, "RLP_API_KEY": admin}
        listed = (await rlp(tmp_path, "runs", "ls", **staff)).out.splitlines()
        assert [line.split("  ")[-1].strip() for line in listed] == ["BY", "you", "ann's laptop"]
        assert "submitted by    ann's laptop" in (await rlp(tmp_path, "runs", "show", made["id"], **staff)).out
        reader = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.READ])}
        listed = (await rlp(tmp_path, "runs", "ls", "--kind", "evaluations", **reader)).out.splitlines()
        assert listed[1].endswith(f"…{ann.id[-8:]}"), "those who may not list keys see the end of the id"


async def test_a_terminal_of_100_columns_gets_whole_words(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        at = {"RLP_URL": url, "RLP_API_KEY": key, "COLUMNS": "100"}
        asked = training | {"seed": 3, "hyperparameters": {"learning_rate": 0.0003, "gamma": 0.98, "n_steps": 2048}}
        async with it.client(key) as client:
            made = (await client.post("/v1/trainings", json=asked)).json()
            run = await it.store.get(made["id"])
            await it.commands.iterate(run, 1, 4)
            await it.commands.succeed(run)
        for command in (["runs", "ls"], ["env", "ls"], ["keys", "ls"], ["runs", "show", made["id"]]):
            done = await rlp(tmp_path, *command, **at)
            assert max(map(len, done.out.splitlines())) <= 100, done.out
        listed = (await rlp(tmp_path, "runs", "ls", **at)).out
        for word in (
            f"…{made['id'][-8:]}",
            "CartPole-v1",
            "seed",
            "learning_rate=0.0003",
            "gamma=0.98",
            "n_steps=2048",
            "steps,",
        ):
            assert word in listed.split(), word
        long = await rlp(tmp_path, "runs", "ls", "--state", "qqqqqq", **at)
        assert len(long.err.splitlines()) > 1
        assert max(map(len, long.err.splitlines())) <= 100
        assert "interrupted," in long.err.split()
        piped = await rlp(tmp_path, "runs", "ls", RLP_URL=url, RLP_API_KEY=key)
        assert len(piped.out.splitlines()) == 2
