"""Writes ``sync_client.py`` from the asynchronous client: ``python rlplatform/client/generate.py``.

The sources become one module: all their imports, then all else, bases first. ``unasync`` takes async and await out and
renames what has another name on the synchronous side; Ruff sorts the imports and sets the lines.

It is run as a file: ``rlplatform.client`` cannot be imported while its ``sync_client`` does not fit the other modules.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

FOLDER = Path(__file__).parent
TARGET = FOLDER / "sync_client.py"

NAMES = {  # besides those that unasync knows, such as AsyncIterator
    "AsyncBaseTransport": "BaseTransport",
    "AsyncClient": "Client",
    "AsyncSleep": "Sleep",
    "AsyncTransport": "Transport",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "aread": "read",
    "asyncio": "time",
}

HEADER = '''"""The client for programs that block.

Generated from the asynchronous client; change that, then run ``python rlplatform/client/generate.py``.
"""

from __future__ import annotations
'''


def sources(source: str = "async_client") -> list[str]:
    """Return ``source`` behind the other asynchronous modules that it imports, as paths without their suffix."""
    found: list[str] = []
    for node in _imports((FOLDER / f"{source}.py").read_text(encoding="utf-8")):
        if base := _asynchronous(node):
            found += [inner for inner in sources(base) if inner not in found]
    return [*found, source]


def generate() -> str:
    """Return the text of ``sync_client.py``."""
    imports: list[str] = []
    bodies: list[str] = []
    for source in sources():
        text = (FOLDER / f"{source}.py").read_text(encoding="utf-8")
        head = _imports(text)
        imports += [ast.unparse(node) for node in head if not _asynchronous(node) and _module(node) != "__future__"]
        bodies.append("\n".join(text.splitlines()[head[-1].end_lineno :]))
    return _formatted(_synchronous("\n".join([HEADER, *imports, *bodies, ""])))


def _imports(text: str) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else ""


def _asynchronous(node: ast.Import | ast.ImportFrom) -> str | None:
    """Return the path of the asynchronous module that ``node`` imports from; None for any other import."""
    name = _module(node).removeprefix("rlplatform.client.")
    return name.replace(".", "/") if name == "async_transport" or name.startswith("resources.") else None


def _synchronous(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "async", "client.py"), Path(folder, "sync", "client.py")
        source.parent.mkdir()
        source.write_text(text, encoding="utf-8")
        unasync.unasync_files([str(source)], [unasync.Rule(str(source.parent), str(target.parent), NAMES)])
        return target.read_text(encoding="utf-8")


def _formatted(text: str) -> str:
    ruff = str(Path(sys.executable).with_name("ruff"))
    fix = ["check", "--fix", "--quiet", "--config", 'lint.extend-safe-fixes=["UP028"]']  # "yield from", where one can
    for command in (fix, ["format", "--quiet"]):
        arguments = [ruff, *command, "--stdin-filename", str(TARGET), "-"]
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"ruff {command[0]} refuses the generated client: {done.stdout}{done.stderr}")
        text = done.stdout
    return text


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
