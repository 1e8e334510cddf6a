"""Checkers that are programs: their answers by convention, their failures, and the sandbox that they run in."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from typing import Any

import pytest

from rlplatform.errors import InvalidRequest, SandboxFault
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.evaluation.submission_models import Submission
from rlplatform.evaluation.submissions import check_submission
from rlplatform.sandbox.models import Execution, Outcome, OutcomeKind, Program, Usage
from rlplatform.testing.sandboxes import ScriptedPool, ended, exited

STARTER = "_checker.py"


def request(convention: str = "testlib", **changes: Any) -> EvaluationRequest:
    fields: dict[str, Any] = {
        "source": "print(7)",
        "tests": [{"id": "1", "stdin": "in", "expected_stdout": "want", "points": 4}],
        "checker": {"kind": "program", "source": "import sys", "convention": convention},
    }
    return EvaluationRequest.model_validate(fields | changes)


def kattis(code: int, **feedback: bytes) -> Outcome:
    names = {"score": "feedback/score.txt", "message": "feedback/teammessage.txt"}
    return replace(exited(code=code), files={names[name]: content for name, content in feedback.items()})


def judged(asked: EvaluationRequest, *answers: Outcome | SandboxFault) -> tuple[Judgement, ScriptedPool]:
    """Judge with a checker that gives ``answers`` one by one."""
    left = list(answers)

    def script(program: Program, _: Execution) -> Outcome | SandboxFault:
        return left.pop(0) if program.entry == STARTER else exited(b"got")

    pool = ScriptedPool(script, slots=1)
    judgement = Judge(pool).judge(asked, lambda _: None)
    assert not left
    assert all(sandbox.closed for sandbox in pool.opened)
    return judgement, pool


@pytest.mark.parametrize(
    ("convention", "answer", "verdict", "points", "message"),
    [
        ("testlib", exited(code=0, stderr=b"ok 3 numbers"), "accepted", 4, "3 numbers"),
        ("testlib", exited(code=0), "accepted", 4, None),
        ("testlib", exited(code=1, stderr=b"wrong answer 1st differ"), "wrong_answer", 0, "1st differ"),
        ("testlib", exited(code=1), "wrong_answer", 0, "wrong answer"),
        ("testlib", exited(code=2, stderr=b"wrong output format int"), "wrong_answer", 0, "wrong output format: int"),
        ("testlib", exited(code=7, stderr=b"points 1.5 half way"), "wrong_answer", 1.5, "half way"),
        ("testlib", exited(code=7, stderr=b"points 4"), "accepted", 4, "4 points"),
        ("testlib", exited(code=7, stderr=b"points 0"), "wrong_answer", 0, "0 points"),
        ("kattis", exited(code=42), "accepted", 4, None),
        ("kattis", kattis(43, message=b"too slow"), "wrong_answer", 0, "too slow"),
        ("kattis", kattis(42, score=b"0.25\n"), "wrong_answer", 1, None),
        ("json", exited(b'{"score": 1}'), "accepted", 4, None),
        ("json", exited(b'{"score": true}'), "accepted", 4, None),
        ("json", exited(b'noise\n{"score": 0.5, "message": "a\\u0007b"}\n'), "wrong_answer", 2, "ab"),
        ("json", exited(b'{"score": 0}'), "wrong_answer", 0, "wrong answer"),
    ],
)
def test_checker_answers_by_its_convention(
    convention: str, answer: Outcome, verdict: str, points: float, message: str | None
) -> None:
    judgement, _ = judged(request(convention), answer)
    (result,) = judgement.tests
    assert (result.verdict, result.points, result.message) == (verdict, points, message)
    assert judgement.score == points


@pytest.mark.parametrize(
    ("convention", "answer", "reason"),
    [
        ("testlib", exited(code=3, stderr=b"FAIL no"), r"it says so \(exit status 3\): FAIL no"),
        ("testlib", exited(code=5, stderr=b"Traceback\nKeyError: 1"), "exit status 5, .*: KeyError: 1"),
        ("testlib", exited(code=70, stderr=b"Traceback\nKeyError: 2"), "failed: KeyError: 2"),
        ("testlib", exited(code=7), "needs 'points X'"),
        ("testlib", exited(code=7, stderr=b"points 5"), "points must be a number from 0 to 4"),
        ("testlib", exited(code=7, stderr=b"points nan"), "from 0 to 4; it is 'nan'"),
        ("kattis", exited(code=0), "neither 42 .* nor 43"),
        ("kattis", kattis(42, score=b"7"), "score.txt must be"),
        ("json", exited(b'{"score": 1}', code=1), "exit status 1"),
        ("json", exited(b""), "must be JSON"),
        ("json", exited(b"[" * 100_000), "must be JSON"),
        ("json", exited(b'{"score": "1"}'), "score must be a number"),
        ("json", exited(b'{"score": 1.01}'), "score must be a number"),
        ("json", exited(b'{"score": NaN}'), "score must be a number"),
        ("json", exited(b'{"score": 1, "message": 1}'), "message must be text"),
        ("testlib", ended(OutcomeKind.CPU_TIME_EXCEEDED), "more than 5 s of CPU time"),
        ("testlib", ended(OutcomeKind.WALL_TIME_EXCEEDED), "took more than 10 s"),
        ("testlib", ended(OutcomeKind.MEMORY_EXCEEDED), "more than 256 MiB"),
        ("testlib", ended(OutcomeKind.OUTPUT_EXCEEDED), "more than 64 KiB"),
        ("testlib", ended(OutcomeKind.SIGNALLED), "killed by SIGKILL"),
        ("testlib", ended(OutcomeKind.COMPILE_FAILED, detail="line 1"), "does not compile: line 1"),
    ],
)
def test_failed_checker_is_run_again_and_never_a_wrong_answer(convention: str, answer: Outcome, reason: str) -> None:
    judgement, _ = judged(request(convention), answer, answer)
    (result,) = judgement.tests
    assert result.verdict == judgement.verdict == "internal_error"
    assert result.message is not None
    assert result.message.startswith("the checker failed: ")
    assert re.search(reason, result.message), result.message
    again, _ = judged(request(convention), answer, exited(b'{"score": 1}', code={"kattis": 42}.get(convention, 0)))
    assert again.verdict == "accepted"


def test_checker_runs_in_a_second_sandbox_in_the_slot_of_the_first() -> None:
    asked = request(tier="single-use")
    judgement, pool = judged(asked, exited(code=0))
    submission, checker = pool.opened
    assert (submission.program.files, set(checker.program.files)) == ({"main.py": b"print(7)"}, {"main.py", STARTER})
    assert checker.limits == asked.checker.limits
    (execution,) = checker.executions
    assert set(execution.files) == {"input", "expected", "output"}
    assert submission.executions[0].files == {}
    assert judgement.tests[0].cpu_time_s == judgement.tests[0].checker_cpu_time_s == 0


def test_checker_finds_input_expectation_and_output() -> None:
    seen = []

    def script(program: Program, execution: Execution) -> Outcome:
        if program.entry != STARTER:
            return exited(b"got")
        seen.append({name: path.read_bytes() for name, path in execution.files.items()})
        return exited(code=0)

    tests = [{"id": "1", "stdin": "in", "expected_stdout": "want"}, {"id": "2"}]
    Judge(ScriptedPool(script)).judge(request(tests=tests), lambda _: None)
    assert seen == [
        {"input": b"in", "expected": b"want", "output": b"got"},
        {"input": b"", "expected": b"", "output": b"got"},
    ]


def test_checker_of_a_function_gets_call_and_value_as_json() -> None:
    seen = []

    def script(program: Program, execution: Execution) -> Outcome:
        if program.entry != STARTER:
            return exited(returned=b"[1, 2]")
        seen.append([json.loads(execution.files[name].read_bytes()) for name in ("input", "expected", "output")])
        return exited(code=0)

    asked = request(grader={"kind": "function"}, tests=[{"id": "1", "args": [3], "expected": None}])
    assert Judge(ScriptedPool(script)).judge(asked, lambda _: None).verdict == "accepted"
    assert seen == [[{"args": [3], "kwargs": {}}, None, [1, 2]]]


def test_programs_that_fail_are_not_checked() -> None:
    pool = ScriptedPool([exited(code=1)])
    judgement = Judge(pool).judge(request(), lambda _: None)
    assert (judgement.verdict, len(pool.opened)) == ("runtime_error", 1)
    assert judgement.tests[0].checker_cpu_time_s is None


def test_fault_of_the_checkers_sandbox_is_retried_in_another_and_then_raised() -> None:
    judgement, pool = judged(request(), SandboxFault("1"), SandboxFault("2"), exited(code=0))
    assert (judgement.verdict, len(pool.opened)) == ("accepted", 4)
    with pytest.raises(SandboxFault):
        judged(request(), *[SandboxFault("x")] * 9)


def test_failed_checker_skips_no_other_tests() -> None:
    tests = [{"id": str(number)} for number in range(2)]
    failed = exited(code=3)
    judgement, _ = judged(request(tests=tests, stop_on_failure=True), failed, failed, exited(code=0))
    assert [result.verdict for result in judgement.tests] == ["internal_error", "accepted"]


def test_cancelling_ends_the_checker() -> None:
    cancelled = threading.Event()

    def script(program: Program, _: Execution) -> Any:
        if program.entry != STARTER:
            return exited(b"got")
        return endless()

    def endless() -> Any:
        cancelled.set()
        while True:
            yield b""

    tests = [{"id": str(number)} for number in range(2)]
    judgement = Judge(ScriptedPool(script)).judge(request(tests=tests), lambda _: None, cancelled)
    assert [result.verdict for result in judgement.tests] == ["cancelled", "cancelled"]


def test_message_of_a_hidden_test_is_hidden() -> None:
    tests = [{"id": "1", "hidden": True}]
    judgement, _ = judged(request(tests=tests), exited(code=1, stderr=b"expected 42"))
    assert judgement.tests[0].message == "expected 42"
    assert judgement.tests[0].redacted().message is None
    assert judgement.tests[0].redacted().checker_cpu_time_s is None


def test_source_of_a_checker_is_not_read_back() -> None:
    shown = Submission.of("eval_1", request(), staff=False)
    assert shown.checker["kind"] == "program"
    assert "import sys" not in shown.model_dump_json()


def test_checker_time_counts_towards_the_time_of_an_evaluation() -> None:
    tests = [{"id": str(number)} for number in range(200)]
    checker = {"kind": "program", "source": "", "limits": {"cpu_time_s": 5, "wall_time_s": 13}}
    check_submission(request(tests=tests))
    with pytest.raises(InvalidRequest, match=r"each with 13 s of a checker or suite, may take 3800 s"):
        check_submission(request(tests=tests, checker=checker))


@pytest.mark.parametrize(
    ("grader", "test"), [({"kind": "dialogue"}, {"turns": [{"expect": "x"}]}), ({"kind": "episode", "env": "E-v0"}, {})]
)
def test_what_is_checked_while_it_runs_takes_no_program(grader: dict[str, Any], test: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="checker"):
        request(grader=grader, tests=[{"id": "1", **test}])


def test_usage_of_both_attempts_is_metered_apart() -> None:
    used = Outcome(OutcomeKind.EXITED, Usage(1.5, 2, 3), exit_code=3)
    judgement, _ = judged(request(), used, used)
    assert (judgement.tests[0].cpu_time_s, judgement.tests[0].checker_cpu_time_s) == (0, 3)
