from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.submissions import build_program, check_submission
from rlplatform.sandbox.programs import check_program
from rlplatform.settings import EvaluationSettings


def request(*paths: str, **changes: Any) -> EvaluationRequest:
    files = [{"path": path, "content": "é"} for path in paths]
    return EvaluationRequest.model_validate({"source": "x = 1", "files": files, "tests": [{"id": "1"}]} | changes)


def test_source_and_files_become_a_program() -> None:
    program = build_program(request("helper.py", "pkg/__init__.py", "data/in put.txt"))
    assert program.entry == "main.py"
    assert program.files == {
        "main.py": b"x = 1",
        "helper.py": "é".encode(),
        "pkg/__init__.py": "é".encode(),
        "data/in put.txt": "é".encode(),
    }


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "relative"),
        ("../x", "'..'"),
        ("a/../b", "'..'"),
        ("a/..", "'..'"),
        ("./a", "'.' or empty"),
        ("a//b", "'.' or empty"),
        ("a/", "'.' or empty"),
        ("a\\b", "'/' between"),
        ("a\0b", "NUL"),
        ("a\nb", "control"),
        ("é" * 65, "128 bytes"),
        ("__pycache__/main.cpython-311.pyc", "__pycache__"),
        ("main.py", "the program itself"),
        ("fine.py", "twice"),
        ("main.py/x", "'main.py' is a file"),
        ("fine.py/x", "'fine.py' is a file"),
    ],
)
def test_bad_paths_are_refused_by_name(path: str, why: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        build_program(request("fine.py", "other.py", path))
    assert why in str(caught.value)
    assert caught.value.extra["field"] == "files.2.path"


def test_too_much_is_refused() -> None:
    files = [{"path": f"f{i}", "content": "é" * 250_000} for i in range(9)]
    with pytest.raises(InvalidRequest, match="bytes") as caught:
        build_program(request(files=files))
    assert caught.value.extra["field"] == "files"


def test_tests_that_may_take_for_ever_are_refused() -> None:
    tests = [{"id": str(i)} for i in range(200)]
    check_submission(request(tests=tests))
    with pytest.raises(InvalidRequest, match="wall time") as caught:
        check_submission(request(tests=tests, limits={"wall_time_s": 120}))
    assert caught.value.extra["field"] == "limits.wall_time_s"


@given(st.lists(st.text(st.sampled_from("ab./\\\0é_")), max_size=4))
def test_what_is_taken_is_what_the_sandbox_takes(paths: list[str]) -> None:
    try:
        program = build_program(request(*paths))
    except (InvalidRequest, ValidationError):
        return
    assert check_program(program) is program


def test_tests_may_have_limits_of_their_own() -> None:
    tests = [{"id": "a"}, {"id": "b", "limits": {"cpu_time_s": 5, "memory_mib": 512}}]
    given = request(tests=tests, limits={"cpu_time_s": 1, "wall_time_s": 8})
    assert given.limits_of(given.tests[0]) == given.limits
    of_b = given.limits_of(given.tests[1])
    assert (of_b.cpu_time_s, of_b.wall_time_s, of_b.memory_mib) == (5, 8, 512)
    largest = given.largest_limits()
    assert (largest.cpu_time_s, largest.wall_time_s, largest.memory_mib) == (5, 8, 512)
    check_submission(given)


def test_limits_of_a_test_go_with_those_of_the_request() -> None:
    with pytest.raises(ValidationError, match=r"wall_time_s \(6.0\) must be at least cpu_time_s \(7.0\)"):
        request(tests=[{"id": "a", "limits": {"cpu_time_s": 7}}])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"limits": {"cpu_time_s": 61, "wall_time_s": 100}}, "limits.cpu_time_s"),
        ({"tests": [{"id": "a", "limits": {"memory_mib": 4096}}]}, "tests.0.limits.memory_mib"),
        ({"checker": {"kind": "program", "source": "", "limits": {"wall_time_s": 121}}}, "checker.limits.wall_time_s"),
        (
            {"grader": {"kind": "pytest", "suite": "", "limits": {"processes": 200}}, "tests": [{"id": "a"}]},
            "grader.limits.processes",
        ),
    ],
)
def test_limits_have_maxima_that_the_operator_sets(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match="RLP_EVALUATION__MAX_") as refused:
        check_submission(request(**fields))
    assert refused.value.extra["field"] == field
    settings = EvaluationSettings(max_cpu_time_s=100, max_memory_mib=4096, max_wall_time_s=200, max_processes=200)
    check_submission(request(**fields), settings)


@pytest.mark.parametrize("grader", [{"kind": "stdio"}, {"kind": "function", "entry": "f"}])
def test_a_program_has_the_name_that_its_author_gave_it(grader: dict[str, str]) -> None:
    tests = [{"id": "1", "expected": 1}] if grader["kind"] == "function" else [{"id": "1"}]
    program = build_program(request("main.py", source_name="hw 1.py", grader=grader, tests=tests))
    assert (program.entry, program.files["hw 1.py"]) == ("hw 1.py", b"x = 1")
    with pytest.raises(InvalidRequest, match="is taken by the program itself"):
        build_program(request("hw.py", source_name="hw.py"))


@pytest.mark.parametrize(
    ("name", "grader"),
    [
        ("_agent_loop.py", {"kind": "episode", "env": "CartPole-v1"}),
        ("_start.py", {"kind": "pytest", "suite": ""}),
        ("test_suite.py", {"kind": "pytest", "suite": "", "isolation": "shared"}),
        ("test_mine.py", {"kind": "pytest", "suite": "", "isolation": "shared"}),
    ],
)
def test_a_program_cannot_have_the_name_of_a_file_of_its_grader(name: str, grader: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="choose another name") as refused:
        build_program(request(source_name=name, grader=grader, tests=[{"id": "1"}]))
    assert refused.value.extra["field"] == "source_name"


def test_an_environment_is_a_module_of_the_name_that_its_entry_has() -> None:
    grader = {"kind": "environment", "entry": "grid:GridWorld"}
    program = build_program(request(grader=grader, tests=[{"id": "1", "check": "spaces"}]))
    assert program.files["grid.py"] == b"x = 1"


def test_a_program_of_another_language_is_not_taken_for_python() -> None:
    with pytest.raises(ValidationError, match=r"must end as main\.py, the file of language 'python'"):
        request(source_name="hw.c")


@pytest.mark.parametrize(
    "name", ["", "hw", "a/b.py", "../b.py", ".py", "a\n.py", "é.py", f"{'a' * 61}.py", "a.py.", "a."]
)
def test_a_name_that_is_no_plain_file_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="source_name"):
        request(source_name=name)
