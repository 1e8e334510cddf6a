"""The judge on real containers: what learners do, and the verdict that they get for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement, Verdict
from rlplatform.files.models import LocalData
from rlplatform.sandbox.pool.docker_pool import DockerPool
from tests.unit.environments.sandboxed.environments import GRID
from tests.unit.environments.sandboxed.test_vector_env import code_of

pytestmark = pytest.mark.docker

LIMITS = {"cpu_time_s": 0.5, "wall_time_s": 5, "memory_mib": 64, "output_kib": 16}


def judged(pool: DockerPool, source: str, **fields: object) -> Judgement:
    defaults = {"tests": [{"id": "1", "stdin": "2\n", "expected_stdout": "4\n"}], "limits": LIMITS}
    request = EvaluationRequest.model_validate({"source": source} | defaults | fields)
    return Judge(pool).judge(request, lambda _: None)


@pytest.mark.parametrize(
    ("source", "verdict", "message"),
    [
        ("print(int(input()) * 2)", "accepted", None),
        ("print(5)", "wrong_answer", "word 1: expected '4', got '5'"),
        ("print(4); print(1 / 0)", "runtime_error", "exit status 1: ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 11)", "runtime_error", "killed by SIGSEGV"),
        ("while True: pass", "time_limit_exceeded", "CPU time limit exceeded: used "),
        ("import time; time.sleep(9)", "time_limit_exceeded", "wall time limit exceeded: took "),
        ("x = bytearray(300 << 20)", "memory_limit_exceeded", "the limit is 64 MiB"),
        ("while True: print('x' * 1000)", "output_limit_exceeded", "more than 16 KiB"),
        ("def f(:\n  pass", "compile_error", "main.py"),
    ],
)
def test_verdicts(docker_pool: DockerPool, source: str, verdict: str, message: str | None) -> None:
    judgement = judged(docker_pool, source)
    (result,) = judgement.tests
    assert (result.verdict, judgement.verdict) == (Verdict(verdict), Verdict(verdict))
    assert result.message is None if message is None else message in result.message
    assert result.wall_time_s >= 0
    assert judgement.score == (1.0 if verdict == "accepted" else 0.0)
    assert judgement.sandbox.tier == "single-use"


def test_functions(docker_pool: DockerPool) -> None:
    source = "import helper\n\ndef solve(xs, *, key=None):\n    print('noise')\n    return helper.pick(xs, key)\n"
    helper = "def pick(xs, key):\n    return {'n': len(xs), 'max': max(xs) if key is None else xs[key]}\n"
    tests = [
        {"id": "1", "args": [[3, 1, 2]], "expected": {"max": 3, "n": 3}},
        {"id": "2", "args": [[1.5]], "kwargs": {"key": 0}, "expected": {"n": 1, "max": 1.5}},
        {"id": "3", "args": [[True]], "expected": {"n": 1, "max": 1}},
        {"id": "4", "args": [[]], "expected": None},
    ]
    files = [{"path": "helper.py", "content": helper}]
    judgement = judged(docker_pool, source, tests=tests, files=files, grader={"kind": "function"})
    assert [result.verdict for result in judgement.tests] == ["accepted", "accepted", "wrong_answer", "runtime_error"]
    assert judgement.tests[0].value == {"n": 3, "max": 3}
    assert judgement.tests[0].stdout == "noise\n"
    assert judgement.tests[2].message == "the value['max']: expected 1, got True (int, not bool)"
    assert "ValueError" in judgement.tests[3].message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", "main.py defines no function 'solve'"),
        ("def solve(): return {1, 2}", "a set is not a JSON value"),
        ("import os\ndef solve(): os._exit(0)", "ended before the function returned"),
        ("def solve():\n    class L: pass\n    return L()", "L is not a JSON value"),
    ],
)
def test_functions_that_return_nothing_to_judge(docker_pool: DockerPool, source: str, message: str) -> None:
    tests = [{"id": "1", "expected": None}]
    judgement = judged(docker_pool, source, tests=tests, grader={"kind": "function"})
    assert judgement.verdict is Verdict.RUNTIME_ERROR
    assert message in judgement.tests[0].message


def test_tests_do_not_see_each_other(docker_pool: DockerPool) -> None:
    source = "import os, pathlib\np = pathlib.Path('mark')\nprint(p.exists())\np.write_text('x')\n"
    tests = [{"id": str(i), "expected_stdout": "False\n"} for i in range(3)]
    assert judged(docker_pool, source, tests=tests).verdict is Verdict.ACCEPTED


def test_cancelling_frees_the_slot_at_once(docker_pool: DockerPool) -> None:
    limits = LIMITS | {"wall_time_s": 60}
    tests = [{"id": str(i)} for i in range(3)]
    request = EvaluationRequest.model_validate(
        {"source": "import time; time.sleep(50)", "tests": tests, "limits": limits}
    )
    cancelled = threading.Event()
    answers: list[Judgement] = []
    thread = threading.Thread(
        target=lambda: answers.append(Judge(docker_pool).judge(request, lambda _: None, cancelled))
    )
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    cancelled.set()
    thread.join(20)
    assert time.monotonic() - began < 5
    assert [result.verdict for result in answers[0].tests] == ["cancelled"] * 3
    assert docker_pool.status().in_use == 0


@pytest.mark.parametrize(
    ("source", "verdict", "message"),
    [
        ("def act(o):\n    print('thinking')\n    return int(o[2] + 0.3 * o[3] > 0)", "accepted", None),
        ("def act(o): return 0", "wrong_answer", "at least 150 is asked"),
        ("def act(o): return 5", "wrong_answer", "step 1: the action 5 is not in Discrete(2)"),
        ("def act(o): return o[9]", "runtime_error", "IndexError"),
        ("x = 1", "runtime_error", "main.py defines no function or class 'act'"),
        ("import os\ndef act(o): os._exit(0)", "wrong_answer", "ended after 0 steps"),
        ("import time\ndef act(o): time.sleep(30)", "time_limit_exceeded", "turn"),
        ("import os\nos.write(1, b'0\\n' * 5)\ndef act(o): return 0", "wrong_answer", "is asked"),
    ],
)
def test_agents(docker_pool: DockerPool, source: str, verdict: str, message: str | None) -> None:
    grader = {"kind": "episode", "env": "CartPole-v1", "turn_time_s": 2}
    tests = [{"id": "1", "seed": 1, "min_return": 150}]
    (result,) = judged(docker_pool, source, tests=tests, grader=grader, limits=LIMITS | {"wall_time_s": 10}).tests
    assert result.verdict == verdict
    assert result.message is None if message is None else message in result.message
    if verdict == "accepted":
        assert result.stderr.startswith("thinking\n")
        assert result.value["episode_return"] >= 150


def test_32_episodes_are_played_side_by_side(docker_pool: DockerPool) -> None:
    source = """
class Agent:
    def act_batch(self, observations):
        return [int(o[2] + 0.3 * o[3] > 0) for o in observations]
"""
    fields = {"grader": {"kind": "episode", "env": "CartPole-v1", "entry": "Agent", "turn_time_s": 5}}
    limits = {"cpu_time_s": 10, "wall_time_s": 60}
    tests = [{"id": "many", "episodes": 32, "min_return": 150}]
    (result,) = judged(docker_pool, source, tests=tests, limits=limits, **fields).tests
    assert result.verdict == "accepted", result.message
    assert len(result.value["episode_returns"]) == 32


def test_an_agent_is_a_class_with_weights(docker_pool: DockerPool, tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("[0, 0, 1, 0.3]")
    (tmp_path / "weights").chmod(0o444)
    source = """
import json
class Agent:
    def __init__(self): self.weights = json.load(open("w.json"))
    def reset(self): self.steps = 0
    def act(self, observation):
        self.steps += 1
        return int(sum(w * o for w, o in zip(self.weights, observation)) > 0)
"""
    weights = LocalData(path="w.json", file="file_" + "0" * 26, local=tmp_path / "weights")
    fields = {
        "source": source,
        "grader": {"kind": "episode", "env": "CartPole-v1", "entry": "Agent"},
        "tests": [{"id": str(seed), "seed": seed, "min_return": 150} for seed in range(2)],
    }
    request = EvaluationRequest.model_validate(fields).model_copy(update={"data": [weights]})
    assert Judge(docker_pool).judge(request, lambda _: None).verdict == "accepted"


def test_an_agent_plays_an_uploaded_environment_in_a_sandbox_beside_its_own(docker_pool: DockerPool) -> None:
    request = EvaluationRequest(
        source="def act(o): return int(o['sight'][1] > o['sight'][0])",
        grader={"kind": "episode", "env": "env_test"},
        tests=[{"id": "1", "seed": 1, "min_return": 1}, {"id": "2", "seed": 2, "min_return": 1}],
        limits=LIMITS | {"wall_time_s": 20},
    )
    request = request.model_copy(update={"grader": request.grader.playing(code_of(GRID, "Grid"))})
    judgement = Judge(docker_pool).judge(request, lambda result: None)
    assert judgement.verdict is Verdict.ACCEPTED, [result.message for result in judgement.tests]
    assert docker_pool.status().in_use == 0


def test_errors_show_the_authors_name_of_the_program(docker_pool: DockerPool) -> None:
    stdio = judged(docker_pool, "x = 1\n1 / 0", tests=[{"id": "1"}], source_name="hw 1.py").tests[0]
    assert '  File "hw 1.py", line 2, in <module>' in (stdio.stderr or "")
    broken = judged(docker_pool, "\n(", tests=[{"id": "1"}], source_name="hw1.py")
    assert (broken.message or "").startswith("hw1.py, line 2: SyntaxError")
    called = judged(
        docker_pool,
        "def f():\n    return 1 / 0",
        tests=[{"id": "1", "expected": 1}],
        grader={"kind": "function", "entry": "f"},
        source_name="hw1.py",
    ).tests[0]
    assert '  File "hw1.py", line 2, in f' in (called.stderr or "")
    agent = judged(
        docker_pool,
        "def act(observation):\n    return 1 / 0",
        tests=[{"id": "1", "seed": 1}],
        grader={"kind": "episode", "env": "CartPole-v1"},
        source_name="my-agent.py",
    ).tests[0]
    assert 'my-agent.py", line 2, in act' in (agent.stderr or "")


@pytest.mark.parametrize("name", ["json.py", "sys.py", "types.py", "main.py"])
def test_an_agent_and_a_suite_take_files_that_are_called_as_modules_of_python(
    docker_pool: DockerPool, name: str
) -> None:
    source = "from traceback import MINE\n\ndef act(observation):\n    return MINE if observation[2] > 0 else 0\n"
    files = [{"path": path, "content": "MINE = 1"} for path in ("traceback.py", "json.py", "wire.py") if path != name]
    submission = {"source_name": name, "files": files}
    tests = [{"id": "1", "seed": 1}]
    agent = judged(docker_pool, source, tests=tests, grader={"kind": "episode", "env": "CartPole-v1"}, **submission)
    assert agent.verdict is Verdict.ACCEPTED, agent.tests[0].stderr
    suite = "import main\n\ndef test_it():\n    assert main.act([0, 0, 1]) == 1\n"
    grader = {"kind": "pytest", "suite": suite if name == "main.py" else "def test_nothing(): pass"}
    judgement = judged(docker_pool, source, tests=[{"id": "1"}], grader=grader, **submission)
    assert judgement.verdict is Verdict.ACCEPTED, judgement.tests[0].message
