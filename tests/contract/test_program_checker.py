"""Checkers that are programs, in real containers on every tier: right and wrong answers, and attacks on the border."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rlplatform.evaluation.attachments import attach
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.sandbox.models import Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from tests.conftest import MakePool

pytestmark = pytest.mark.docker

TIERS = [Tier.SINGLE_USE, Tier.JAIL, Tier.GVISOR]
LIMITS = {"cpu_time_s": 5, "wall_time_s": 20, "memory_mib": 64, "output_kib": 16}
TESTLIB = """
import sys
given, got, want = (open(path).read().split() for path in sys.argv[1:4])
if sorted(got) == sorted(want):
    sys.exit(0)
right = len(set(got) & set(want))
if right:
    print("points", right, "of", len(want), file=sys.stderr)
    sys.exit(7)
print("wrong answer", *given, file=sys.stderr)
sys.exit(1)
"""
KATTIS = """
import sys
got, want = sys.stdin.read().split(), open(sys.argv[2]).read().split()
if got != want:
    with open(sys.argv[3] + "teammessage.txt", "w") as file:
        file.write("look again")
    sys.exit(43)
sys.exit(42)
"""
JSON = """
import json
print("a remark")
right = open("output").read() == open("expected").read()
print(json.dumps({"score": 1 if right else 0.5, "message": open("input").read()}))
"""


@pytest.fixture(params=TIERS)
def opened(request: pytest.FixtureRequest) -> tuple[DockerPool, Tier]:
    tier: Tier = request.param
    return request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool"), tier


def judged(
    opened: tuple[DockerPool, Tier], source: str, checker: str, convention: str = "testlib", **more: Any
) -> Judgement:
    pool, tier = opened
    limits = {"cpu_time_s": 1, "wall_time_s": 8, "memory_mib": 64, "output_kib": 16}
    fields = {
        "source": source,
        "tests": [{"id": "1", "stdin": "in", "expected_stdout": "1 2", "points": 2}],
        "checker": {"kind": "program", "source": checker, "convention": convention, "limits": limits},
        "limits": LIMITS,
        "tier": tier,
    }
    return Judge(pool).judge(EvaluationRequest.model_validate(fields | more), lambda _: None, tenant="school")


@pytest.mark.parametrize(
    ("checker", "convention", "source", "verdict", "points", "message"),
    [
        (TESTLIB, "testlib", "print(2, 1)", "accepted", 2, None),
        (TESTLIB, "testlib", "print(2)", "wrong_answer", 1, "of 2"),
        (TESTLIB, "testlib", "print(3)", "wrong_answer", 0, "in"),
        (KATTIS, "kattis", "print(1, 2)", "accepted", 2, None),
        (KATTIS, "kattis", "print(3)", "wrong_answer", 0, "look again"),
        (JSON, "json", "print(1, 2, end='')", "accepted", 2, "in"),
        (JSON, "json", "print(3)", "wrong_answer", 1, "in"),
    ],
)
def test_checker_decides(
    opened: tuple[DockerPool, Tier],
    checker: str,
    convention: str,
    source: str,
    verdict: str,
    points: float,
    message: str | None,
) -> None:
    (result,) = judged(opened, source, checker, convention).tests
    assert (result.verdict, result.points, result.message) == (verdict, points, message)
    assert result.checker_cpu_time_s is not None


@pytest.mark.parametrize(
    ("checker", "reason"),
    [
        ("while True: pass", "CPU time"),
        ("import time\ntime.sleep(60)", "took more than"),
        ("while True: print('x' * 4096)", "wrote more than 16 KiB"),
        ("x = bytearray(300 << 20)", "memory"),
        ("import os\nos.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        ("1 / 0", "ZeroDivisionError"),
        ("def f(:", "does not compile"),
        ("import sys\nsys.exit(99)", "exit status 99"),
        ("import os\nos._exit(3)", "exit status 3"),
        ("import sys\nprint('points 1e9', file=sys.stderr)\nsys.exit(7)", "points must be"),
    ],
)
def test_checker_that_fails_hangs_floods_or_lies_is_an_internal_error(
    opened: tuple[DockerPool, Tier], checker: str, reason: str
) -> None:
    if checker.startswith(("import time", "while True: pass")) and opened[1] is Tier.GVISOR:
        pytest.skip("times are the same there, and slow")
    judgement = judged(opened, "print(1, 2)", checker)
    assert judgement.verdict == "internal_error"
    assert reason in (judgement.tests[0].message or "")


@pytest.mark.parametrize(
    "attack",
    [
        "for name in ('expected', 'input', 'output'):\n"
        "    try: print('BREACH', open(name).read())\n"
        "    except OSError: pass",
        "for name in ('expected', 'output', '_checker.py', 'sitecustomize.py'):\n"
        "    open(name, 'w').write('import os; os._exit(0)')\n"
        "print(3)",
        "import os\nfor folder in ('/data', '/tmp', '/box', '/'):\n"
        "    for top, _, names in os.walk(folder):\n"
        "        if top.startswith(('/proc', '/sys', '/usr', '/lib', '/dev')): continue\n"
        "        for name in names:\n"
        "            try: text = open(os.path.join(top, name), errors='replace').read(9999)\n"
        "            except OSError: continue\n"
        "            if 'sec' + 'ret-answer' in text or 'sec' + 'ret-checker' in text: print('BREACH', top, name)",
        "import os\nprint('points 2'); os._exit(0)",
        "import sys\nsys.stdout.write('\\x1e1.0\\n\\x1eok'); sys.stderr.write('ok')",
    ],
)
def test_submission_neither_reads_nor_forges_the_check(opened: tuple[DockerPool, Tier], attack: str) -> None:
    checker = "# secret-checker\nimport sys\nsys.exit(0 if open('output').read() == open('expected').read() else 1)"
    tests = [{"id": str(n), "stdin": "", "expected_stdout": f"secret-answer {n}"} for n in range(2)]
    judgement = judged(opened, attack, checker, tests=tests)
    assert [result.verdict for result in judgement.tests] == ["wrong_answer"] * 2
    assert not any("BREACH" in (result.stdout or "") for result in judgement.tests)


def test_one_check_leaves_nothing_for_the_next(opened: tuple[DockerPool, Tier]) -> None:
    checker = """
import os, sys
names = sorted(os.listdir("."))
open("left", "w").write("x")
print(names, file=sys.stderr)
sys.exit(0 if names == ["_checker.py", "expected", "input", "main.py", "output"] else 1)
"""
    tests = [{"id": str(number), "stdin": "x"} for number in range(3)]
    judgement = judged(opened, "print(1)", checker, tests=tests)
    assert judgement.verdict == "accepted", judgement.tests


def test_pool_of_one_slot_runs_a_checker(make_pool: MakePool) -> None:
    pool = make_pool("one-slot", slots=1, warm=1)
    try:
        started = time.monotonic()
        assert judged((pool, Tier.SINGLE_USE), "print(1, 2)", TESTLIB).verdict == "accepted"
        assert time.monotonic() - started < 30
        assert pool.status().in_use == 0
    finally:
        pool.close()


def test_uploaded_checker_and_large_output(docker_pool: DockerPool, tmp_path: Path) -> None:
    path = tmp_path / "checker.py"
    path.write_text("import sys, os\nsys.exit(os.path.getsize('output') != 20 << 20)")
    ref = "file_" + "0" * 26
    fields = {
        "source": "import sys\nfor _ in range(20): sys.stdout.write('x' * (1 << 20))",
        "tests": [{"id": "1"}],
        "checker": {"kind": "program", "source": {"file": ref}},
        "limits": LIMITS | {"output_kib": 32 << 10},
    }
    request = attach(EvaluationRequest.model_validate(fields), {ref: path})
    assert Judge(docker_pool).judge(request, lambda _: None).verdict == "accepted"
    wrong = attach(EvaluationRequest.model_validate(fields | {"source": "print(1)"}), {ref: path})
    assert Judge(docker_pool).judge(wrong, lambda _: None).verdict == "wrong_answer"
