"""A pytest suite is the test: it calls the submission across the border of two sandboxes, or shares a process with
it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Grader, Session, Stage, TestFields, refuse_checker
from rlplatform.evaluation.sources import Source, SourceFile
from rlplatform.evaluation.suites.programs import is_own, module_names, with_guest
from rlplatform.evaluation.suites.reports import Node
from rlplatform.evaluation.suites.session import SeparateSession, SharedSession
from rlplatform.evaluation.suites.suite import NodeSuite
from rlplatform.files.models import content_of
from rlplatform.json_models import FieldError
from rlplatform.sandbox.languages import LANGUAGES, PYTHON
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.programs import MAX_PROGRAM_BYTES, path_fault

SUITE = "test_suite.py"
_SUITE_MODULES = ("wire", "server", "proxies", "connection", "gradescope", "pytest_runner")
_CONFIGURATION = frozenset({"conftest.py", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "sitecustomize.py"})
_SHOWN = 5


class PytestTest(TestFields):
    """A test of ``pytest``."""

    node: str | None = Field(default=None, min_length=1, max_length=512)
    """Tests of the suite that this one stands for (pytest): a node id such as `test_suite.py::test_add[1-2]`, or the
    beginning of some: a file, class or function. Null: all that no other test names. Each gives a result of its own,
    and they share the points; `@pytest.mark.points(3)` gives one a larger share, `@pytest.mark.hidden` hides it."""


class PytestGrader(Grader):
    """A pytest suite imports the submission (`from main import solve`) and calls it. Each of its tests has a result."""

    test_model: ClassVar[type[TestFields]] = PytestTest

    kind: Literal["pytest"] = "pytest"
    """Selects this grader."""
    suite: Source | None = None
    """Text of `test_suite.py`, or an uploaded file. Submitters cannot read it back. Null: the tests are in `files`."""
    files: list[SourceFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Further files of the suite: `conftest.py`, `test_more.py`, data. Submitters cannot read them back."""
    isolation: Literal["separate", "shared"] = "separate"
    """`separate`: the suite runs in a sandbox of its own and calls the submission's functions from there, so that no
    submission can read or change a test. `shared`: one process, for suites that need the objects themselves; a
    submission could forge its results, which say so."""
    limits: Limits = Field(default_factory=lambda: Limits(cpu_time_s=30, wall_time_s=30, memory_mib=512, processes=64))
    """Limits of the suite's own process: the CPU time of all tests together, and the wall time of one of them, apart
    from the submission's. With `shared`, they are the limits of collecting the tests."""

    @property
    def packages(self) -> tuple[str, ...]:
        return ("pytest",)

    @property
    def wall_time_s(self) -> float:
        return self.limits.wall_time_s if self.isolation == "separate" else 0.0

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"suite", "files"})

    def why_not(self, path: str) -> str | None:
        if self.isolation == "separate":
            return None
        name = PurePosixPath(path).name
        if name in _CONFIGURATION or (name.startswith("test_") or name.endswith("_test.py")):
            return "is pytest's: with isolation 'shared', only the suite may have it"
        if path in self._suite_files():
            return "is a file of the suite"
        return None

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        refuse_checker(checker)
        paths = [SUITE] if self.suite is not None else []
        for index, file in enumerate(self.files):
            field = f"grader.files.{index}.path"
            if (fault := path_fault(file.path)) is not None:
                raise FieldError(field, f"{file.path[:80]!r} {fault}")
            if file.path in (*paths, LANGUAGES[PYTHON].entry) or is_own(file.path):
                raise FieldError(field, f"{file.path!r} is taken; the suite itself is {SUITE!r}")
            paths.append(file.path)
        if self.suite is None and not any(map(_is_test_file, paths)):
            raise FieldError("grader.suite", "is missing; give the text of test_suite.py, or a file test_….py in files")
        total = sum(len(content) for content in self._suite_files().values())
        if total > MAX_PROGRAM_BYTES // 2:
            raise FieldError("grader.files", f"have {total} bytes; at most {MAX_PROGRAM_BYTES // 2} are accepted")
        named: set[str | None] = set()
        for index, test in enumerate(tests):
            assert isinstance(test, PytestTest)
            if test.node in named:
                raise FieldError(f"tests.{index}.node", f"{test.node!r} is there twice")
            named.add(test.node)

    languages: ClassVar[tuple[str, ...] | None] = (PYTHON,)

    def program(self, files: dict[str, bytes]) -> Program:
        if self.isolation == "separate":
            (entry, *_) = module_names([next(iter(files))]) or ["main"]
            return with_guest(files, ("wire", "server"), f"main(name={entry!r})")
        return with_guest(files | self._suite_files(), _SUITE_MODULES, self._start(files))

    def open(self, checker: Checker, stage: Stage) -> Session:
        suite = NodeSuite(self._suite_program(stage.program), self.limits, _select, _node_of)
        made = SeparateSession if self.isolation == "separate" else SharedSession
        return made(self, checker, stage, suite)

    def _suite_program(self, submission: Program) -> Program:
        start = self._start(submission.files)
        return with_guest(self._suite_files(), _SUITE_MODULES, start)

    def _start(self, submission: dict[str, bytes]) -> str:
        own = list(self._suite_files())
        tests = [path for path in own if _is_test_file(path)]
        modules = module_names(list(submission)) if self.isolation == "separate" else None
        return f"main({tests!r}, {modules!r}, {own!r})"

    def _suite_files(self) -> dict[str, bytes]:
        files = {file.path: content_of(file.content) for file in self.files}
        return files if self.suite is None else {SUITE: content_of(self.suite), **files}


def _is_test_file(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _node_of(test: Any) -> str:
    return str(test.node)


def _select(nodes: Sequence[Node], tests: Sequence[Any]) -> list[Any] | str:
    """Return a test for each node, in the order of the suite; or say which test of the request has none."""
    owners: dict[str, Any] = {}
    rest = next((test for test in tests if test.node is None), None)
    for node in nodes:
        fitting = [test for test in tests if test.node is not None and _is_in(node.node, test.node)]
        owner = max(fitting, key=lambda test: len(test.node), default=rest)
        if owner is not None:
            owners[node.node] = owner
    found = []
    for test in tests:
        own = [node for node in nodes if owners.get(node.node) is test]
        if not own:
            known = ", ".join(node.node for node in nodes[:_SHOWN]) or "no test"
            return f"no test of the suite is {test.node!r}; it has {known}{', …' if len(nodes) > _SHOWN else ''}"
        total = sum(node.weight for node in own)
        for node in own:
            share = node.weight / total if total else 1 / len(own)
            name = test.id if test.node == node.node else node.node
            update = {
                "id": name,
                "node": node.node,
                "points": test.points * share,
                "hidden": test.hidden or node.hidden,
            }
            found.append(test.model_copy(update=update))
    order = {node.node: index for index, node in enumerate(nodes)}
    return sorted(found, key=lambda test: order[test.node])


def _is_in(node: str, prefix: str) -> bool:
    """Return True if ``prefix`` is the node, or a file, class or function that it belongs to."""
    return node == prefix or (node.startswith(prefix) and node[len(prefix)] in ":[/")
