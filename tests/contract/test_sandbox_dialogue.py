"""Dialogues with programs in real containers."""

from __future__ import annotations

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

BISECTION = """
low, high = 0, 1000
while True:
    guess = (low + high) // 2
    print(guess, flush=True)
    answer = input()
    if answer == "correct":
        break
    low, high = (guess + 1, high) if answer == "higher" else (low, guess - 1)
"""


@pytest.mark.parametrize("tier", ["single-use", "jail"])
@pytest.mark.parametrize(
    ("source", "verdict", "message"),
    [
        (BISECTION, "accepted", None),
        ("print(1, flush=True); input(); print('x', flush=True); input()", "wrong_answer", "'x' is no whole number"),
        ("import time; print(1); time.sleep(60)", "time_limit_exceeded", "no answer within the time of a turn"),
        ("print(1)", "wrong_answer", "the program ended after 1 lines"),
        ("for _ in range(30): print(1, flush=True)", "wrong_answer", "not found with 20 guesses"),
    ],
)
def test_a_program_guesses(docker_pool: DockerPool, tier: str, source: str, verdict: str, message: str | None) -> None:
    grader = {"kind": "dialogue", "max_guesses": 20, "turn_time_s": 1.5}
    request = EvaluationRequest.model_validate(
        {"source": source, "grader": grader, "tests": [{"id": "t", "secret": 77}], "tier": tier}
        | {"limits": {"cpu_time_s": 3, "wall_time_s": 10}}
    )
    (result,) = Judge(docker_pool).judge(request, lambda _: None).tests
    assert result.verdict == verdict, result
    assert (message or "") in (result.message or "")
