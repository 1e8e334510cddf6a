"""Checkers of DMOJ, which are Python files with a function ``check``, as checkers of kind ``program``."""

from __future__ import annotations

import json
from typing import Any

_PROGRAM = """\
import json, sys, types

SOURCE = {source!r}
ARGUMENTS = json.loads({arguments!r})


class CheckerResult:
    def __init__(self, passed, points, feedback="", extended_feedback=""):
        self.passed, self.points, self.feedback = passed, points, feedback or extended_feedback


def read(path):
    with open(path, "rb") as file:
        return file.read()


text = lambda value, *_: value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
data = lambda value, *_: value if isinstance(value, bytes) else str(value).encode()
modules = {{
    "dmoj": {{}},
    "dmoj.result": {{"CheckerResult": CheckerResult}},
    "dmoj.utils": {{}},
    "dmoj.utils.unicode": {{"utf8text": text, "utf8bytes": data}},
}}
for name, members in modules.items():
    sys.modules[name] = module = types.ModuleType(name)
    module.__dict__.update(members)
answer, sys.stdout = sys.stdout, sys.stderr
checker = {{"__name__": "checker"}}
exec(compile(SOURCE, "checker.py", "exec"), checker)
given, output, expected = map(read, sys.argv[1:4])
found = checker["check"](
    process_output=output,
    judge_output=expected,
    judge_input=given,
    point_value=1.0,
    case_position=0,
    submission_source=b"",
    submission_language="PY3",
    binary_data=False,
    execution_time=0.0,
    problem_id="",
    **ARGUMENTS,
)
if isinstance(found, CheckerResult):
    score, message = max(0.0, min(1.0, float(found.points))), str(found.feedback)
    if not found.passed and score == 1:
        score = 0.0
else:
    score, message = float(bool(found)), ""
print(json.dumps({{"score": score, "message": message}}), file=answer)
"""


def adapted(source: str, args: dict[str, Any]) -> dict[str, Any]:
    """Return the checker that calls ``check`` of a DMOJ checker with ``args``. A test has one point there."""
    program = _PROGRAM.format(source=source, arguments=json.dumps(args))
    return {"kind": "program", "convention": "json", "source": program}
