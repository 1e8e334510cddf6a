"""The grader ``pytest`` in real containers: what suites of courses do, in both isolations."""

from __future__ import annotations

from typing import Any

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

MAIN = """
import sys
class StackEmpty(Exception): pass
class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def pop(self):
        if not self.items: raise StackEmpty("empty stack")
        return self.items.pop()
    def __len__(self): return len(self.items)
def add(a, b): return a + b
def mean(array): return array.mean(axis=0)
def greet(name): print("Hello", name)
def sort(items): items.sort()
def boom(): raise ValueError("nope")
def spin():
    while True: pass
"""
SUITE = """
import numpy as np
import pytest
import main
from main import add, boom, greet, mean, sort, spin, Stack, StackEmpty
from helpers.tools import double
import shared_data

@pytest.fixture(scope="module")
def numbers():
    return shared_data.NUMBERS

@pytest.mark.parametrize(("a", "b", "total"), [(1, 2, 3), (2, 2, 5)])
def test_add(a, b, total):
    assert add(a, b) == total

class TestStack:
    def test_pop(self, stack):
        assert stack.pop() == 1
        with pytest.raises(StackEmpty, match="empty"):
            stack.pop()
        assert len(stack) == 0

@pytest.mark.hidden
@pytest.mark.points(3)
def test_mean(numbers):
    found = mean(np.array(numbers))
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, [2.0, 3.0])

def test_prints(capsys):
    greet("Ada")
    assert capsys.readouterr().out == "Hello Ada\\n"

def test_in_place():
    items = [3, 1, 2]
    sort(items)
    assert items == [1, 2, 3]

def test_raises():
    boom()

def test_time():
    spin()

def test_after_time():
    assert double(4) == 8

def test_fixture_of_the_author_fails(broken):
    pass

@pytest.mark.skip(reason="later")
def test_skipped():
    pass
"""
FILES = [
    {"path": "conftest.py", "content": "import pytest\nfrom main import Stack\n"
     "@pytest.fixture\ndef stack():\n    found = Stack()\n    found.push(1)\n    return found\n"
     "@pytest.fixture\ndef broken():\n    return 1 / 0\n"},
    {"path": "shared_data.py", "content": "NUMBERS = [[1.0, 2.0], [3.0, 4.0]]"},
]  # fmt: skip
VERDICTS = {
    "test_add[1-2-3]": "accepted",
    "test_add[2-2-5]": "wrong_answer",
    "TestStack::test_pop": "accepted",
    "test_mean": "accepted",
    "test_prints": "accepted",
    "test_in_place": "accepted",
    "test_raises": "runtime_error",
    "test_time": "time_limit_exceeded",
    "test_after_time": "accepted",
    "test_fixture_of_the_author_fails": "internal_error",
    "test_skipped": "skipped",
}


def judged(pool: DockerPool, source: str = MAIN, suite: str = SUITE, **more: Any) -> Judgement:
    fields = {
        "source": source,
        "files": [{"path": "helpers/tools.py", "content": "def double(x): return 2 * x"}],
        "grader": {"kind": "pytest", "suite": suite, "files": FILES} | more.pop("grader", {}),
        "tests": [{"id": "all", "points": 13}],
        "limits": {"cpu_time_s": 1, "wall_time_s": 10},
        "image": "python-rl",
    }
    return Judge(pool).judge(EvaluationRequest.model_validate(fields | more), lambda _: None)


@pytest.mark.parametrize("isolation", ["separate", "shared"])
def test_every_node_has_its_result(docker_pool: DockerPool, isolation: str) -> None:
    judgement = judged(docker_pool, grader={"isolation": isolation})
    results = {result.id.removeprefix("test_suite.py::"): result for result in judgement.tests}
    assert {name: str(result.verdict) for name, result in results.items()} == VERDICTS, judgement.tests
    assert {result.isolation for result in judgement.tests} == {isolation}
    assert judgement.score == pytest.approx(8)
    assert results["test_mean"].points == pytest.approx(3)
    assert results["test_mean"].hidden
    assert "assert 4 == 5" in (results["test_add[2-2-5]"].message or "")
    assert results["test_raises"].message == "ValueError: nope"
    assert "ZeroDivisionError" in (results["test_fixture_of_the_author_fails"].message or "")
    assert 'main.py", line' in (results["test_raises"].stderr or "")


@pytest.mark.parametrize(
    ("source", "suite", "verdict", "message"),
    [
        (
            MAIN,
            "import no_such_module",
            "internal_error",
            "the suite cannot be collected: test_suite.py:1: ModuleNotFound",
        ),
        (MAIN, "x = 1", "internal_error", "no test of the suite"),
        ("def f(:", "from main import f\ndef test_f(): f()", "compile_error", "main.py, line 1"),
        ("1 / 0", "from main import f\ndef test_f(): f()", "runtime_error", "ZeroDivisionError"),
    ],
)
def test_errors_have_an_owner(docker_pool: DockerPool, source: str, suite: str, verdict: str, message: str) -> None:
    judgement = judged(docker_pool, source, suite, grader={"files": []})
    assert judgement.verdict == verdict, judgement.tests
    assert message in (judgement.tests[0].message or "")


def test_stopping_after_a_failure_skips_the_rest_of_the_suite(docker_pool: DockerPool) -> None:
    suite = "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_n(n): assert n != 1"
    judgement = judged(docker_pool, suite=suite, grader={"files": []}, stop_on_failure=True)
    assert [str(result.verdict) for result in judgement.tests] == ["accepted", "wrong_answer", "skipped", "skipped"]
