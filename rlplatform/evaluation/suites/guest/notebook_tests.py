"""The suite's side: has the notebook's cells executed, and runs test cells between them, as the host's plan says.

With isolation ``separate`` a test cell runs here, with stand-ins for the names that the notebook defines. With
``shared`` the notebook's process runs it.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from . import notebook_check, server, wire
from .connection import Connection, SubmissionEnded
from .proxies import TRACE

TESTS = "_rlp_tests"
"""File with the test cells, by number."""
MODULE = "main"
_CAPTURED = 64 << 10
_BUILTINS = frozenset(dir(builtins))
_LIBRARIES = {
    "np": "numpy",
    "pd": "pandas",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "sp": "scipy",
    "nx": "networkx",
    "gym": "gymnasium",
    **{
        name: name
        for name in (
            *("numpy", "pandas", "scipy", "sklearn", "torch", "gymnasium", "matplotlib", "collections", "copy", "math"),
            *("functools", "inspect", "io", "itertools", "json", "os", "random", "re", "statistics", "string", "sys"),
            *("time", "types"),
        )
    },
}
"""Names that a test cell takes attributes of: the library itself, never what a notebook says that it is."""


def main(shared: bool) -> NoReturn:
    """Carry out plans until the host sends none."""
    reader, writer = server.open_wire()
    suite = TestCells(NotebookConnection(reader, writer), json.loads(Path(TESTS).read_bytes()), shared)
    while line := reader.readline():
        for step in wire.load(line)["plan"]:
            report = suite.take(step)
            writer.write(wire.STEP + wire.dump(report))
            writer.flush()
            if report["phases"][0]["outcome"] == "ended":
                break
        writer.write(wire.REPORT + wire.dump({"phases": []}))
        writer.flush()
        suite.forget()
    os._exit(0)


class NotebookConnection(Connection):
    """Sends requests to the process that executes the notebook."""

    ended = False
    """True once that process has ended, whatever a test cell has made of the exception."""

    def execute(self, number: int) -> dict[str, Any]:
        """Have a cell executed; return its outputs and error."""
        return self._part({"op": "cell", "number": number}, "cell")

    def test(self, source: str, file: str) -> dict[str, Any]:
        """Have a test cell run there; return how it failed, if it did."""
        return self._part({"op": "test", "source": source, "file": file}, "test")

    def forget(self) -> None:
        super().forget()
        self.ended = False

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return super()._exchange(message)
        except SubmissionEnded:
            self.ended = True
            raise

    def _part(self, request: dict[str, Any], name: str) -> dict[str, Any]:
        found = self._exchange(request).get(name)
        if type(found) is not dict:
            raise wire.WireError("an answer without its result")
        return found


class TestCells:
    """Steps of a plan."""

    __test__ = False

    def __init__(self, connection: NotebookConnection, sources: list[str], shared: bool) -> None:
        self._connection, self._sources, self._shared = connection, sources, shared
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._cpu_s = time.process_time()

    def forget(self) -> None:
        """Forget a process of the notebook that has ended, and what earlier tests have defined."""
        self._connection.forget()
        self._names = {"__name__": "__main__"}

    def take(self, step: dict[str, Any]) -> dict[str, Any]:
        """Carry out a step, and return its report."""
        printed = io.StringIO()
        phase: dict[str, Any] = {"when": "call", "outcome": "passed", "message": None}
        report: dict[str, Any] = {"phases": [phase]}
        try:
            with contextlib.redirect_stdout(printed):
                if "cell" in step:
                    report["cell"] = self._connection.execute(step["cell"])
                elif self._shared:
                    self._there(step["test"], phase)
                else:
                    self._here(step["test"], phase)
        except SubmissionEnded:
            pass
        except wire.WireError as error:
            phase |= {"outcome": "raised", "message": f"the notebook has sent what is no answer: {error}"}
        if self._connection.ended:
            phase["outcome"] = "ended"
        phase["stdout"] = printed.getvalue()[-_CAPTURED:]
        now = time.process_time()
        report["cpu_s"], self._cpu_s = now - self._cpu_s, now
        return report

    def _there(self, number: int, phase: dict[str, Any]) -> None:
        found = self._connection.test(self._sources[number], _file(number))
        if "message" in found:
            raised = found.get("raised") is True
            phase |= {"outcome": "raised" if raised else "failed", "message": str(found["message"])}
            phase["stderr"] = str(found.get("trace", ""))[-_CAPTURED:]

    def _here(self, number: int, phase: dict[str, Any]) -> None:
        source, file = self._sources[number], _file(number)
        try:
            fetched = self._fetch(source)
        except SyntaxError as error:
            phase |= {"outcome": "suite", "message": f"the test cell is not Python: {error}"}
            return
        self._names |= fetched
        try:
            notebook_check.run_test(source, self._names, file)
        except (SubmissionEnded, wire.WireError):
            raise
        except BaseException as error:
            trace = getattr(error, TRACE, None)
            phase |= {"outcome": "failed", "message": notebook_check.message_of(error, file)}
            if trace is not None:
                phase |= {"outcome": "raised", "stderr": str(trace)[-_CAPTURED:]}
        finally:
            for name, value in fetched.items():
                if self._names.get(name) is value:
                    del self._names[name]  # a later cell of the notebook may give it another value

    def _fetch(self, source: str) -> dict[str, Any]:
        """Return the values of the names that a test cell takes from the notebook, or from libraries."""
        read, bases = notebook_check.names_of(source)
        found: dict[str, Any] = {}
        for name in sorted(read - self._names.keys()):
            if name in bases and name in _LIBRARIES and (library := _library(_LIBRARIES[name])) is not None:
                found[name] = library
            elif name not in _BUILTINS:
                with contextlib.suppress(AttributeError):  # the test cell may define it; otherwise a NameError tells
                    found[name] = self._connection.get(MODULE, name)
        return found


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return sys.modules.get(name)


def _file(number: int) -> str:
    return f"test cell {number + 1}"
