"""Folders of tests: pairs, and the packages of Kattis and DMOJ, become the tests of a request."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rlplatform.cli.program import uploaded
from rlplatform.cli.test_packages.folder import read_folder
from rlplatform.cli.test_packages.package import MAX_INLINE
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import EvaluationRequest


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def read(folder: Path) -> dict[str, Any]:
    """Return the request of a folder, which the models accept."""
    with read_folder(folder) as package:
        request: dict[str, Any] = uploaded(package.request(), lambda path: f"file_{path.stem:0>26}")
    EvaluationRequest.model_validate({"source": "", **request})
    return request


def refusal(folder: Path) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read(folder)
    assert refused.value.extra["field"] == "--tests"
    return str(refused.value)


def test_pairs_are_sorted_by_number_and_large_ones_uploaded(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.in": f"{number}\n" for number in (10, 2, 1)})
    write(
        tmp_path,
        {"1.ans": "1\r\n", "2.out": "2\n", "10.ans": "x" * (MAX_INLINE + 1), "edge/a b.in": "", "edge/a b.ans": ""},
    )
    assert read(tmp_path)["tests"] == [
        {"id": "1", "stdin": "1\n", "expected_stdout": "1\r\n"},
        {"id": "2", "stdin": "2\n", "expected_stdout": "2\n"},
        {"id": "10", "stdin": "10\n", "expected_stdout": {"file": f"file_{'10':0>26}"}},
        {"id": "edge-a-b", "stdin": "", "expected_stdout": ""},
    ]


def test_an_input_without_answer_and_a_folder_without_tests_are_refused(tmp_path: Path) -> None:
    assert "has no tests: pairs as 1.in and 1.ans" in refusal(tmp_path)
    write(tmp_path, {"1.in": "1"})
    assert "1.in has no answer beside it: 1.ans is missing" in refusal(tmp_path)
    write(tmp_path, {f"{number}.{kind}": "" for number in range(1, 202) for kind in ("in", "ans")})
    assert "it has 201 tests; at most 200 are accepted" in refusal(tmp_path)


KATTIS = {
    "problem.yaml": "name: Sum\nlimits:\n  time_limit: 3\n  memory: 512\n  output: 2\n",
    "data/sample/1.in": "1 2\n",
    "data/sample/1.ans": "3\n",
    "data/secret/big.in": "9 9\n",
    "data/secret/big.ans": "18\n",
}


def test_a_kattis_package_has_samples_and_hidden_tests(tmp_path: Path) -> None:
    assert read(write(tmp_path, KATTIS)) == {
        "tests": [
            {"id": "sample-1", "stdin": "1 2\n", "expected_stdout": "3\n"},
            {"id": "secret-big", "stdin": "9 9\n", "expected_stdout": "18\n", "hidden": True},
        ],
        "checker": {"kind": "tokens", "ignore_case": True},
        "limits": {"cpu_time_s": 3.0, "wall_time_s": 7.0, "memory_mib": 512, "output_kib": 2048},
    }


@pytest.mark.parametrize(
    ("flags", "checker"),
    [
        ("case_sensitive", {"kind": "tokens", "ignore_case": False}),
        ("case_sensitive space_change_sensitive", {"kind": "exact"}),
        ("float_tolerance 1e-4", {"kind": "floats", "abs_tol": 1e-4, "rel_tol": 1e-4, "ignore_case": True}),
        ("float_absolute_tolerance 0.5", {"kind": "floats", "abs_tol": 0.5, "rel_tol": 0.0, "ignore_case": True}),
    ],
)
def test_flags_of_kattis_default_validator(tmp_path: Path, flags: str, checker: dict[str, Any]) -> None:
    write(tmp_path, KATTIS | {"problem.yaml": f"validator_flags: {flags}\n"})
    assert read(tmp_path)["checker"] == checker


def test_an_output_validator_becomes_a_program_checker(tmp_path: Path) -> None:
    validator = "from __future__ import annotations\nimport sys\nsys.exit(42 if sys.argv[-1] == 'strict' else 43)\n"
    about = {"problem.yaml": "validation: custom\n", "output_validators/check/validate.py": validator}
    checker = read(write(tmp_path, KATTIS | about))["checker"]
    assert checker == {"kind": "program", "convention": "kattis", "source": validator}
    write(tmp_path, {"problem.yaml": "validation: custom\nvalidator_flags: strict\n"})
    source = read(tmp_path)["checker"]["source"]
    assert subprocess.run([sys.executable, "-c", source, "i", "e", "f"], check=False).returncode == 42


@pytest.mark.parametrize("about", ["validation: custom interactive\n", "type: interactive\n"])
def test_an_interactive_problem_of_kattis_has_its_validator_as_interactor(tmp_path: Path, about: str) -> None:
    validator = "import sys\nsys.exit(42)\n"
    write(tmp_path, KATTIS | {"problem.yaml": about, "output_validators/talk.py": validator})
    request = read(tmp_path)
    assert request["grader"] == {"kind": "interactive", "convention": "kattis", "source": validator}
    assert "checker" not in request
    assert all({"input", "answer"} <= test.keys() for test in request["tests"])
    assert not any({"stdin", "expected_stdout"} & test.keys() for test in request["tests"])
    EvaluationRequest.model_validate({"source": "", **request})


def test_points_of_kattis_groups(tmp_path: Path) -> None:
    write(
        tmp_path,
        KATTIS
        | {
            "problem.yaml": "type: scoring\n",
            "data/secret/g1/testdata.yaml": "on_reject: break\naccept_score: 30\ngrader_flags: min\n",
            "data/secret/g1/a.in": "",
            "data/secret/g1/a.ans": "",
            "data/secret/g1/b.in": "",
            "data/secret/g1/b.ans": "",
            "data/secret/g2/testdata.yaml": "accept_score: 5\n",
            "data/secret/g2/a.in": "",
            "data/secret/g2/a.ans": "",
        },
    )
    request = read(tmp_path)
    assert {test["id"]: (test.get("group"), test["points"]) for test in request["tests"]} == {
        "sample-1": (None, 0.0),
        "secret-big": (None, 1.0),
        "secret-g1-a": ("g1", 15.0),
        "secret-g1-b": ("g1", 15.0),
        "secret-g2-a": ("g2", 5.0),
    }
    assert request["groups"] == [
        {"id": "g1", "scoring": "all_or_nothing", "stop_on_failure": True},
        {"id": "g2", "scoring": "sum", "stop_on_failure": False},
    ]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"problem.yaml": "validation: custom interactive\n"}, "names a custom validator"),
        ({"problem.yaml": "type: multi-pass\n"}, "type 'multi-pass' is not supported"),
        ({"problem.yaml": "validator_flags: fuzzy\n"}, "the validator flag 'fuzzy' is not supported"),
        ({"problem.yaml": "validator_flags: float_tolerance much\n"}, "float_tolerance needs a number"),
        ({"problem.yaml": "validation: custom\n"}, "output_validators has none"),
        ({"problem.yaml": "validation: custom\n", "output_validators/v.cpp": ""}, "an output validator of v.cpp"),
        ({"problem.yaml": "limits: {time_limit: soon}\n"}, "time_limit must be a number of at least 0.001; got 'soon'"),
        ({"problem.yaml": "a: [\n"}, "is not YAML"),
        ({"problem.yaml": "- a\n"}, "must hold a mapping"),
        ({"data/secret/big.args": "-x"}, "a .args file is not supported"),
    ],
)
def test_what_kattis_has_and_this_platform_has_not_is_named(tmp_path: Path, more: dict[str, str], reason: str) -> None:
    assert reason in refusal(write(tmp_path, KATTIS | more))


DMOJ = """
archive: data.zip
checker: {name: floats, args: {precision: 4}}
points: 2
output_limit_length: 4096
test_cases:
- {in: a.in, out: a.out, points: 5}
- points: 20
  batched:
  - {in: b1.in, out: b1.out}
  - {in: b2.in, out: b2.out}
- {in: c.in, out: c.out}
"""


def dmoj(folder: Path, init: str = DMOJ) -> Path:
    write(folder, {"init.yml": init})
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        for name in ("a", "b1", "b2", "c"):
            archive.writestr(f"{name}.in", f"{name}\n")
            archive.writestr(f"{name}.out", "1.0\n")
    return folder


def test_a_dmoj_package_has_points_batches_and_a_checker(tmp_path: Path) -> None:
    request = read(dmoj(tmp_path))
    assert [(test["id"], test["points"], test.get("group")) for test in request["tests"]] == [
        ("a", 5.0, None),
        ("b1", 10.0, "batch1"),
        ("b2", 10.0, "batch1"),
        ("c", 2.0, None),
    ]
    assert request["tests"][0]["stdin"] == "a\n"
    assert request["groups"] == [{"id": "batch1", "scoring": "all_or_nothing", "stop_on_failure": True}]
    assert request["checker"] == {"kind": "floats", "abs_tol": 1e-4, "rel_tol": 1e-4}
    assert request["limits"] == {"output_kib": 4}


@pytest.mark.parametrize(
    ("checker", "expected"),
    [
        ("standard", {"kind": "lines", "ignore_spacing": True}),
        ("identical", {"kind": "exact"}),
        ("sorted", {"kind": "unordered"}),
        (
            "{name: floats, args: {error_mode: absolute, precision: 2}}",
            {"kind": "floats", "abs_tol": 0.01, "rel_tol": 0},
        ),
    ],
)
def test_checkers_of_dmoj(tmp_path: Path, checker: str, expected: dict[str, Any]) -> None:
    dmoj(tmp_path, f"archive: data.zip\nchecker: {checker}\ntest_cases: [{{in: a.in, out: a.out}}]\n")
    assert read(tmp_path)["checker"] == expected


DMOJ_CHECKER = """
from dmoj.result import CheckerResult
from dmoj.utils.unicode import utf8text


def check(process_output, judge_output, judge_input, point_value, least=0, **kwargs):
    print("noise")
    if utf8text(process_output) == "bool":
        return True
    share = int(process_output) / 10
    return CheckerResult(share >= least, share * point_value, f"of {judge_input.decode()}")
"""


@pytest.mark.parametrize(
    ("printed", "score", "message"),
    [("bool", 1.0, ""), ("3", 0.3, "of in"), ("10", 1.0, "of in"), ("99", 1.0, "of in")],
)
def test_a_python_checker_of_dmoj_is_called_as_there(tmp_path: Path, printed: str, score: float, message: str) -> None:
    init = "archive: data.zip\nchecker: {name: check.py, args: {least: 0.1}}\ntest_cases: [{in: a.in, out: a.out}]\n"
    write(dmoj(tmp_path, init), {"check.py": DMOJ_CHECKER, "input": "in", "output": printed, "expected": "x"})
    checker = read(tmp_path)["checker"]
    assert (checker["kind"], checker["convention"]) == ("program", "json")
    command = [sys.executable, "-c", checker["source"], "input", "output", "expected"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"score": score, "message": message}


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        ("test_cases: {input_format: x}", "test_cases by patterns is not supported; list them"),
        ("archive: none.zip", "cannot be read"),
        ("generator: gen.cpp\ntest_cases: []", "'generator' is not supported"),
        ("interactive: {files: i.py}\ntest_cases: []", "'interactive' is not supported"),
        ("checker: bridged\ntest_cases: []", "the checker 'bridged' is not supported; supported are standard"),
        ("checker: mine.py\ntest_cases: []", "there is no checker 'mine.py'"),
        ("archive: data.zip\ntest_cases: [{in: ../init.yml, out: a.out}]", "there is no file '../init.yml'"),
        ("archive: data.zip\ntest_cases: [{in: a.in}]", "a test case needs 'out', the name of a file; got None"),
        ("archive: data.zip\ntest_cases: [{in: a.in, out: a.out, points: many}]", "points must be a number"),
        ("archive: data.zip\ntest_cases: [{batched: []}]", "batched must be a list of test cases"),
        ("archive: data.zip\ntest_cases: []", "it has no tests"),
    ],
)
def test_what_dmoj_has_and_this_platform_has_not_is_named(tmp_path: Path, init: str, reason: str) -> None:
    assert reason in refusal(dmoj(tmp_path, f"{init}\n"))
