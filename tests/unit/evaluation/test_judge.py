from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.errors import InvalidRequest, SandboxFault, SandboxUnavailable
from rlplatform.evaluation.judge import OUTPUT_KEPT, STDERR_KEPT, STDOUT_KEPT, Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement, TestResult, Verdict
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier, Usage
from rlplatform.testing.sandboxes import NO_USAGE, ScriptedPool, ScriptedSandbox, ended, exited


def request(*tests: dict, **changes: object) -> EvaluationRequest:
    fields = [{"id": f"t{i}"} | test for i, test in enumerate(tests or ({},), 1)]
    return EvaluationRequest.model_validate({"source": "pass", "tests": fields} | changes)


def judge(
    pool: ScriptedPool, asked: EvaluationRequest, cancelled: threading.Event | None = None
) -> tuple[Judgement, list[TestResult]]:
    told: list[TestResult] = []
    judgement = Judge(pool).judge(asked, told.append, cancelled)
    assert all(sandbox.closed for sandbox in pool.opened)
    return judgement, told


def verdicts(judgement: Judgement) -> list[str]:
    return [result.verdict.value for result in judgement.tests]


def echo(_: Program, execution: Execution) -> Outcome:
    return exited(execution.stdin)


def test_a_submission_is_judged_in_one_sandbox() -> None:
    pool = ScriptedPool(echo)
    asked = request(
        {"stdin": "1\n", "expected_stdout": "1"},
        {"stdin": "2\n", "expected_stdout": "3", "points": 2.5},
        {"stdin": "é", "expected_stdout": None, "points": 4},
        files=[{"path": "helper.py", "content": "x"}],
        tier="jail",
    )
    pool = ScriptedPool(echo, tiers=[Tier.JAIL])
    judgement, told = judge(pool, asked)
    (sandbox,) = pool.opened
    assert sandbox.program.files == {"main.py": b"pass", "helper.py": b"x"}
    assert sandbox.limits == asked.limits
    assert sandbox.executions == [Execution(Limits(), stdin=data) for data in (b"1\n", b"2\n", "é".encode())]
    assert verdicts(judgement) == ["accepted", "wrong_answer", "accepted"]
    assert judgement.verdict is Verdict.WRONG_ANSWER
    assert judgement.score == 5.0
    assert judgement.sandbox == sandbox.info
    assert judgement.tests[1].message == "word 1: expected '3', got '2'"
    assert told == judgement.tests


def test_a_result_says_what_happened() -> None:
    usage = Usage(cpu_time_s=0.5, wall_time_s=0.75, peak_memory_bytes=9 << 20)
    outcome = Outcome(OutcomeKind.EXITED, usage, exit_code=1, stdout=b"\xff4\n", stderr=b"oh", stdout_truncated=True)
    judgement, _ = judge(ScriptedPool([outcome]), request())
    assert judgement.tests == [
        TestResult(
            id="t1",
            verdict=Verdict.RUNTIME_ERROR,
            points=0,
            cpu_time_s=0.5,
            wall_time_s=0.75,
            peak_memory_bytes=9 << 20,
            exit_code=1,
            stdout="\ufffd4\n",
            stdout_truncated=True,
            stderr="oh",
            message="exit status 1: oh",
        )
    ]


def test_functions_are_called_and_their_values_compared_here() -> None:
    def add(_: Program, execution: Execution) -> Outcome:
        assert execution.call is not None
        return exited(returned=values.encode(sum(execution.call.args) + execution.call.kwargs.get("more", 0)))

    pool = ScriptedPool(add)
    tests = [
        {"args": [1, 2], "expected": 3},
        {"args": [1], "kwargs": {"more": 2.5}, "expected": 3.5},
        {"args": [1, 1], "expected": 2.0},
        {"args": [float(2**60)], "kwargs": {"more": 1}, "expected": None},
    ]
    judgement, _ = judge(pool, request(*tests, grader={"kind": "function", "entry": "add"}))
    assert verdicts(judgement) == ["accepted", "accepted", "wrong_answer", "wrong_answer"]
    assert [result.value for result in judgement.tests] == [3, 3.5, 2, 2.0**60]
    calls = [execution.call for execution in pool.opened[0].executions]
    assert [call.function for call in calls if call] == ["add"] * 4


def test_values_that_json_cannot_hold_are_shown_as_text() -> None:
    returned = values.encode({"a": [float("nan"), float("-inf"), 1.5]})
    asked = request({"args": [], "expected": 1}, grader={"kind": "function"})
    judgement, _ = judge(ScriptedPool([exited(returned=returned)]), asked)
    assert judgement.tests[0].value == {"a": ["nan", "-inf", 1.5]}
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement


def test_what_does_not_compile_is_said_once() -> None:
    detail = "main.py, line 3: invalid syntax"
    pool = ScriptedPool([ended(OutcomeKind.COMPILE_FAILED, detail=detail)])
    judgement, told = judge(pool, request({"hidden": True}, {}, {}))
    assert verdicts(judgement) == ["compile_error", "skipped", "skipped"]
    assert judgement.verdict is Verdict.COMPILE_ERROR
    assert judgement.message == detail
    assert judgement.score == 0
    assert told == judgement.tests
    assert len(pool.opened[0].executions) == 1


def test_groups_and_stopping() -> None:
    groups = [{"id": "small", "stop_on_failure": True}, {"id": "large", "scoring": "sum"}]
    tests = [
        {"group": "small", "stdin": "1", "expected_stdout": "1"},
        {"group": "small", "stdin": "1", "expected_stdout": "2"},
        {"group": "small", "stdin": "1", "expected_stdout": "1"},
        {"group": "large", "stdin": "1", "expected_stdout": "1"},
        {"group": "large", "stdin": "1", "expected_stdout": "2"},
        {"stdin": "1", "expected_stdout": "1"},
    ]
    judgement, told = judge(ScriptedPool(echo), request(*tests, groups=groups))
    assert verdicts(judgement) == ["accepted", "wrong_answer", "skipped", "accepted", "wrong_answer", "accepted"]
    assert [result.points for result in judgement.tests] == [0, 0, 0, 1, 0, 1]
    assert [result.points for result in told] == [1, 0, 0, 1, 0, 1]
    assert judgement.score == 2
    judgement, _ = judge(ScriptedPool(echo), request(*tests, groups=groups, stop_on_failure=True))
    assert verdicts(judgement) == ["accepted", "wrong_answer", *["skipped"] * 4]


# -- our failures


def test_a_fault_is_tried_again_in_a_fresh_sandbox() -> None:
    script = [exited(b"1"), SandboxFault("died"), exited(b"2"), SandboxFault("died again"), exited(b"3")]
    asked = request(*({"expected_stdout": str(i)} for i in (1, 2, 3)))
    pool = ScriptedPool(script)
    judgement, told = judge(pool, asked)
    assert verdicts(judgement) == ["accepted"] * 3
    assert [result.id for result in told] == ["t1", "t2", "t3"]
    assert [len(sandbox.executions) for sandbox in pool.opened] == [2, 2, 1]


def test_too_many_faults_are_raised_and_are_nobodys_verdict() -> None:
    pool = ScriptedPool([exited(b"1"), SandboxFault("1"), SandboxFault("2"), SandboxFault("3")])
    told: list[TestResult] = []
    with pytest.raises(SandboxFault, match="3"):
        Judge(pool).judge(request({}, {}), told.append)
    assert [result.verdict for result in told] == [Verdict.ACCEPTED]
    assert len(pool.opened) == 3
    assert pool.status().in_use == 0


def test_no_sandbox_is_raised_at_once() -> None:
    pool = ScriptedPool(echo)
    pool.unavailable = "no engine"
    with pytest.raises(SandboxUnavailable, match="no engine"):
        Judge(pool).judge(request(), lambda _: None)


def test_a_broken_listener_frees_the_sandbox() -> None:
    pool = ScriptedPool(echo)

    def listen(_: TestResult) -> None:
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        Judge(pool).judge(request(), listen)
    assert pool.status().in_use == 0


def test_a_bad_submission_opens_no_sandbox() -> None:
    pool = ScriptedPool(echo)
    with pytest.raises(InvalidRequest):
        Judge(pool).judge(request(files=[{"path": "../x", "content": ""}]), lambda _: None)
    assert pool.opened == []


def test_a_cancellation_that_nobody_asked_for_is_our_fault() -> None:
    judgement, _ = judge(ScriptedPool([ended(OutcomeKind.CANCELLED), exited()]), request())
    assert verdicts(judgement) == ["accepted"]


# -- cancellation


def test_cancelling_ends_what_runs_and_frees_the_sandbox_at_once() -> None:
    cancelled, running = threading.Event(), threading.Event()

    class Pool(ScriptedPool):
        def open(self, *args: Any, **kwargs: Any) -> ScriptedSandbox:
            sandbox = super().open(*args, **kwargs)
            killed = threading.Event()
            cancel = sandbox.cancel

            def script(_: Program, execution: Execution) -> Outcome:
                running.set()
                assert killed.wait(10)
                return exited()

            sandbox._script = script
            sandbox.cancel = lambda: (cancel(), killed.set())
            return sandbox

    pool = Pool(echo)
    answers: list[tuple[Judgement, list[TestResult]]] = []
    thread = threading.Thread(target=lambda: answers.append(judge(pool, request({}, {}), cancelled)))
    thread.start()
    assert running.wait(10)
    began = time.monotonic()
    cancelled.set()
    thread.join(10)
    assert time.monotonic() - began < 1
    ((judgement, told),) = answers
    assert verdicts(judgement) == ["cancelled", "cancelled"]
    assert judgement.verdict is Verdict.CANCELLED
    assert told == judgement.tests


def test_what_is_cancelled_before_it_begins_opens_no_sandbox() -> None:
    cancelled = threading.Event()
    cancelled.set()
    pool = ScriptedPool(echo)
    judgement, _ = judge(pool, request({}, {}), cancelled)
    assert verdicts(judgement) == ["cancelled", "cancelled"]
    assert pool.opened == []


def test_a_judged_submission_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    for _ in range(5):
        judge(ScriptedPool(echo), request(), threading.Event())
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


# -- what is kept, and what is hidden


def test_output_is_cut() -> None:
    flood = exited("é".encode() * 100_000, stderr=b"e" * 100_000)
    judgement, _ = judge(ScriptedPool([flood]), request())
    (result,) = judgement.tests
    assert result.verdict is Verdict.ACCEPTED
    assert result.stdout == "é" * (STDOUT_KEPT // 2)
    assert result.stdout_truncated
    assert result.stderr == "e" * STDERR_KEPT


def test_all_output_together_is_bounded() -> None:
    flood = exited(b"o" * 100_000, stderr=b"e" * 100_000)
    judgement, _ = judge(ScriptedPool([flood] * 50), request(*[{}] * 50))
    kept = {len(result.stdout) + len(result.stderr) for result in judgement.tests}
    assert kept == {OUTPUT_KEPT // 50}
    assert all(result.stdout_truncated for result in judgement.tests)


@pytest.mark.parametrize("printed", [b"", b"x", b"x" * 100_000])
def test_what_is_kept_of_a_test_says_nothing_of_the_others(printed: bytes) -> None:
    outcomes = [exited(printed, stderr=printed)] * 99 + [exited(b"o" * 100_000)]
    judgement, _ = judge(ScriptedPool(outcomes), request(*[{"hidden": True}] * 99, {}))
    assert judgement.tests[-1].stdout == "o" * (OUTPUT_KEPT // 100)


def test_time_that_a_program_waited_for_a_core_is_in_its_result() -> None:
    usage = Usage(cpu_time_s=0.19, wall_time_s=12.0, peak_memory_bytes=1, starved_s=11.5)
    outcome = Outcome(OutcomeKind.EXITED, usage, exit_code=0)
    judgement, _ = judge(ScriptedPool([outcome]), request())
    assert judgement.tests[0].verdict is Verdict.ACCEPTED
    assert judgement.tests[0].core_wait_time_s == 11.5


@given(data=st.binary(max_size=50), cut=st.integers(0, 50))
def test_any_output_becomes_text(data: bytes, cut: int) -> None:
    outcome = Outcome(OutcomeKind.EXITED, NO_USAGE, exit_code=0, stdout=data[:cut], stderr=data[cut:])
    judgement, _ = judge(ScriptedPool([outcome]), request())
    assert judgement.tests[0].stdout == data[:cut].decode("utf-8", "replace")
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement


@given(
    kind=st.sampled_from(sorted(set(OutcomeKind) - {OutcomeKind.CANCELLED})),
    code=st.integers(-1, 2),
    detail=st.none() | st.just("SECRET"),
)
def test_nothing_of_a_hidden_test_leaks(kind: OutcomeKind, code: int, detail: str | None) -> None:
    usage = Usage(cpu_time_s=0.123456, wall_time_s=0.654321, peak_memory_bytes=123456)
    outcome = Outcome(kind, usage, exit_code=code, stdout=b"SECRET", stderr=b"SECRET", detail=detail)
    judgement, _ = judge(ScriptedPool([outcome] * 3), request({"hidden": True, "expected_stdout": "SECRET2"}))
    public = judgement.tests[0].redacted()
    assert public == TestResult(
        id="t1", verdict=judgement.tests[0].verdict, points=judgement.tests[0].points, hidden=True
    )
    assert "SECRET" not in public.model_dump_json()
