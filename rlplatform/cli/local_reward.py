"""A reward function in a file of this machine, named as ``./reward.py:shaped``."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from rlplatform.errors import InvalidRequest

_FIELD = "--reward"


def reward_of(given: str) -> dict[str, Any]:
    """Return the reward of a request: the text of the file, or the id of an uploaded one, and the function's name.

    Raises:
        InvalidRequest: the file cannot be read, is no Python, or does not define the function.
    """
    path, colon, entry = given.rpartition(":")
    if not colon or not entry.isidentifier():
        raise InvalidRequest(f"give a file and a function in it, as ./reward.py:shaped; got {given!r}", field=_FIELD)
    if path.startswith("file_"):
        return {"file": path, "entry": entry}
    try:
        source = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text", field=_FIELD) from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field=_FIELD) from None
    _check_defines(path, source, entry)
    return {"source": source, "entry": entry}


def _check_defines(path: str, source: str, entry: str) -> None:
    try:
        module = ast.parse(source, path)
    except SyntaxError as error:
        raise InvalidRequest(f"{path}, line {error.lineno}: SyntaxError: {error.msg}", field=_FIELD) from None
    functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {
        (alias.asname or alias.name)
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    if entry not in {*functions, *names, *imported}:
        has = f"it has {', '.join(functions)}" if functions else "it has no function"
        raise InvalidRequest(f"{path} defines no function {entry!r}; {has}", field=_FIELD)
