"""``rlp evaluate``."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.evidence import evidence, renamed
from rlplatform.cli.follow import follow_evaluation
from rlplatform.cli.options import ApiKey, Json, Labels, Name, Notes, Url, connect, given, labels_of, output_of
from rlplatform.cli.output import Output
from rlplatform.cli.suites import pytest_grader
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import Evaluation, Verdict

_ARCHIVE = ".zip"
_REST = ("grader", "checker", "limits", "tier", "image", "files", "data")


def evaluate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The program, or a ZIP archive of one.", exists=True, dir_okay=False)],
    tests: Annotated[
        Path | None,
        typer.Option(help="JSON: a list of tests, or an object with `tests` and more.", exists=True, dir_okay=False),
    ] = None,
    stdin: Annotated[str | None, typer.Option(help="A single test: input of the program.")] = None,
    expect: Annotated[
        str | None, typer.Option(help="A single test: expected output, or with --function the expected value as JSON.")
    ] = None,
    function: Annotated[str | None, typer.Option(help="Call this function instead of running the program.")] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", help="An argument of --function, as JSON or text; may be given again.")
    ] = None,
    pytest: Annotated[
        Path | None,
        typer.Option(
            help="A pytest file, or a folder of them, that tests the program (`from main import …`).", exists=True
        ),
    ] = None,
    isolation: Annotated[
        Literal["separate", "shared"] | None,
        typer.Option(help="With --pytest: tests in a sandbox of their own (separate), or in the program's process."),
    ] = None,
    checker: Annotated[
        str | None,
        typer.Option(help="exact, tokens, lines, floats, unordered, or your checker.py (testlib's convention)."),
    ] = None,
    also: Annotated[
        list[Path] | None, typer.Option("--with", help="A further file of the program.", exists=True, dir_okay=False)
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="A file to upload, which the program can read.", exists=True, dir_okay=False),
    ] = None,
    cpu_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    memory_mib: Annotated[
        int | None, typer.Option("--memory-mib", "--memory-mb", help="Limit of each test, in MiB.")
    ] = None,
    tier: Annotated[
        Literal["single-use", "jail", "gvisor"] | None,
        typer.Option(help="Isolation of the sandbox; single-use by default."),
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="Image to run in, which has the packages: one of rlp image ls.")
    ] = None,
    name: Name = None,
    label: Labels = None,
    notes: Notes = None,
    priority: Annotated[
        Literal["high", "normal", "low"] | None,
        typer.Option(help="Among the tenant's own; high needs scope admin."),
    ] = None,
    max_wait_s: Annotated[float | None, typer.Option(help="Refuse it rather than wait for longer.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Run a program in a sandbox, with tests (exit status 0: accepted, 1: not accepted) or without."""
    output = output_of(ctx, json)
    if arg and function is None:
        raise InvalidRequest("--arg goes with --function, which says what is called", field="--arg")
    if pytest is not None and (given_too := function or stdin or expect or checker):
        raise InvalidRequest(f"--pytest brings its own tests; leave out {given_too!r}", field="--pytest")
    if isolation is not None and pytest is None:
        raise InvalidRequest("--isolation goes with --pytest", field="--isolation")
    plain = pytest is None and tests is None and expect is None and (function is not None or stdin is None)
    if tests is not None:
        if given_too := next(
            (name for name, value in (("stdin", stdin), ("expect", expect), ("arg", arg)) if value), None
        ):
            raise InvalidRequest(f"give --tests or --{given_too}, not both", field=f"--{given_too}")
        request = _tests(tests)
    elif pytest is not None:
        request = {"tests": [{"id": "suite"}]}
    elif plain and function is not None:
        if file.suffix.lower() == _ARCHIVE:
            raise InvalidRequest("--function of an archive needs tests: give --tests or --expect", field="--function")
        request = call_of(file, function, [_value(text) for text in arg or ()], _text(file))
        if stdin is not None:
            request["tests"][0]["stdin"] = stdin
    elif plain:
        request = {"tests": [{"id": "run", "stdin": ""}]}
    elif function is not None:
        request = {
            "tests": [{"id": "t1", "args": [_value(text) for text in arg or ()], "expected": _value(expect or "")}]
        }
    else:
        request = {"tests": [{"id": "t1", "stdin": stdin or "", "expected_stdout": expect}]}
    archive = file.suffix.lower() == _ARCHIVE
    if not archive:
        request.setdefault("source", _text(file))
    if also:
        more = [{"path": path.name, "content": _text(path)} for path in also]
        request["files"] = [*request.get("files", []), *more]
    if function is not None and not plain:
        request["grader"] = {"kind": "function", "entry": function}
    if pytest is not None:
        request["grader"] = pytest_grader(pytest, isolation)
    if checker is not None:
        request["checker"] = _checker(checker)
    if limits := given(cpu_time_s=cpu_time_s, wall_time_s=wall_time_s, memory_mib=memory_mib):
        request["limits"] = {**request.get("limits", {}), **limits}
    request |= given(tier=tier, image=image, priority=priority, max_wait_s=max_wait_s, name=name, notes=notes)
    request |= given(labels=labels_of(label))
    program = str(file)
    with connect(url, api_key) as client:
        if archive:
            request["source"] = {"file": _upload(client, output, file)}
        if data:
            uploaded = [{"path": path.name, "file": _upload(client, output, path)} for path in data]
            request["data"] = [*request.get("data", []), *uploaded]
        submitted = client.submit_evaluation(request)
        evaluation = follow_evaluation(client, submitted, output, name=program, quiet=plain)
    accepted = evaluation.verdict is Verdict.ACCEPTED
    if output.lines:
        output.document({"type": "summary", **evaluation.model_dump(mode="json")}, "")
    elif plain:
        _show_run(output, evaluation, program)
    elif not accepted:
        sent = {str(test.get("id")): test for test in request["tests"] if isinstance(test, dict)}
        grader = request.get("grader") or {}
        output.note(evidence(evaluation, sent, str(grader.get("kind", "stdio")), program), wrap=False)
    raise typer.Exit(exit_codes.DONE if accepted else exit_codes.FAILED)


def _upload(client: Client, output: Output, path: Path) -> str:
    """Upload a file; return its id."""
    with output.transfer(path.name) as progress:
        return client.upload_file(path, progress=progress).id


def _checker(given: str) -> dict[str, Any]:
    """Return the checker of the name, or the program in the file, that was given."""
    path = Path(given)
    if path.suffix == "":
        return {"kind": given}
    if not path.is_file():
        raise InvalidRequest(f"there is no file {given!r}", field="--checker")
    return {"kind": "program", "source": _text(path)}


def _show_run(output: Output, evaluation: Evaluation, name: str) -> None:
    """Show the output of a program that was run without tests, and how it ended."""
    for test in evaluation.tests:
        output.verbatim(test.stdout or "")
        output.note((renamed(test.stderr, name) if test.stderr else "").rstrip("\n"), wrap=False)
        if test.stdout_truncated:
            output.note("(the output is cut)")
        used = [
            f"exit status {test.exit_code}" if test.exit_code is not None else str(test.verdict),
            *([f"{test.cpu_time_s:.3f} s of CPU"] if test.cpu_time_s is not None else []),
            *([f"{test.peak_memory_bytes / 2**20:.1f} MiB"] if test.peak_memory_bytes is not None else []),
        ]
        output.note(" · ".join(used))
        if test.message and not test.stderr:
            output.note(renamed(test.message, name))
    if not evaluation.tests:
        output.note(evaluation.message or str(evaluation.state))


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
    program = _CALL.format(path=path, function=function, arguments=jsonlib.dumps(arguments))
    return {
        "source": program,
        "files": [{"path": path, "content": source}],
        "tests": [{"id": "call", "stdin": ""}],
    }


def _value(text: str) -> Any:
    """Return ``text`` as JSON, or as a string if it is not JSON."""
    try:
        return jsonlib.loads(text)
    except ValueError:
        return text


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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text; give other files with --data", field=str(path)) from None
