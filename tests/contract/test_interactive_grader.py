"""Interactors that are programs, in containers: conventions, partial points, blame, and hostile sides."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement, TestResult
from rlplatform.sandbox.models import Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

GUESS = """
import sys
secret = int(open(sys.argv[1]).read())
for count in range(1, 21):
    line = sys.stdin.readline()
    if not line:
        print("no more guesses", file=sys.stderr)
        sys.exit(1)
    guess = int(line)
    print("correct" if guess == secret else "higher" if guess < secret else "lower", flush=True)
    if guess == secret:
        sys.exit(0)
print("more than 20 guesses", file=sys.stderr)
sys.exit(1)
"""
BISECTION = """
low, high = 0, 1 << 16
while True:
    guess = (low + high) // 2
    print(guess, flush=True)
    answer = input()
    if answer == "correct":
        break
    low, high = (guess + 1, high) if answer == "higher" else (low, guess - 1)
"""


@pytest.fixture(params=list(Tier))
def opened(request: pytest.FixtureRequest) -> tuple[DockerPool, Tier]:
    tier: Tier = request.param
    return request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool"), tier


def judged(
    opened: tuple[DockerPool, Tier], source: str, interactor: str, convention: str = "testlib", **changes: Any
) -> Judgement:
    pool, tier = opened
    grader = {"kind": "interactive", "source": interactor, "convention": convention, **changes.pop("grader", {})}
    request = {
        "source": source,
        "tests": [{"id": "t1", "input": "4711", "points": 4}],
        "grader": grader,
        "tier": tier,
        "limits": {"cpu_time_s": 2, "wall_time_s": 4, **changes.pop("limits", {})},
        **changes,
    }
    return Judge(pool).judge(EvaluationRequest.model_validate(request), lambda _: None)


def result(opened: tuple[DockerPool, Tier], source: str, interactor: str, **changes: Any) -> TestResult:
    return judged(opened, source, interactor, **changes).tests[0]


def test_the_guessing_game_is_an_interactor(opened: tuple[DockerPool, Tier]) -> None:
    tests = [{"id": f"t{secret}", "input": str(secret)} for secret in (0, 65536, 12345)]
    judgement = judged(opened, BISECTION, GUESS, tests=tests)
    assert [(one.verdict.value, one.message) for one in judgement.tests] == [("accepted", None)] * 3
    assert (judgement.tests[0].stdout or "").startswith("32768\n16383\n")
    assert (judgement.tests[0].checker_cpu_time_s or 0) > 0, "the interactor is metered apart"
    wrong = result(opened, "for n in range(30): print(n, flush=True); input()", GUESS)
    assert (wrong.verdict, wrong.message, wrong.points) == ("wrong_answer", "more than 20 guesses", 0)


@pytest.mark.parametrize(
    ("convention", "end", "verdict", "points", "message"),
    [
        ("testlib", "print('points 1 slow', file=sys.stderr); sys.exit(7)", "wrong_answer", 1, "slow"),
        ("testlib", "sys.exit(3)", "internal_error", 0, "the interactor failed: it says so (exit status 3): no reason"),
        ("kattis", "sys.exit(42)", "accepted", 4, None),
        ("kattis", "open(sys.argv[3] + 'score.txt', 'w').write('0.5'); sys.exit(42)", "wrong_answer", 2, None),
        ("kattis", "open(sys.argv[3] + 'teammessage.txt', 'w').write('no'); sys.exit(43)", "wrong_answer", 0, "no"),
        ("json", 'print(\'{"score": 0.25, "message": "nearly"}\', file=sys.stderr)', "wrong_answer", 1, "nearly"),
        ("json", "print('{\"score\": 1}')", "internal_error", 0, None),
        ("testlib", "1 / 0", "internal_error", 0, "the interactor failed: ZeroDivisionError: division by zero"),
        ("testlib", "import os; os._exit(99)", "internal_error", 0, None),
    ],
)
def test_conventions_of_the_answer(
    docker_pool: DockerPool, convention: str, end: str, verdict: str, points: float, message: str | None
) -> None:
    interactor = f"import sys\nprint('hello', flush=True)\nassert input() == 'hello'\n{end}\n"
    one = result((docker_pool, Tier.SINGLE_USE), "print(input())", interactor, convention=convention)
    assert (one.verdict.value, one.points) == (verdict, points), one.message
    if message is not None:
        assert one.message == message


def test_lines_may_come_in_any_order_and_without_newlines(docker_pool: DockerPool) -> None:
    interactor = """
import sys
sys.stdout.write("3 4")
sys.stdout.flush()
first, second = sys.stdin.readline(), sys.stdin.readline()
sys.stdout.write(" 5\\n")
sys.stdout.flush()
sys.exit(0 if (first, second, sys.stdin.read()) == ("a\\n", "b\\n", "12") else 1)
"""
    source = "print('a\\nb', flush=True)\nprint(sum(map(int, input().split())), end='')"
    assert result((docker_pool, Tier.SINGLE_USE), source, interactor).verdict == "accepted"


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("pass", "wrong_answer"),
        ("raise SystemExit(3)", "runtime_error"),
        ("import os; os.close(1); os.close(0)", "wrong_answer"),
        ("while True: pass", "time_limit_exceeded"),
        ("input()", "time_limit_exceeded"),
        ("print(1); input(); input()", "time_limit_exceeded"),
        ("import os\nwhile True: os.write(1, b'1' * 65536)", "output_limit_exceeded"),
        ("x = bytearray(1 << 30)", "memory_limit_exceeded"),
        ("(", "compile_error"),
        ("import os\nos.write(1, b'x' * 100); os.kill(os.getpid(), 9)", "runtime_error"),
    ],
)
def test_a_submission_that_fails_by_itself_gets_its_own_verdict(
    opened: tuple[DockerPool, Tier], source: str, verdict: str
) -> None:
    if opened[1] is Tier.GVISOR and verdict != "runtime_error":
        pytest.skip("the same on the other tiers; takes long here")
    one = result(opened, source, GUESS.replace("int(line)", "int(line) if line.strip().isdigit() else sys.exit(2)"))
    assert one.verdict == verdict, one.message


def test_a_submission_that_was_told_to_be_wrong_may_end_as_it_likes(opened: tuple[DockerPool, Tier]) -> None:
    interactor = "import sys\ninput()\nprint('bad line', file=sys.stderr)\nsys.exit(1)\n"
    one = result(opened, "print(1, flush=True)\ninput()\n", interactor)
    assert (one.verdict, one.message, one.exit_code) == ("wrong_answer", "bad line", 1)


@pytest.mark.parametrize(
    ("interactor", "told"),
    [
        ("import time\ntime.sleep(100)", "took more than"),
        ("while True: pass", "CPU time"),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", "wrote more than"),
        ("x = bytearray(1 << 30)", "memory"),
        ("(", "does not compile"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    ],
)
def test_an_interactor_that_hangs_floods_or_dies_is_at_fault_itself(
    docker_pool: DockerPool, interactor: str, told: str
) -> None:
    grader = {"limits": {"cpu_time_s": 0.5, "wall_time_s": 1, "output_kib": 256}}
    limits = {"cpu_time_s": 1, "wall_time_s": 1}
    one = result((docker_pool, Tier.SINGLE_USE), "input()", interactor, grader=grader, limits=limits)
    assert one.verdict == "internal_error", one.message
    assert one.message is not None
    assert told in one.message


@pytest.mark.parametrize(
    "source",
    [
        "import os\nassert not any(map(os.path.exists, ('input', 'expected', 'tout', '_checker.py')))\nprint(1)",
        "import os\nfor n in range(3, 300):\n    try: os.write(n, b'4711\\n')\n    except OSError: pass\nprint(1)",
        "import glob, os, sys\nprint(os.environ, [*map(open, glob.glob('/data/*'))], file=sys.stderr)",
        "import sys\nprint('points 4', file=sys.stderr)\nsys.exit(0)",
    ],
)
def test_a_submission_finds_nothing_of_the_interactor_and_cannot_answer_for_it(
    opened: tuple[DockerPool, Tier], source: str
) -> None:
    one = result(opened, source, GUESS)
    assert one.verdict == "wrong_answer", one
    assert "4711" not in f"{one.stderr}{one.stdout}"


def test_a_slow_reader_holds_up_nobody_else(docker_pool: DockerPool) -> None:
    interactor = "import sys\nprint('x' * 3_000_000, flush=True)\nsys.exit(0 if input() == '3000000' else 1)\n"
    source = "import time\ntime.sleep(0.5)\nprint(len(input()))"
    assert result((docker_pool, Tier.SINGLE_USE), source, interactor).verdict == "accepted"


def test_cancelling_ends_both(docker_pool: DockerPool) -> None:
    cancelled = threading.Event()
    threading.Timer(1.0, cancelled.set).start()
    request = {
        "source": "import time\ntime.sleep(50)",
        "tests": [{"id": "t1"}, {"id": "t2"}],
        "grader": {"kind": "interactive", "source": "import time\ntime.sleep(50)"},
        "limits": {"wall_time_s": 60},
    }
    judgement = Judge(docker_pool).judge(EvaluationRequest.model_validate(request), lambda _: None, cancelled)
    assert {one.verdict.value for one in judgement.tests} == {"cancelled"}


def test_learners_cannot_read_the_interactor() -> None:
    fields = {"source": "", "tests": [{"id": "t"}], "grader": {"kind": "interactive", "source": "secret"}}
    request = EvaluationRequest.model_validate(fields)
    assert "secret" not in str(request.grader.public())
