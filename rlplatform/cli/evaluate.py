"""``rlp evaluate``."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli import exits, words
from rlplatform.cli.follow import follow_evaluation
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import Verdict

_REST = ("grader", "checker", "limits", "tier", "files")


def evaluate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The program.", exists=True, dir_okay=False)],
    tests: Annotated[
        Path | None,
        typer.Option(help="JSON: a list of tests, or an object with `tests` and more.", exists=True, dir_okay=False),
    ] = None,
    stdin: Annotated[str | None, typer.Option(help="One test: what the program reads.")] = None,
    expect: Annotated[str | None, typer.Option(help="One test: what it should write.")] = None,
    function: Annotated[str | None, typer.Option(help="Call this function, instead of stdin and stdout.")] = None,
    checker: Annotated[str | None, typer.Option(help="exact, tokens, lines, floats or unordered.")] = None,
    also: Annotated[
        list[Path] | None, typer.Option("--with", help="A further file of the program.", exists=True, dir_okay=False)
    ] = None,
    cpu_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    memory_mb: Annotated[int | None, typer.Option(help="Limit of each test.")] = None,
    tier: Annotated[
        Literal["single-use", "jail", "gvisor"] | None,
        typer.Option(help="How it is isolated; else single-use."),
    ] = None,
    priority: Annotated[
        Literal["high", "normal", "low"] | None,
        typer.Option(help="Among the tenant's own; high needs scope admin."),
    ] = None,
    max_wait_s: Annotated[float | None, typer.Option(help="Rather be refused than wait for longer.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Run a program against tests in a sandbox. Exit status 0: accepted; 1: not."""
    output = output_of(ctx, json)
    request = _tests(tests) if tests is not None else _one_test(stdin, expect)
    request["source"] = _text(file)
    if also:
        request["files"] = [{"path": path.name, "content": _text(path)} for path in also]
    if function is not None:
        request["grader"] = {"kind": "function", "entry": function}
    if checker is not None:
        request["checker"] = {"kind": checker}
    limits = {"cpu_time_s": cpu_time_s, "wall_time_s": wall_time_s, "memory_mb": memory_mb}
    if given := {name: value for name, value in limits.items() if value is not None}:
        request["limits"] = {**request.get("limits", {}), **given}
    how = {"tier": tier, "priority": priority, "max_wait_s": max_wait_s}
    request |= {name: value for name, value in how.items() if value is not None}
    with connect(url, api_key) as client:
        evaluation = follow_evaluation(client, client.submit_evaluation(request), output)
    if output.lines:
        output.document({"type": "summary", **evaluation.model_dump(mode="json")}, "")
    elif evaluation.verdict is not Verdict.ACCEPTED:
        output.note(words.evidence(evaluation))
    raise typer.Exit(exits.DONE if evaluation.verdict is Verdict.ACCEPTED else exits.FAILED)


def _tests(path: Path) -> dict[str, Any]:
    try:
        found = jsonlib.loads(_text(path))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON: {error}", field="tests") from None
    if isinstance(found, list):
        return {"tests": found}
    if not isinstance(found, dict) or "tests" not in found:
        raise InvalidRequest(f"{path} must hold a list of tests, or an object with `tests`", field="tests")
    unknown = sorted(found.keys() - {"tests", *_REST})
    if unknown:
        raise InvalidRequest(f"{path}: unknown {unknown[0]!r}; accepted are tests, {', '.join(_REST)}", field="tests")
    return found


def _one_test(stdin: str | None, expect: str | None) -> dict[str, Any]:
    if stdin is None and expect is None:
        raise InvalidRequest("give --tests FILE, or --stdin and --expect for a single test", field="tests")
    return {"tests": [{"id": "t1", "stdin": stdin or "", "expected_stdout": expect}]}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text", field=str(path)) from None
