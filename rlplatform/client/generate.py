"""Writes ``sync_client.py`` from the asynchronous client: ``python rlplatform/client/generate.py``.

The sources become one module: all their imports, then all else in the order of ``SOURCES``. ``unasync`` takes async and
await out and renames what has another name on the synchronous side; Ruff sorts the imports and sets the lines.

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

SOURCES = (  # bases first
    "async_transport",
    "resources/evaluations",
    "resources/trainings",
    "resources/runs",
    "resources/policies",
    "resources/files",
    "resources/access",
    "resources/quotas",
    "resources/webhooks",
    "resources/platform",
    "async_client",
)

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


def generate() -> str:
    """Return the text of ``sync_client.py``."""
    imports: list[str] = []
    bodies: list[str] = []
    inner = {"rlplatform.client." + source.replace("/", ".") for source in SOURCES}
    for source in SOURCES:
        text = (FOLDER / f"{source}.py").read_text(encoding="utf-8")
        head = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
        imports += [
            ast.unparse(node)
            for node in head
            if not (isinstance(node, ast.ImportFrom) and node.module in {"__future__", *inner})
        ]
        bodies.append("\n".join(text.splitlines()[head[-1].end_lineno :]))
    return _formatted(_synchronous("\n".join([HEADER, *imports, *bodies, ""])))


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
