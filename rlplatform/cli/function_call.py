"""Call of a function without tests: a program that calls it and prints what it returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CALL = """import json, runpy, sys, traceback
sys.argv = [{path!r}]
try:
    found = runpy.run_path({path!r}, run_name="submission").get({function!r})
    if not callable(found):
        sys.exit({path!r} + " defines no function " + {function!r})
    print(repr(found(*json.loads({arguments!r}))))
except Exception as error:
    frames = traceback.TracebackException.from_exception(error)
    while frames.stack and frames.stack[0].filename != {path!r}:
        del frames.stack[0]
    sys.exit("".join(frames.format()).rstrip())
"""


def call_of(file: Path, function: str, arguments: list[Any], source: str) -> dict[str, Any]:
    """The request that calls ``function`` of the program and prints what it returns."""
    path = file.name if file.name != "main.py" else "program.py"
    program = _CALL.format(path=path, function=function, arguments=json.dumps(arguments))
    return {
        "source": program,
        "files": [{"path": path, "content": source}],
        "tests": [{"id": "call", "stdin": ""}],
    }
