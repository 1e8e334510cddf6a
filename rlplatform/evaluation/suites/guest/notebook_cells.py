"""The submission's side: executes the cells of a notebook in one namespace, each when the suite asks for it."""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, BinaryIO, NoReturn

from . import notebook_check, notebook_file, server
from .notebook_magics import UsageError, plain_python
from .notebook_outputs import Outputs, Stream

MODULE = "main"
"""Name by which the suite asks for the notebook's namespace."""
_TEXT = 500


def main(notebook: str) -> NoReturn:
    """Serve the suite, from the notebook in the file ``notebook``."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    reader, writer = server.open_wire()
    cells = Cells(notebook, Path(notebook).read_bytes())
    serving = NotebookServer(reader, writer, cells)
    serving.load(lambda: {MODULE: cells.module})
    serving.serve()
    for stream in (sys.__stdout__, sys.__stderr__):
        stream.flush()  # type: ignore[union-attr]
    os._exit(0)


class Cells:
    """Executes cells, each at most once, in the namespace of ``__main__``."""

    def __init__(self, notebook: str, content: bytes) -> None:
        self._notebook = notebook
        self._cells = {cell.number: cell for cell in notebook_file.code_cells(notebook_file.read_notebook(content))}
        self._streams = Stream("stdout"), Stream("stderr")
        self.module = ModuleType("__main__")
        self.module.__dict__.update(__builtins__=builtins, display=self._display)
        sys.modules["__main__"] = self.module

    def has(self, file: str) -> bool:
        """Return True if a traceback calls one of the cells ``file``."""
        return file.startswith(notebook_file.file_name(self._notebook, 0)[:-1])

    def execute(self, number: int) -> dict[str, Any]:
        """Execute a cell. Return its outputs, and its error if it has raised one."""
        outputs = Outputs()
        before = sys.stdout, sys.stderr
        for stream in self._streams:
            stream.outputs = outputs
        sys.stdout, sys.stderr = self._streams
        try:
            error = self._execute(self._cells[number], outputs)
        finally:
            sys.stdout, sys.stderr = before
        return {"outputs": outputs.found, "error": error}

    def _execute(self, cell: notebook_file.CodeCell, outputs: Outputs) -> dict[str, Any] | None:
        file = notebook_file.file_name(self._notebook, cell.number)
        try:
            source = plain_python(cell.source)
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            value = self._run(source, file)
            if value is not None and not source.rstrip().endswith(";"):
                self.module.__dict__["_"] = value
                outputs.show(value, cell.number)
            outputs.show_figures()
        except BaseException as error:
            name, text = type(error).__name__, _text_of(error)
            outputs.fail(name, text, _trace(error, file))
            return {"name": name, "text": text, "line": _line_of(error, file)}
        return None

    def _run(self, source: str, file: str) -> Any:
        """Execute the statements of a cell; return the value of the last one, if that is an expression."""
        names = self.module.__dict__
        tree = compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            exec(compile(tree, file, "exec", dont_inherit=True), names)
            return None
        del tree.body[-1]
        exec(compile(tree, file, "exec", dont_inherit=True), names)
        return eval(compile(ast.Expression(last.value), file, "eval", dont_inherit=True), names)

    def _display(self, *values: object) -> None:
        for value in values:
            self._streams[0].outputs.show(value)


class NotebookServer(server.Server):
    """Answers a suite of test cells."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO, cells: Cells) -> None:
        super().__init__(reader, writer)
        self._cells = cells

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("op"):
            case "cell":
                return {"value": None, "cell": self._cells.execute(request["number"])}
            case "test":
                return {"value": None, "test": self._test(request["source"], request["file"])} | self._print()
        return super()._answer(request)

    def _test(self, source: str, file: str) -> dict[str, Any]:
        """Run a test cell in the notebook's own namespace."""
        try:
            notebook_check.run_test(source, self._cells.module.__dict__, file)
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            own = bool(frames) and self._cells.has(frames[-1].filename)
            trace = server.trace_of(error) if own else ""
            return {"message": notebook_check.message_of(error, file), "raised": own, "trace": trace}
        return {}


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:_TEXT]
    except BaseException:
        return ""


def _line_of(error: BaseException, file: str) -> int | None:
    """Return the line of the cell that an error is about."""
    if isinstance(error, UsageError):
        return error.line
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)


def _trace(error: BaseException, file: str) -> str:
    """Return the traceback of an error from the cell on."""
    if isinstance(error, UsageError):
        return f'  File "{file}", line {error.line}\nUsageError: {error}'
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip("\n")
