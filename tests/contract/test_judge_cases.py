"""Requests with their right verdicts, judged in real containers: `cases/*.jsonl`, one request a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

FILES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
CASES = [json.loads(line) for path in FILES for line in path.read_text().splitlines()]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES if not case.get("slow")])
def test_request_gets_its_verdict(docker_pool: DockerPool, case: dict[str, Any]) -> None:
    request = EvaluationRequest.model_validate_json(json.dumps(case["request"]))
    judgement = Judge(docker_pool).judge(request, lambda _: None)
    expected = case["expected"]
    assert judgement.verdict in (expected if isinstance(expected, list) else [expected]), judgement.tests
