"""Uploaded files in real containers: large inputs and outputs are judged in little memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rlplatform.evaluation.attachments import attach
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

LIMITS = {"cpu_time_s": 20, "wall_time_s": 60, "memory_mib": 256, "output_kib": 32 << 10}
ECHO = """
import sys
data = sys.stdin.buffer
size = 0
while chunk := data.read(1 << 20):
    size += len(chunk)
    if size <= 20 << 20:
        sys.stdout.buffer.write(chunk)
print("read", size, file=sys.stderr)
"""


def ref(number: int) -> dict[str, str]:
    return {"file": f"file_{number:026d}"}


def judged(pool: DockerPool, paths: list[Path], **fields: object) -> Judgement:
    request = EvaluationRequest.model_validate({"limits": LIMITS, **fields})
    local = attach(request, {f"file_{number:026d}": path for number, path in enumerate(paths)})
    return Judge(pool).judge(local, lambda _: None)


def peak_bytes() -> int:
    """The highest resident size of this process since :func:`forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """64 MiB of input, its first 20 MiB, and the same with another end."""
    folder = tmp_path_factory.mktemp("large")
    block = b"".join(b"%d %d\n" % (number, number * number) for number in range(50_000))
    whole = (block * (64 * 2**20 // len(block) + 1))[: 64 << 20]
    paths = [folder / name for name in ("stdin", "expected", "other")]
    for path, content in zip(paths, (whole, whole[: 20 << 20], whole[: (20 << 20) - 8] + b"12345678"), strict=True):
        path.write_bytes(content)
    return paths


@pytest.mark.parametrize("checker", ["exact", "tokens", "lines", "floats"])
def test_a_large_input_and_output_take_little_memory(docker_pool: DockerPool, large: list[Path], checker: str) -> None:
    tests = [{"id": "1", "stdin": ref(0), "expected_stdout": ref(1)}]
    forget_peak()
    before = peak_bytes()
    judgement = judged(docker_pool, large, source=ECHO, tests=tests, checker={"kind": checker})
    grown = peak_bytes() - before
    assert judgement.verdict == "accepted", judgement.tests[0].message
    assert judgement.tests[0].stderr == f"read {64 << 20}\n"
    assert judgement.tests[0].stdout_truncated
    assert grown < 100 << 20


def test_a_difference_at_the_end_of_a_large_output_is_found(docker_pool: DockerPool, large: list[Path]) -> None:
    tests = [{"id": "1", "stdin": ref(0), "expected_stdout": ref(2)}]
    forget_peak()
    before = peak_bytes()
    judgement = judged(docker_pool, large, source=ECHO, tests=tests)
    assert peak_bytes() - before < 100 << 20
    assert judgement.verdict == "wrong_answer"
    assert "12345678" in str(judgement.tests[0].message)


def test_a_program_that_does_not_read_its_large_input_is_judged_at_once(
    docker_pool: DockerPool, large: list[Path]
) -> None:
    tests = [{"id": str(number), "stdin": ref(0), "expected_stdout": "4\n"} for number in range(3)]
    judgement = judged(docker_pool, large, source="print(4)", tests=tests)
    assert judgement.verdict == "accepted"
    assert all((test.wall_time_s or 0) < 5 for test in judgement.tests)


def test_too_large_an_output_is_still_refused(docker_pool: DockerPool, large: list[Path]) -> None:
    tests = [{"id": "1", "stdin": ref(0), "expected_stdout": ref(1)}]
    limits = LIMITS | {"output_kib": 8 << 10}
    judgement = judged(docker_pool, large, source=ECHO, tests=tests, limits=limits)
    assert judgement.verdict == "output_limit_exceeded"


def test_files_may_hold_any_bytes(docker_pool: DockerPool, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(100_000)
    (tmp_path / "weights.bin").write_bytes(content)
    (tmp_path / "main.py").write_bytes(b"\xef\xbb\xbfprint(sum(open('w/weights.bin', 'rb').read()))\n")
    judgement = judged(
        docker_pool,
        [tmp_path / "main.py", tmp_path / "weights.bin"],
        source=ref(0),
        files=[{"path": "w/weights.bin", "content": ref(1)}],
        tests=[{"id": "1", "expected_stdout": f"{sum(content)}\n"}],
    )
    assert judgement.verdict == "accepted", judgement.tests[0]


def test_data_and_files_of_a_test(docker_pool: DockerPool, tmp_path: Path) -> None:
    for name in ("shared", "first", "second"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o444)
    source = "import os; print(open('in/shared').read(), open('own').read() if os.path.exists('own') else '-')"
    tests = [
        {"id": "1", "files": [{"path": "own", **ref(1)}], "expected_stdout": "shared first"},
        {"id": "2", "expected_stdout": "shared -"},
        {"id": "3", "files": [{"path": "own", **ref(2)}], "expected_stdout": "shared second", "hidden": True},
    ]
    for tier in ("single-use", "jail"):
        judgement = judged(
            docker_pool,
            [tmp_path / name for name in ("shared", "first", "second")],
            source=source,
            tests=tests,
            data=[{"path": "in/shared", **ref(0)}],
            tier=tier,
        )
        assert judgement.verdict == "accepted", judgement.tests


def test_functions_and_agents_find_data_too(docker_pool: DockerPool, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("40")
    (tmp_path / "w").chmod(0o444)
    judgement = judged(
        docker_pool,
        [tmp_path / "w"],
        source="def solve(x):\n    return int(open('w').read()) + x",
        grader={"kind": "function"},
        data=[{"path": "w", **ref(0)}],
        tests=[{"id": "1", "args": [2], "expected": 42}],
    )
    assert judgement.verdict == "accepted", judgement.tests
