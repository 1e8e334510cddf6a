"""Runs a pytest suite one node at a time, as the host says, and reports each node.

With isolation ``separate`` the submission is imported through :mod:`proxies`, and this process has nothing of it. With
``shared`` it is imported for real; then a submission could change this process, and so its own results.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest

from . import gradescope, server, wire
from .connection import Connection, SubmissionEnded
from .proxies import TRACE, RemoteModules

_MESSAGE = 2000
_CAPTURED = 64 << 10
_MAX_NODES = 1000


def main(files: list[str], modules: list[str] | None, own: list[str]) -> NoReturn:
    """Collect ``files``, then run what the host says.

    Args:
        files: test files.
        modules: names of the submission's modules, which are elsewhere; None: they are here, isolation is *shared*.
        own: all files of the suite.
    """
    reader, writer = server.open_wire()
    shared = modules is None
    if modules is None:
        modules = _other_modules(own)
    first = wire.load(reader.readline()) if shared else {"token": ""}
    connection = None
    if not shared:
        connection = Connection(reader, writer)
        sys.meta_path.insert(0, RemoteModules(connection, modules))
    gradescope.install()
    runner = Runner(reader, writer, connection, modules, first)
    options = ["-p", "no:cacheprovider", "-p", "no:terminal", "--capture=sys", "--rootdir=.", "-c", os.devnull]
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = pytest.main([*options, *files], plugins=[runner])
    if not runner.collected:
        text = said.getvalue().strip() or f"pytest ended with exit status {int(status)}"
        runner.send({"errors": [{"text": text[-_MESSAGE:], "submission": False}]})
    os._exit(0)


def _other_modules(suite: list[str]) -> list[str]:
    """Return the names of the modules in the working folder that are not files of the suite."""
    paths = [path for path in Path().rglob("*.py") if str(path) not in suite and path.name != "_start.py"]
    return [".".join(path.with_suffix("").parts) for path in paths]


class Runner:
    """Plugin of pytest that carries out the host's commands."""

    def __init__(
        self,
        reader: BinaryIO,
        writer: BinaryIO,
        connection: Connection | None,
        modules: list[str],
        first: dict[str, Any],
    ) -> None:
        self._reader, self._writer, self._connection = reader, writer, connection
        self._modules, self._first = modules, first
        self._files = {os.path.realpath(f"{name.replace('.', '/')}.py") for name in modules}
        self._errors: list[dict[str, Any]] = []
        self._phases: list[dict[str, Any]] = []
        self._cpu_s = 0.0
        self.collected = False

    def send(self, message: dict[str, Any]) -> None:
        """Send a report to the host."""
        now = time.process_time()
        message |= {"cpu_s": now - self._cpu_s, "token": self._first["token"]}
        self._cpu_s = now
        self._writer.write(wire.REPORT + wire.dump(message))
        self._writer.flush()

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        """Describe the marks of this platform."""
        config.addinivalue_line("markers", "points(number): weight of the test among those that share points")
        config.addinivalue_line("markers", "hidden: learners see nothing of the test but its verdict and points")

    @pytest.hookimpl
    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        """Take note of an error while the suite is collected."""
        if isinstance(report, pytest.CollectReport):
            error = call.excinfo.value
            error = error.__cause__ or error
            self._errors.append({"text": _shown(error, report), "submission": self._is_submissions(error)})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Report the nodes, then run those that the host names."""
        self.collected = True
        if self._errors or session.testsfailed:
            self.send({"errors": self._errors or [{"text": "the suite cannot be collected", "submission": False}]})
            return True
        if len(session.items) > _MAX_NODES:
            text = f"the suite has {len(session.items)} tests; at most {_MAX_NODES} are accepted"
            self.send({"errors": [{"text": text, "submission": False}]})
            return True
        items = {item.nodeid: item for item in session.items}
        command = self._first
        if self._connection is not None or "run" not in command:
            self.send({"nodes": [_described(item) for item in session.items]})
            command = self._next()
        while "run" in command:
            self._run(session, items, command)
            command = self._next()
        return True

    def _next(self) -> dict[str, Any]:
        line = self._reader.readline()
        return wire.load(line) if line else {}

    def _run(self, session: pytest.Session, items: dict[str, pytest.Item], command: dict[str, Any]) -> None:
        if self._connection is not None:
            self._connection.forget()
        item = items.get(command["run"])
        if item is None:
            self.send({"phases": [_phase("setup", "suite", f"there is no test {command['run']!r}")]})
            return
        self._phases = []
        session._setupstate.teardown_exact(item)  # of nodes that were skipped since the last one
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=items.get(command.get("next", "")))
        self.send({"phases": self._phases})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Take note of how a phase of a test ended: setup, call or teardown."""
        report = yield
        self._phases.append(self._noted(call, report))
        return report

    def _noted(self, call: pytest.CallInfo[None], report: pytest.TestReport) -> dict[str, Any]:
        captured = {"stdout": report.capstdout[-_CAPTURED:], "stderr": report.capstderr[-_CAPTURED:]}
        if report.passed:
            return _phase(report.when, "passed", None) | captured
        if report.skipped:
            if hasattr(report, "wasxfail"):
                return _phase(report.when, "passed", None) | captured
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            return _phase(report.when, "skipped", reason.removeprefix("Skipped: ")) | captured
        if call.excinfo is None:  # a strict xfail that passed
            return _phase(report.when, "failed", str(report.longrepr)) | captured
        error = call.excinfo.value
        trace = getattr(error, TRACE, None)
        if isinstance(error, SubmissionEnded):
            return _phase(report.when, "ended", None) | captured
        if trace is not None or isinstance(error, wire.WireError) or self._is_submissions(error):
            text = _last_line(error)
            captured["stderr"] = (captured["stderr"] + (trace or server.trace_of(error)))[-_CAPTURED:]
            return _phase(report.when, "raised", text) | captured
        is_check = isinstance(error, AssertionError | pytest.fail.Exception)
        kind = "failed" if is_check or report.when == "call" else "suite"
        return _phase(report.when, kind, _shown(error, report)) | captured

    def _is_submissions(self, error: BaseException) -> bool:
        """Return True if the submission has raised ``error``."""
        if isinstance(error, SubmissionEnded) or hasattr(error, TRACE):
            return True
        if self._connection is not None:
            return False
        if isinstance(error, ImportError) and error.name in self._modules:
            return True
        frames = traceback.extract_tb(error.__traceback__)
        return bool(frames) and os.path.realpath(frames[-1].filename) in self._files


def _described(item: pytest.Item) -> dict[str, Any]:
    points = item.get_closest_marker("points")
    function = getattr(item, "function", None)
    weight = points.args[0] if points and points.args else getattr(function, "__weight__", 1)
    if type(weight) not in (int, float) or not 0 <= weight <= 1e6:
        weight = 1
    shown = getattr(function, "__visibility__", "visible") == "visible"
    hidden = not shown or item.get_closest_marker("hidden") is not None
    return {"node": item.nodeid, "weight": weight, "hidden": hidden}


def _is_of_suite(path: str) -> bool:
    """Return True for a file in the working folder that is not of this package."""
    return Path(path).resolve().is_relative_to(Path.cwd()) and "/_rlp_" not in path


def _phase(when: str | None, outcome: str, message: str | None) -> dict[str, Any]:
    return {"when": when, "outcome": outcome, "message": message and message[:_MESSAGE]}


def _last_line(error: BaseException) -> str:
    if isinstance(error, wire.WireError):
        return f"the submission has sent what is no answer: {error}"
    return "".join(traceback.format_exception_only(type(error), error)).strip()[:_MESSAGE]


def _shown(error: BaseException, report: Any) -> str:
    """Return what a failed check says, and where."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else _last_line(error)
    text = text.removeprefix("AssertionError: ").removeprefix("Failed: ")
    if crash is not None:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_suite(frame.filename)]
        path, line = (own[-1].filename, own[-1].lineno) if own else (crash.path, crash.lineno)  # else in unittest
        return f"{text[: _MESSAGE - 200]}\n{Path(path).name}:{line}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/_pytest/" not in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: " if frames else ""
    return f"{place}{text}"
