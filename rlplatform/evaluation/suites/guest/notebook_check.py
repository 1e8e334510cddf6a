"""Test cells: statements with assertions, or examples of doctest as otter-grader has them."""

from __future__ import annotations

import ast
import doctest
import linecache
import traceback
from typing import Any

_OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
_MESSAGE = 2000


def run_test(source: str, names: dict[str, Any], file: str) -> None:
    """Run the test cell ``source`` in the namespace ``names``; raise what it raises, or AssertionError."""
    if is_doctest(source):
        _run_examples(source, names, file)
        return
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec", dont_inherit=True), names)


def is_doctest(source: str) -> bool:
    """Return True if a test cell begins with an example of doctest."""
    return source.lstrip().startswith(">>>")


def names_of(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a test cell reads, and those of them of which it only takes attributes.

    Raises:
        SyntaxError: it is not Python.
    """
    if is_doctest(source):
        source = "\n".join(example.source for example in doctest.DocTestParser().get_examples(source))
    tree = ast.parse(source)
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    plain = {node.id for node in read if id(node) not in bases}
    return {node.id for node in read}, {node.id for node in read} - plain


def message_of(error: BaseException, file: str) -> str:
    """Return what a failed test says, and the line of the test at which it failed."""
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    text = text.removeprefix("AssertionError: ")
    frame = next((one for one in reversed(traceback.extract_tb(error.__traceback__)) if one.filename == file), None)
    if frame is not None:
        text = f"{text[: _MESSAGE - 300]}\nline {frame.lineno}: {(frame.line or '')[:200]}"
    return text[:_MESSAGE]


def _run_examples(source: str, names: dict[str, Any], file: str) -> None:
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(source, names, file, file, 0)
    test.globs = names
    runner = doctest.DocTestRunner(verbose=False, optionflags=_OPTIONS | doctest.FAIL_FAST)
    runner.run(test, out=said.append, clear_globs=False)
    if runner.failures:
        lines = "".join(said).splitlines()
        start = next((index for index, line in enumerate(lines) if line.startswith("Failed example")), 0)
        raise AssertionError("\n".join(lines[start:]))
