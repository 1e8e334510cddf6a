"""A notebook is executed cell by cell, and test cells run between its cells or after them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Grader, Session, Stage, TestFields, refuse_checker
from rlplatform.evaluation.graders.output_files import MOST, OutputPath
from rlplatform.evaluation.notebooks.session import NotebookSession
from rlplatform.evaluation.suites.guest.notebook_tests import TESTS
from rlplatform.evaluation.suites.programs import with_guest
from rlplatform.evaluation.suites.suite import Suite
from rlplatform.json_models import FieldError
from rlplatform.sandbox.languages import PYTHON
from rlplatform.sandbox.models import Limits, Program

_CELLS = ("wire", "server", "notebook_file", "notebook_magics", "notebook_outputs", "notebook_check", "notebook_cells")
_TESTS = ("wire", "server", "proxies", "connection", "notebook_check", "notebook_tests")


class NotebookTest(TestFields):
    """A test of ``notebook``."""

    cell: str | None = Field(default=None, min_length=1, max_length=65_536)
    """Test cell (notebook): Python with assertions, or examples of doctest (`>>> mean([1, 2])`). Null: the notebook's
    own cells run without an error."""
    after: str | None = Field(default=None, min_length=1, max_length=128)
    """Cell of the submission after which the test stands (notebook): its id, tag, or nbgrader's `grade_id`. A cell of
    tests of nbgrader with that id is replaced. Null, or if there is no such cell: after the last one."""


class NotebookGrader(Grader):
    """A Jupyter notebook is executed once, cell by cell; each test is a cell of its own. The executed notebook is
    kept."""

    test_model: ClassVar[type[TestFields]] = NotebookTest
    entry_file: ClassVar[str | None] = "main.ipynb"
    languages: ClassVar[tuple[str, ...] | None] = (PYTHON,)

    kind: Literal["notebook"] = "notebook"
    """Selects this grader."""
    isolation: Literal["separate", "shared"] = "separate"
    """`separate`: test cells run in a sandbox of their own, where names of the notebook are stand-ins, so that no
    submission can read or change a test. `shared`: they run in the notebook's process, as in Jupyter; a submission
    could forge its results, which say so."""
    limits: Limits = Field(default_factory=lambda: Limits(cpu_time_s=30, wall_time_s=30, memory_mib=512, processes=64))
    """Limits of the test cells' own process: the CPU time of all of them together, and the wall time of one, apart from
    the notebook's. The `limits` of the request are those of the notebook: CPU time of all cells with their tests, wall
    time of one cell."""

    collect: list[OutputPath] = Field(default_factory=list, max_length=MOST, fail_fast=True)
    """Paths of files that are kept if the notebook writes them: `files` of the evaluation. Not with hidden tests: their
    cells call the notebook's functions, which could write down what they are given."""

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        refuse_checker(checker)
        if self.collect and any(test.hidden for test in tests):
            why = "does not go with hidden tests: the notebook could write down what they give it"
            raise FieldError("grader.collect", why)
        for index, test in enumerate(tests):
            assert isinstance(test, NotebookTest)
            if test.after is not None and test.cell is None:
                raise FieldError(f"tests.{index}.after", "goes with cell, which is missing")
            for name, instead in (("files", "data"), ("limits", "limits")):
                if getattr(test, name):
                    why = f"a notebook runs once for all of its tests; give {instead} of the request"
                    raise FieldError(f"tests.{index}.{name}", f"does not go with grader 'notebook': {why}")

    def program(self, files: dict[str, bytes]) -> Program:
        (notebook,) = files
        return with_guest(files, _CELLS, f"main({notebook!r})")

    def open(self, checker: Checker, stage: Stage) -> Session:
        notebook = next(iter(stage.program.files))  # what program() began with
        shared, collect = self.isolation == "shared", tuple(dict.fromkeys(self.collect))
        return NotebookSession(self, checker, stage, notebook, self._suite, shared=shared, collect=collect)

    def _suite(self, tests: Sequence[TestFields]) -> Suite:
        cells = [test.cell or "" for test in tests if isinstance(test, NotebookTest)]
        shared = self.isolation == "shared"
        return Suite(with_guest({TESTS: json.dumps(cells).encode()}, _TESTS, f"main({shared!r})"), self.limits)
