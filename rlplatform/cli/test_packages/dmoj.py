"""Problem data of DMOJ: ``init.yml`` lists the test cases, their points, batches and the checker.

The format: https://docs.dmoj.ca/#/problem_format/problem_format. Batches earn their points only as a whole.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from rlplatform.cli.program import read_text
from rlplatform.cli.test_packages import dmoj_checker
from rlplatform.cli.test_packages.package import (
    TestPackage,
    known,
    label_for,
    not_supported,
    number,
    read_yaml,
    refused,
)
from rlplatform.cli.test_packages.pairs import pair_test

FILE = "init.yml"
_MAX_UNPACKED = 1 << 30
_SUPPORTED = ("archive", "test_cases", "checker", "points", "pretest_test_cases", "output_limit_length")
_WITHOUT_MEANING_HERE = (
    "hints",
    "meta",
    "unbuffered",
    "wall_time_factor",
    "output_prefix_length",
    "symlinks",
    "testcase_in",
)
_CASE = ("in", "out", "points", "checker", "output_limit_length", "output_prefix_length")


@contextmanager
def read_dmoj(folder: Path) -> Iterator[TestPackage]:
    """Give the tests of a package. An archive of test cases is unpacked meanwhile.

    Raises:
        InvalidRequest: it uses what this platform does not have, or is not well-formed.
    """
    path = folder / FILE
    about = read_yaml(path)
    known(path, about, _SUPPORTED, _WITHOUT_MEANING_HERE)
    with tempfile.TemporaryDirectory(prefix="rlp-dmoj-") as unpacked:
        root = _unpack(path, about, Path(unpacked)) if "archive" in about else folder
        yield _Reader(path, about, root).package()


def _unpack(path: Path, about: dict[str, Any], target: Path) -> Path:
    archive = path.parent / str(about["archive"])
    try:
        with zipfile.ZipFile(archive) as opened:
            if sum(info.file_size for info in opened.infolist()) > _MAX_UNPACKED:
                raise refused(f"{archive} unpacks to more than {_MAX_UNPACKED >> 20} MiB")
            opened.extractall(target)
    except (OSError, zipfile.BadZipFile) as error:
        raise refused(f"{archive}, the archive of {path.name}, cannot be read: {error}") from None
    return target


class _Reader:
    """Reads one ``init.yml``, whose files are in ``root``."""

    def __init__(self, path: Path, about: dict[str, Any], root: Path) -> None:
        self._path, self._about, self._root = path, about, root
        self._points = number(path, "points", about.get("points", 1))
        self._package = TestPackage([])

    def package(self) -> TestPackage:
        self._package.checker = self._checker(self._about.get("checker", "standard"))
        if "output_limit_length" in self._about:
            length = number(self._path, "output_limit_length", self._about["output_limit_length"], least=1)
            self._package.limits["output_kib"] = max(1, -(-int(length) // 1024))
        for section in ("pretest_test_cases", "test_cases"):
            cases = self._about.get(section)
            if cases is None and section != "test_cases":
                continue
            if not isinstance(cases, list):
                instead = "list them: test_cases: [{in: 1.in, out: 1.out, points: 5}]"
                raise not_supported(self._path, f"{section} by patterns", instead)
            for case in cases:
                self._add(case)
        return self._package

    def _add(self, case: Any) -> None:
        if not isinstance(case, dict):
            raise refused(f"{self._path}: a test case must be a mapping with in and out; got {case!r}")
        points = number(self._path, "points", case.get("points", self._points))
        if "batched" not in case:
            self._add_case(case, points)
            return
        known(self._path, case, ("batched", "points", "checker"), ("dependencies",))
        if case.get("dependencies"):
            raise not_supported(self._path, "a batch that depends on others", "leave dependencies out")
        self._same_checker(case)
        batch = f"batch{len(self._package.groups) + 1}"
        cases = case["batched"]
        if not isinstance(cases, list) or not cases:
            raise refused(f"{self._path}: batched must be a list of test cases")
        self._package.groups.append({"id": batch, "scoring": "all_or_nothing", "stop_on_failure": True})
        for one in cases:
            self._add_case(one, points / len(cases), batch)

    def _add_case(self, case: dict[str, Any], points: float, batch: str | None = None) -> None:
        known(self._path, case, _CASE)
        self._same_checker(case)
        given, expected = (self._file(case, name) for name in ("in", "out"))
        name = PurePosixPath(str(case["in"])).with_suffix("").as_posix()
        test = pair_test(label_for(name, [known["id"] for known in self._package.tests]), given, expected)
        test["points"] = points
        if batch is not None:
            test["group"] = batch
        self._package.tests.append(test)

    def _same_checker(self, case: dict[str, Any]) -> None:
        if "checker" in case and case["checker"] != self._about.get("checker", "standard"):
            raise not_supported(self._path, "a checker of a single test case", "use one for all of them")

    def _file(self, case: dict[str, Any], name: str) -> Path:
        given = case.get(name)
        if not isinstance(given, str):
            raise refused(f"{self._path}: a test case needs {name!r}, the name of a file; got {given!r}")
        path = (self._root / given).resolve()
        if not path.is_relative_to(self._root.resolve()) or not path.is_file():
            raise refused(f"{self._path}: there is no file {given!r}")
        return path

    def _checker(self, given: Any) -> dict[str, Any]:
        name, args = (given, {}) if isinstance(given, str) else (given.get("name"), given.get("args") or {})
        match str(name):
            case "standard":
                return {"kind": "lines", "ignore_spacing": True}
            case "identical":
                return {"kind": "exact"}
            case "rstripped":
                return {"kind": "lines"}
            case "sorted":
                return {"kind": "unordered"}
            case "floats":
                return self._floats(args)
            case source if source.endswith(".py"):
                return dmoj_checker.adapted(read_text(self._source(source)), args)
        supported = "standard, identical, rstripped, sorted, floats, and Python files"
        raise not_supported(self._path, f"the checker {name!r}", f"supported are {supported}")

    def _floats(self, args: dict[str, Any]) -> dict[str, Any]:
        tolerance = 10.0 ** -number(self._path, "precision", args.get("precision", 6))
        mode = args.get("error_mode", "default")
        if mode not in ("default", "absolute", "relative"):
            raise refused(f"{self._path}: error_mode must be default, absolute or relative; got {mode!r}")
        return {
            "kind": "floats",
            "abs_tol": 0.0 if mode == "relative" else tolerance,
            "rel_tol": 0.0 if mode == "absolute" else tolerance,
        }

    def _source(self, name: str) -> Path:
        for folder in (self._path.parent, self._root):
            if (path := folder / name).is_file():
                return path
        raise refused(f"{self._path}: there is no checker {name!r}")
