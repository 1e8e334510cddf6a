"""``rlp run``, and folders of programs and tests: a process of its own, against the application on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.cli import exit_codes
from rlplatform.evaluation.events import EvaluationFinished, EvaluationOutput, EvaluationStarted, EvaluationTestFinished
from rlplatform.evaluation.models import KeptFile, TestResult, Verdict
from rlplatform.testing.files import MemoryFiles
from tests.api.command import rlp, start

pytestmark = pytest.mark.anyio


async def submitted(it: Any) -> Any:
    """Wait for the evaluation that a command submits."""
    while not (runs := await it.store.find("evaluation")):
        await asyncio.sleep(0.02)
    return await it.store.get(runs[0].id)


async def end(it: Any, run: Any, files: Sequence[KeptFile] = (), **result: Any) -> None:
    test = TestResult.model_validate(
        {"id": "run", "verdict": "accepted", "points": 1.0, "exit_code": 0, "stdout": "", "stderr": "", **result}
    )
    at = {"stream": run.stream, "time": it.commands._now()}
    await it.commands.play(
        run.stream,
        EvaluationTestFinished.model_validate({**at, "attempt": 1, "result": test}),
        EvaluationFinished.model_validate(
            {**at, "verdict": test.verdict, "score": test.points, "max_score": 1.0, "tests": [test], "files": files}
        ),
    )


async def test_output_appears_while_the_program_runs_and_its_exit_status_is_passed_on(platform, tmp_path: Path) -> None:
    (tmp_path / "double.py").write_text("print(input())")
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.EVALUATE])}
        process = await start(tmp_path, "run", "double.py", stdin=asyncio.subprocess.PIPE, **at)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("4\né\n".encode())
        process.stdin.close()
        run = await submitted(it)
        assert (run.request.tests[0].stdin, run.request.source_name) == ("4\né\n", "double.py")
        assert (run.request.limits.cpu_time_s, run.request.limits.wall_time_s) == (10.0, 30.0)
        now = it.commands._now()
        await it.commands.play(
            run.stream,
            EvaluationStarted(stream=run.stream, time=now, attempt=1),
            EvaluationOutput(stream=run.stream, time=now, attempt=1, test="run", offset=0, text="early "),
        )
        assert await asyncio.wait_for(process.stdout.read(6), 20) == b"early "
        stderr = 'Traceback (most recent call last):\n  File "double.py", line 1, in <module>\nValueError: no\n'
        await end(
            it, run, verdict="runtime_error", exit_code=7, stdout="early late", stderr=stderr, message="exit status 7"
        )
        out, err = await process.communicate()
        assert (out, process.returncode) == (b"late", 7)
        assert err.decode() == stderr


@pytest.mark.parametrize(
    ("result", "code", "told"),
    [
        ({}, 0, ""),
        ({"verdict": "time_limit_exceeded", "message": "CPU time limit exceeded"}, 124, "--cpu-time-s"),
        ({"verdict": "memory_limit_exceeded", "message": "memory limit exceeded"}, 137, "--memory-mib"),
        ({"verdict": "runtime_error", "signal": "SIGSEGV", "message": "killed by SIGSEGV"}, 139, "killed by SIGSEGV"),
        ({"verdict": "compile_error", "message": "main.py, line 1: SyntaxError"}, 1, "main.py, line 1"),
    ],
)
async def test_exit_statuses_of_programs_that_do_not_exit(
    platform, tmp_path: Path, result: dict[str, Any], code: int, told: str
) -> None:
    (tmp_path / "main.py").write_text("print(1)")
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        process = await start(tmp_path, "run", "main.py", "--stdin", "", "--image", "python", **at)
        run = await submitted(it)
        assert run.request.image == "python"
        await end(it, run, **({} if not result else {"exit_code": None, **result}))
        out, err = await process.communicate()
        assert (out, process.returncode) == (b"", code)
        assert told in err.decode()


async def test_binary_input_is_uploaded(platform, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    (tmp_path / "in").write_bytes(b"\xff\x00" * 10)
    async with platform(files=MemoryFiles()) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        with (tmp_path / "in").open("rb") as given:
            process = await start(tmp_path, "run", "main.py", stdin=given, **at)
        run = await submitted(it)
        async with it.client() as client:
            content = await client.get(f"/v1/files/{run.request.tests[0].stdin.file}/content")
        assert content.content == b"\xff\x00" * 10
        await end(it, run)
        assert await process.wait() == 0


async def test_files_that_the_program_wrote_are_saved_here(platform, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    (tmp_path / "kept").write_bytes(b"\0weights")
    async with platform(files=MemoryFiles()) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        asked = ("--collect", "out/model.npz", "--collect", "log.txt")
        process = await start(tmp_path, "run", "main.py", "--stdin", "", *asked, **at)
        run = await submitted(it)
        assert run.request.tests[0].collect == ["out/model.npz", "log.txt"]
        async with it.client() as client:
            info = (await client.post("/v1/files?name=model.npz", content=b"\0weights")).json()
        kept = [KeptFile(path="out/model.npz", file=info["id"], size_bytes=8, test="run")]
        kept.append(KeptFile(path="../evil", file=info["id"], size_bytes=8, test="run"))
        told = "log.txt is not kept: it does not exist"
        await end(it, run, kept, stderr="warning\n", message=told)
        _, err = await process.communicate()
        assert process.returncode == 0, err
        assert (tmp_path / "out" / "model.npz").read_bytes() == b"\0weights"
        assert not (tmp_path.parent / "evil").exists(), "nothing is saved that was not asked for"
        assert f"saved out/model.npz: 8 bytes\n{told}\n" in err.decode()
        shown = await rlp(tmp_path, "runs", "show", run.id, **at)
        assert f"kept out/model.npz of run: 8 bytes, rlp files get {info['id']}" in shown.out
        wrong = await rlp(tmp_path, "run", "main.py", "--stdin", "", "--collect", "../../x", **at)
        assert (wrong.code, "must not contain '..'" in wrong.err) == (exit_codes.USAGE, True), wrong.err


async def test_a_folder_is_judged_against_a_folder_of_tests(platform, tmp_path: Path) -> None:
    for path, text in {
        "work/solve.py": "import lib.half",
        "work/lib/half.py": "HALF = 2",
        "tests/problem.yaml": "limits: {time_limit: 1}",
        "tests/data/sample/1.in": "2\n",
        "tests/data/sample/1.ans": "4\n",
        "tests/data/secret/1.in": "secret\n",
        "tests/data/secret/1.ans": "5\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    async with platform(judge=Verdict.WRONG_ANSWER) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(scopes=[Scope.EVALUATE])}
        done = await rlp(tmp_path, "evaluate", "work", "--tests", "tests", "--memory-mib", "64", **at)
        assert done.code == exit_codes.FAILED
        assert "sample-1  wrong_answer" in done.out
        assert "  expected:\n    4\n" in done.err
        assert "secret\n" not in done.err
        request = (await it.store.get((await it.store.find("evaluation"))[0].id)).request
        assert [file.path for file in request.files] == ["lib/half.py"]
        assert (request.source_name, request.limits.cpu_time_s, request.limits.memory_mib) == ("solve.py", 1.0, 64)
        assert [test.hidden for test in request.tests] == [False, True]
        wrong = await rlp(tmp_path, "evaluate", "work", "--tests", "work", **at)
        assert (wrong.code, "has no tests: pairs as 1.in and 1.ans" in wrong.err) == (exit_codes.USAGE, True)
