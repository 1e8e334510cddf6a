"""``rlp evaluate``: judge a program against tests."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.evidence import evidence, renamed
from rlplatform.cli.follow import follow_evaluation
from rlplatform.cli.function_call import call_of
from rlplatform.cli.hints import hint
from rlplatform.cli.notebooks import is_notebook, save_executed, with_notebook_grader
from rlplatform.cli.options import (
    Also,
    ApiKey,
    Data,
    Executed,
    Image,
    IsolationTier,
    Json,
    Labels,
    MemoryMib,
    Name,
    Notes,
    Url,
    connect,
    given,
    labels_of,
    output_of,
    time_limits,
)
from rlplatform.cli.output import Output
from rlplatform.cli.piped_input import piped_input
from rlplatform.cli.program import ARCHIVE, file_name, read_program, read_text, uploaded, uploader, with_files
from rlplatform.cli.suites import pytest_grader
from rlplatform.cli.test_packages.folder import read_folder
from rlplatform.cli.test_packages.notebook_tests import read_nbgrader
from rlplatform.cli.test_packages.tests_file import read_tests_file
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import Evaluation, Verdict


def evaluate(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="The program: a file, a folder, a ZIP archive or a notebook.", exists=True)
    ],
    tests: Annotated[
        Path | None,
        typer.Option(
            help="JSON: a list of tests, or an object with `tests` and more. Or a folder: pairs as 1.in and 1.ans, a "
            "package of Kattis (problem.yaml) or of DMOJ (init.yml). Of a notebook also: otter-grader's folder, "
            "nbgrader's source notebook.",
            exists=True,
        ),
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
        typer.Option(
            help="With --pytest or a notebook: tests in a sandbox of their own (separate), or in its process."
        ),
    ] = None,
    checker: Annotated[
        str | None,
        typer.Option(help="exact, tokens, lines, floats, unordered, or your checker.py (testlib's convention)."),
    ] = None,
    executed: Executed = None,
    also: Also = None,
    data: Data = None,
    cpu_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Limit of each test.")] = None,
    memory_mib: MemoryMib = None,
    tier: IsolationTier = None,
    image: Image = None,
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
    """Judge a program in a sandbox.

    Exit status 0: accepted, 1: not. Without tests the program is run on what is piped in, as by rlp run.
    """
    output = output_of(ctx, json)
    if arg and function is None:
        raise InvalidRequest("--arg goes with --function, which says what is called", field="--arg")
    if pytest is not None and (given_too := function or stdin or expect or checker):
        raise InvalidRequest(f"--pytest brings its own tests; leave out {given_too!r}", field="--pytest")
    notebook = is_notebook(file)
    if isolation is not None and pytest is None and not notebook:
        raise InvalidRequest("--isolation goes with --pytest or a notebook", field="--isolation")
    options = {"--pytest": pytest, "--stdin": stdin, "--expect": expect, "--function": function, "--checker": checker}
    if notebook and (wrong := next((name for name, value in options.items() if value is not None), None)):
        raise InvalidRequest(f"a notebook is judged by --tests; leave out {wrong}", field=wrong)
    plain = pytest is None and tests is None and expect is None and (function is not None or stdin is None)
    program, called = read_program(file)
    if pytest is not None:
        program.pop("source_name", None)  # suites import the program as main
    with (
        _tests(tests, stdin, expect, function, arg, suite=pytest is not None) as suite,
        connect(url, api_key) as client,
    ):
        upload = uploader(client, output)
        if plain and function is not None:
            if not file.is_file() or file.suffix.lower() == ARCHIVE:
                raise InvalidRequest(
                    "--function of a folder or an archive needs tests: give --tests or --expect", field="--function"
                )
            request = call_of(file, function, [_value(text) for text in arg or ()], read_text(file))
            if stdin is not None:
                request["tests"][0]["stdin"] = stdin
        else:
            request = {**uploaded(suite, upload), **uploaded(program, upload)}
            for part in ("files", "data"):
                if part in suite and part in program:
                    request[part] = [*uploaded(suite[part], upload), *request[part]]
            if function is not None:
                request["grader"] = {"kind": "function", "entry": function}
            if notebook:
                request = with_notebook_grader(request, isolation)
            if pytest is not None:
                request["grader"] = pytest_grader(pytest, isolation)
            if plain and not notebook:
                request["tests"][0]["stdin"] = piped_input(client)
        with_files(request, also or (), data or (), upload)
        if checker is not None:
            request["checker"] = _checker(checker)
        own = request.get("limits", {})
        times = time_limits(cpu_time_s or own.get("cpu_time_s"), wall_time_s or own.get("wall_time_s"))
        if limits := given(**times, memory_mib=memory_mib):
            request["limits"] = {**own, **limits}
        request |= given(tier=tier, image=image, priority=priority, max_wait_s=max_wait_s, notes=notes)
        request |= given(name=file_name(file) if name is None else name, labels=labels_of(label))
        submitted = client.submit_evaluation(request)
        evaluation = follow_evaluation(client, submitted, output, name=called, quiet=plain)
        if executed is not None:
            save_executed(client, evaluation, executed, output)
    accepted = evaluation.verdict is Verdict.ACCEPTED
    if output.lines:
        output.document({"type": "summary", **evaluation.model_dump(mode="json")}, "")
    elif plain:
        _show_run(output, evaluation, called, is_call=function is not None)
    elif not accepted:
        sent = {str(test.get("id")): test for test in request["tests"] if isinstance(test, dict)}
        grader = request.get("grader") or {}
        output.note(evidence(evaluation, sent, str(grader.get("kind", "stdio")), called), wrap=False)
    raise typer.Exit(exit_codes.DONE if accepted else exit_codes.FAILED)


@contextmanager
def _tests(
    path: Path | None,
    stdin: str | None,
    expect: str | None,
    function: str | None,
    arguments: list[str] | None,
    *,
    suite: bool,
) -> Iterator[dict[str, Any]]:
    """Give the tests that were asked for, and what goes with them, as the parts of a request."""
    if path is not None:
        single = {"stdin": stdin, "expect": expect, "arg": arguments}
        if given_too := next((name for name, value in single.items() if value), None):
            raise InvalidRequest(f"give --tests or --{given_too}, not both", field=f"--{given_too}")
        if is_notebook(path):
            yield read_nbgrader(path).request()
        elif path.is_dir():
            with read_folder(path) as package:
                yield package.request()
        else:
            yield read_tests_file(path)
    elif suite:
        yield {"tests": [{"id": "suite"}]}
    elif function is not None:
        values = [_value(text) for text in arguments or ()]
        yield {"tests": [{"id": "t1", "args": values, "expected": _value(expect or "")}]}
    elif expect is None and stdin is None:
        yield {"tests": [{"id": "run", "stdin": ""}]}
    else:
        yield {"tests": [{"id": "t1", "stdin": stdin or "", "expected_stdout": expect}]}


def _checker(given: str) -> dict[str, Any]:
    """Return the checker of the name, or the program in the file, that was given."""
    path = Path(given)
    if path.suffix == "":
        return {"kind": given}
    if not path.is_file():
        raise InvalidRequest(f"there is no file {given!r}", field="--checker")
    return {"kind": "program", "source": read_text(path)}


def _show_run(output: Output, evaluation: Evaluation, name: str, *, is_call: bool) -> None:
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
        if advice := hint(test.stderr, called=is_call):
            output.note(f"hint: {advice}")
    if not evaluation.tests:
        output.note(evaluation.message or str(evaluation.state))


def _value(text: str) -> Any:
    """Return ``text`` as JSON, or as a string if it is not JSON."""
    try:
        return jsonlib.loads(text)
    except ValueError:
        return text
