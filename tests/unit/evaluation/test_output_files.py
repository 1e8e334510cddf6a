"""Files that programs write: expected ones, kept ones, and who may see them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.judge import Bounds, Judge
from rlplatform.evaluation.kept_files import MadeFile
from rlplatform.evaluation.models import EvaluationRequest, Judgement, TestResult
from rlplatform.evaluation.submissions import check_submission
from rlplatform.sandbox.models import Execution, FileFault, Outcome, OutcomeKind, OutputFile, Program
from rlplatform.testing.sandboxes import NO_USAGE, ScriptedPool, exited

Files = dict[str, OutputFile]


def asked(*tests: dict[str, Any], **changes: Any) -> EvaluationRequest:
    fields = [{"id": f"t{i}"} | test for i, test in enumerate(tests, 1)]
    return EvaluationRequest.model_validate({"source": "pass", "tests": fields} | changes)


def judged(request: EvaluationRequest, *written: Files, kept_bytes: int = 1 << 20) -> Judgement:
    files = iter(written)

    def play(_: Program, execution: Execution) -> Outcome:
        found = next(files)
        returned = b"1" if execution.call else None
        assert set(found) <= set(execution.collect)
        return Outcome(OutcomeKind.EXITED, NO_USAGE, exit_code=0, stdout=b"out", returned=returned, files=found)

    return Judge(ScriptedPool(play), Bounds(kept_bytes=kept_bytes)).judge(request, lambda _: None)


def result(request: EvaluationRequest, written: Files) -> TestResult:
    return judged(request, written).tests[0]


WANTED = {"expect_files": [{"path": "a.txt", "content": "1 2\n"}, {"path": "d/b.txt", "content": "x"}]}


def test_files_are_compared_by_the_checker_as_stdout_is() -> None:
    assert result(asked(WANTED), {"a.txt": b"1  2", "d/b.txt": b"x\n"}).verdict == "accepted"
    wrong = result(asked(WANTED, checker={"kind": "exact"}), {"a.txt": b"1 2\n", "d/b.txt": b"x\n"})
    assert (wrong.verdict, wrong.message, wrong.points) == ("wrong_answer", "d/b.txt: expected 1 bytes, got 2", 0)


@pytest.mark.parametrize("fault", list(FileFault))
def test_a_file_that_is_not_there_is_a_wrong_answer(fault: FileFault) -> None:
    wrong = result(asked(WANTED), {"a.txt": b"1 2", "d/b.txt": fault})
    assert (wrong.verdict, wrong.message) == ("wrong_answer", f"d/b.txt {fault.value}")


def test_stdout_and_files_both_have_to_be_right() -> None:
    both = WANTED | {"expected_stdout": "out"}
    right: Files = {"a.txt": b"1 2", "d/b.txt": b"x"}
    assert result(asked(both), right).verdict == "accepted"
    assert result(asked(both), right | {"a.txt": b"3"}).message == "a.txt: word 1: expected '1', got '3'"
    assert result(asked(both | {"expected_stdout": "other"}), right).message == "word 1: expected 'other', got 'out'"


def test_a_function_may_write_files_too() -> None:
    request = asked(WANTED | {"args": [1], "expected": 1}, grader={"kind": "function"})
    assert result(request, {"a.txt": b"1 2", "d/b.txt": b"x"}).verdict == "accepted"
    assert result(request, {"a.txt": b"1 2", "d/b.txt": b"y"}).verdict == "wrong_answer"


def test_named_files_are_kept_and_missing_ones_are_reported() -> None:
    request = asked({"collect": ["w.npz", "log"]}, {"collect": ["w.npz"], "hidden": True}, WANTED)
    judgement = judged(
        request, {"w.npz": b"\0", "log": FileFault.MISSING}, {"w.npz": b"2"}, {"a.txt": b"1 2", "d/b.txt": b"x"}
    )
    assert judgement.kept == [MadeFile("w.npz", b"\0", "t1"), MadeFile("w.npz", b"2", "t2", hidden=True)]
    assert judgement.tests[0].message == "log is not kept: it does not exist"
    assert judgement.verdict == "accepted"


def test_files_beyond_the_allowance_are_not_kept() -> None:
    request = asked({"collect": ["a", "b"]}, {"collect": ["a"]})
    judgement = judged(request, {"a": b"x" * 600_000, "b": b"x" * 600_000}, {"a": b"x" * 400_000}, kept_bytes=1 << 20)
    assert [(made.test, made.path) for made in judgement.kept] == [("t1", "a"), ("t2", "a")]
    assert judgement.tests[0].message is not None
    assert "b is not kept: the files of an evaluation have at most 1 MiB together" in judgement.tests[0].message


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".", "x\0", "a\\b", "é" * 65, "x" * 129])
@pytest.mark.parametrize("field", ["collect", "expect_files"])
def test_paths_out_of_the_programs_folder_are_refused(path: str, field: str) -> None:
    given = [path] if field == "collect" else [{"path": path, "content": ""}]
    with pytest.raises(ValidationError, match=field):
        asked({field: given})


def test_a_path_is_named_once() -> None:
    with pytest.raises(ValidationError, match="'a' is there twice"):
        asked({"collect": ["a", "a"]})
    with pytest.raises(ValidationError, match="'a' is there twice"):
        asked({"expect_files": [{"path": "a", "content": ""}, {"path": "a", "content": "x"}]})


@pytest.mark.parametrize("kind", ["pytest", "notebook", "episode"])
def test_graders_whose_programs_write_no_files_of_a_test_refuse_them(kind: str) -> None:
    grader = {"kind": kind} | {"pytest": {"suite": "x"}, "episode": {"env": "CartPole-v1"}}.get(kind, {})
    with pytest.raises(ValidationError, match="collect"):
        asked({"collect": ["a"]}, grader=grader)


def test_each_check_of_a_checker_counts_towards_the_time_of_all_tests() -> None:
    checker = {"kind": "program", "source": "", "limits": {"cpu_time_s": 10, "wall_time_s": 100}}
    wanted = {"expect_files": [{"path": f"f{i}", "content": ""} for i in range(16)]}
    check_submission(asked(*[wanted] * 2, checker=checker))
    with pytest.raises(InvalidRequest, match="MAX_TOTAL_WALL_TIME_S"):
        check_submission(asked(*[wanted] * 3, checker=checker))


def test_scripted_outcomes_have_no_files_unless_they_say_so() -> None:
    assert exited().files == {}
