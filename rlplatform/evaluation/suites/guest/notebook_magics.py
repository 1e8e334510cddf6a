"""Lines of a notebook that are not Python: the few that have a meaning here are replaced, the others refused."""

from __future__ import annotations

import ast

_IGNORED = frozenset({"matplotlib", "load_ext", "reload_ext", "autoreload", "config", "precision"})
_RUN = frozenset({"time", "timeit"})
_CELLS = frozenset({"time", "capture"})
_SUPPORTED = "%matplotlib, %load_ext, %autoreload, %config, %time, %timeit, %%time and %%capture"
_INSTALLS = "packages cannot be installed in a sandbox; choose an image that has them"


class UsageError(Exception):
    """The cell has a line that is not Python and is not supported."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


def plain_python(source: str) -> str:
    """Return a cell as Python, line for line.

    Raises:
        UsageError: a line is a magic, or a command of the shell, that is not supported.
    """
    lines = source.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name, *_ = lines[first][2:].split() or [""]
        if name not in _CELLS:
            raise UsageError(f"%%{name} is not supported here; supported are {_SUPPORTED}", first + 1)
        lines[first] = ""
    text = "\n".join(lines)
    if _parses(text):
        return text
    return "\n".join(_plain_line(line, number) for number, line in enumerate(lines, 1))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _plain_line(line: str, number: int) -> str:
    code = line.lstrip()
    indent = line[: len(line) - len(code)]
    if code.startswith("!"):
        raise UsageError(_INSTALLS if "pip" in code else "commands of the shell are not supported here", number)
    if not code.startswith("%"):
        if code.rstrip().endswith("?") and not code.startswith("#"):
            raise UsageError("help with ? is not supported here; use help(…)", number)
        return line
    name, _, rest = code[1:].partition(" ")
    if name in _IGNORED:
        return f"{indent}pass"
    if name in _RUN and rest and not rest.startswith("-"):
        return indent + rest
    if name in ("pip", "conda"):
        raise UsageError(_INSTALLS, number)
    raise UsageError(f"%{name[:40]} is not supported here; supported are {_SUPPORTED}", number)
