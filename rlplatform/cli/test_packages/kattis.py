"""Problem packages of Kattis and the ICPC: ``problem.yaml``, ``data/sample`` and ``data/secret``, output validators.

Both formats are read, the legacy one and 2023-07. The specification: https://www.kattis.com/problem-package-format.
Secret tests are hidden from learners. Statements, submissions and input validators play no part here.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rlplatform.cli.program import read_text
from rlplatform.cli.test_packages.package import (
    TestPackage,
    label_for,
    not_supported,
    number,
    read_yaml,
    refused,
    time_limits,
)
from rlplatform.cli.test_packages.pairs import pair_test, pairs

FILE = "problem.yaml"
_SAMPLE, _SECRET = "sample", "secret"
_VALIDATORS = ("output_validators", "output_validator")
_FLOATS = {
    "float_tolerance": ("abs_tol", "rel_tol"),
    "float_absolute_tolerance": ("abs_tol",),
    "float_relative_tolerance": ("rel_tol",),
}
_BESIDE = (".args", ".files", ".interaction")
_GROUP_FILES = ("test_group.yaml", "testdata.yaml")


def is_kattis(folder: Path) -> bool:
    """Return True if ``folder`` has the layout."""
    return (folder / FILE).is_file() or (folder / "data" / _SECRET).is_dir()


def read_kattis(folder: Path) -> TestPackage:
    """Return the tests of a package.

    Raises:
        InvalidRequest: it uses what this platform does not have, or is not well-formed.
    """
    path = folder / FILE
    about = read_yaml(path) if path.is_file() else {}
    kinds = _kinds(path, about)
    data = folder / "data"
    package = TestPackage([], checker=_checker(folder, path, about), limits=_limits(folder, path, about))
    for part in (_SAMPLE, _SECRET):
        if (data / part).is_dir():
            _add_tests(package, data / part, scoring="scoring" in kinds)
    if not package.tests:
        raise refused(f"{data} has no tests in {_SAMPLE} or {_SECRET}")
    if "interactive" in kinds:
        _make_interactive(package, folder, about)
    return package


def _make_interactive(package: TestPackage, folder: Path, about: dict[str, Any]) -> None:
    """Let the output validator of ``package`` talk with the program: it gets input and answer, the program neither."""
    source = _program(folder, _validators(folder), _flags(about))["source"]
    package.checker = None
    package.grader = {"kind": "interactive", "convention": "kattis", "source": source}
    for test in package.tests:
        test["input"], test["answer"] = test.pop("stdin"), test.pop("expected_stdout")


def _kinds(path: Path, about: dict[str, Any]) -> set[str]:
    given = about.get("type", "pass-fail")
    kinds = {str(kind) for kind in given} if isinstance(given, list) else set(str(given).split())
    validation = str(about.get("validation", "")).split()
    if "score" in validation:
        kinds.add("scoring")
    if "interactive" in validation:
        kinds.add("interactive")
    if others := sorted(kinds - {"pass-fail", "scoring", "interactive"}):
        raise not_supported(path, f"type {others[0]!r}", "supported are pass-fail, scoring and interactive")
    return kinds


def _limits(folder: Path, path: Path, about: dict[str, Any]) -> dict[str, Any]:
    given = about.get("limits") or {}
    if not isinstance(given, dict):
        raise refused(f"{path}: limits must be a mapping")
    found: dict[str, Any] = {}
    timelimit = folder / ".timelimit"
    if "time_limit" in given:
        found |= time_limits(number(path, "limits.time_limit", given["time_limit"], least=0.001))
    elif timelimit.is_file():
        try:
            found |= time_limits(number(timelimit, "the time", float(timelimit.read_text()), least=0.001))
        except ValueError:
            raise refused(f"{timelimit} must hold a number of seconds") from None
    if "memory" in given:
        found["memory_mib"] = math.ceil(number(path, "limits.memory", given["memory"], least=16))
    if "output" in given:
        found["output_kib"] = math.ceil(number(path, "limits.output", given["output"], least=0.001) * 1024)
    return found


def _checker(folder: Path, path: Path, about: dict[str, Any]) -> dict[str, Any]:
    validation = str(about.get("validation", "default")).split()
    custom = validation[0] == "custom" or (folder / _VALIDATORS[1]).is_dir()
    if custom:
        return _program(folder, _validators(folder), _flags(about))
    return _default(path, _flags(about))


def _flags(about: dict[str, Any]) -> list[str]:
    given = about.get("validator_flags", "")
    return [str(flag) for flag in given] if isinstance(given, list) else str(given).split()


def _validators(folder: Path) -> list[Path]:
    return [found for name in _VALIDATORS for found in _files(folder / name)]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _program(folder: Path, programs: list[Path], flags: list[str]) -> dict[str, Any]:
    if not programs:
        raise refused(f"{folder}: problem.yaml names a custom validator, and {_VALIDATORS[0]} has none")
    if len(programs) > 1 or programs[0].suffix != ".py":
        shown = ", ".join(path.name for path in programs[:3])
        raise not_supported(programs[0].parent, f"an output validator of {shown}", "give one Python file")
    source = read_text(programs[0])
    if flags:
        source = f"import sys\nsys.argv += {flags!r}\nexec(compile({source!r}, 'main.py', 'exec'), globals())\n"
    return {"kind": "program", "convention": "kattis", "source": source}


def _default(path: Path, flags: list[str]) -> dict[str, Any]:
    """Return the checker that does what Kattis' default validator does."""
    ignore_case, spaces = True, False
    tolerances: dict[str, float] = {}
    rest = iter(flags)
    for flag in rest:
        if flag == "case_sensitive":
            ignore_case = False
        elif flag == "space_change_sensitive":
            spaces = True
        elif flag in _FLOATS:
            try:
                value = number(path, flag, float(next(rest, "")))
            except ValueError:
                raise refused(f"{path}: {flag} needs a number") from None
            tolerances |= dict.fromkeys(_FLOATS[flag], value)
        else:
            accepted = ", ".join(["case_sensitive", "space_change_sensitive", *_FLOATS])
            raise not_supported(path, f"the validator flag {flag!r}", f"supported are {accepted}")
    if spaces and (ignore_case or tolerances):
        instead = "give case_sensitive too, and no tolerance"
        raise not_supported(path, "space_change_sensitive with anything else", instead)
    if spaces:
        return {"kind": "exact"}
    if tolerances:
        return {"kind": "floats", "abs_tol": 0.0, "rel_tol": 0.0, "ignore_case": ignore_case, **tolerances}
    return {"kind": "tokens", "ignore_case": ignore_case}


def _add_tests(package: TestPackage, folder: Path, *, scoring: bool) -> None:
    """Add the tests of ``sample`` or ``secret``, and the groups that they form."""
    by_group: dict[Path, list[dict[str, Any]]] = {}
    for given, expected in pairs(folder):
        for suffix in _BESIDE:
            if (beside := given.with_suffix(suffix)).exists():
                raise not_supported(beside, f"a {suffix} file", "leave it out")
        name = f"{folder.name}/{given.relative_to(folder).with_suffix('').as_posix()}"
        test = pair_test(label_for(name, [test["id"] for test in package.tests]), given, expected)
        if folder.name == _SECRET:
            test["hidden"] = True
        package.tests.append(test)
        by_group.setdefault(given.parent, []).append(test)
    if not scoring:
        return
    for group, tests in by_group.items():
        if folder.name == _SAMPLE:
            for test in tests:
                test["points"] = 0.0
        else:
            _score(package, group, folder, tests)


def _score(package: TestPackage, group: Path, secret: Path, tests: list[dict[str, Any]]) -> None:
    """Give the tests of one group their points."""
    path = next((found for name in _GROUP_FILES if (found := group / name).is_file()), None)
    about = read_yaml(path) if path is not None else {}
    where = path or group
    score, aggregation = _scoring(where, about)
    whole = aggregation == "min"
    for test in tests:
        test["points"] = score / len(tests) if whole else score
    if group != secret:
        name = label_for(group.relative_to(secret).as_posix(), [known["id"] for known in package.groups])
        for test in tests:
            test["group"] = name
        stop = str(about.get("on_reject", "break" if whole else "continue")) != "continue"
        package.groups.append(
            {"id": name, "scoring": "all_or_nothing" if whole else "sum", "stop_on_failure": stop and whole}
        )


def _scoring(path: Path, about: dict[str, Any]) -> tuple[float, str]:
    """Return the points of a group, or of each of its tests, and how its tests are put together."""
    if "scoring" in about:  # the format of 2023-07
        scoring = about["scoring"] or {}
        given, aggregation = scoring.get("score", 1.0), str(scoring.get("aggregation", "min"))
        if aggregation == "pass-fail":
            aggregation = "min"
    else:
        if about.get("grading", "default") != "default":
            raise not_supported(path, "grading of its own", "supported is the default grader")
        flags = set(str(about.get("grader_flags", "")).split()) - {"first_error", "worst_error", "ignore_sample"}
        given, aggregation = about.get("accept_score", 1.0), "sum"
        for flag in flags:
            if flag not in ("min", "sum"):
                raise not_supported(path, f"the grader flag {flag!r}", "supported are min and sum")
            aggregation = flag
        if isinstance(given, str):
            try:
                given = float(given)
            except ValueError:
                raise refused(f"{path}: accept_score must be a number; got {given!r}") from None
    if aggregation not in ("min", "sum"):
        raise not_supported(path, f"the aggregation {aggregation!r}", "supported are min and sum")
    return number(path, "the score", given), aggregation
