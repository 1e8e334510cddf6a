"""``rlp run``: run a program in a sandbox as if it ran here."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.evidence import renamed
from rlplatform.cli.follow import follow_evaluation
from rlplatform.cli.hints import hint
from rlplatform.cli.notebooks import GRADER, is_notebook, save_executed
from rlplatform.cli.options import (
    Also,
    ApiKey,
    Data,
    Executed,
    Image,
    IsolationTier,
    Json,
    MemoryMib,
    Url,
    connect,
    given,
    output_of,
)
from rlplatform.cli.output import Output
from rlplatform.cli.piped_input import piped_input
from rlplatform.cli.program import file_name, read_program, uploaded, uploader, with_files
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import Evaluation, TestResult, Verdict

_CPU_S, _WALL_S = 10.0, 120.0
_TIMED_OUT, _OUT_OF_MEMORY = 124, 137  # as timeout(1), and as a kill by SIGKILL
_TOO_MUCH_OUTPUT = 125
_NOT_KEPT = " is not kept: "
_LIMITS = {
    Verdict.TIME_LIMIT_EXCEEDED: (_TIMED_OUT, "--cpu-time-s and --wall-time-s set the limits"),
    Verdict.MEMORY_LIMIT_EXCEEDED: (_OUT_OF_MEMORY, "--memory-mib sets the limit"),
    Verdict.OUTPUT_LIMIT_EXCEEDED: (_TOO_MUCH_OUTPUT, "--output-kib sets the limit"),
}


def run(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="The program: a file, a folder, a ZIP archive or a notebook.", exists=True)
    ],
    stdin: Annotated[
        str | None, typer.Option(help="Input of the program; without it, what is piped into rlp run.")
    ] = None,
    also: Also = None,
    data: Data = None,
    cpu_time_s: Annotated[float | None, typer.Option(help="Limit, in seconds.", show_default="10")] = None,
    wall_time_s: Annotated[
        float | None, typer.Option(help="Limit, in seconds.", show_default="three times --cpu-time-s")
    ] = None,
    memory_mib: MemoryMib = None,
    output_kib: Annotated[int | None, typer.Option(help="Limit of the output, in KiB.")] = None,
    executed: Executed = None,
    collect: Annotated[
        list[str] | None, typer.Option("--collect", help="A file that the program writes, to be saved here.")
    ] = None,
    tier: IsolationTier = None,
    image: Image = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Run a program in a sandbox, without tests.

    Its output appears as it comes. The exit status is the program's; 124 (time), 137 (memory) or 125 (output) if it
    exceeds a limit; 128 and the signal's number if a signal kills it. A notebook is executed cell by cell.
    """
    output = output_of(ctx, json)
    program, name = read_program(file)
    with connect(url, api_key) as client:
        upload = uploader(client, output)
        request: dict[str, Any] = {**uploaded(program, upload), **_run_of(client, file, stdin)}
        if collect:  # of a notebook, which runs once for all of its tests, the grader collects them
            request.get("grader", request["tests"][0])["collect"] = collect
        with_files(request, also or (), data or (), upload)
        cpu = min(_CPU_S, wall_time_s or _CPU_S) if cpu_time_s is None else cpu_time_s
        wall = min(_WALL_S, 3 * cpu) if wall_time_s is None else wall_time_s
        request["limits"] = given(cpu_time_s=cpu, wall_time_s=wall, memory_mib=memory_mib, output_kib=output_kib)
        request |= given(tier=tier, image=image, name=file_name(file))
        submitted = client.submit_evaluation(request)
        evaluation = follow_evaluation(client, submitted, output, name=name, program=True)
        if executed is not None:
            save_executed(client, evaluation, executed, output)
        _save(client, evaluation, collect or (), output)
    if output.lines:
        output.document({"type": "summary", **evaluation.model_dump(mode="json")}, "")
    raise typer.Exit(_end(output, evaluation, name))


def _run_of(client: Client, file: Path, stdin: str | None) -> dict[str, Any]:
    """Return the parts of a request that run the program in ``file``."""
    if not is_notebook(file):
        return {"tests": [{"id": "run", "stdin": piped_input(client) if stdin is None else stdin}]}
    if stdin is not None:
        raise InvalidRequest("a notebook reads no input; leave out --stdin", field="--stdin")
    return {"grader": {"kind": GRADER}, "tests": [{"id": "run"}]}


def _save(client: Client, evaluation: Evaluation, collect: Sequence[str], output: Output) -> None:
    """Save the files that were asked for where the program would have written them here."""
    for kept in evaluation.files:
        if kept.path in collect:
            target = Path(kept.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(kept.file, target)
            output.note(f"saved {kept.path}: {kept.size_bytes:,} bytes")
    for message in (*(test.message for test in evaluation.tests), evaluation.message):
        for line in (message or "").split("\n"):
            output.note(line if _NOT_KEPT in line else "")


def _end(output: Output, evaluation: Evaluation, name: str) -> int:
    """Say how a program ended, where its own output does not; return the exit status of this command."""
    if not evaluation.tests:
        output.note(evaluation.message or str(evaluation.state))
        return exit_codes.INTERRUPTED if evaluation.state == "cancelled" else exit_codes.SERVER
    test = evaluation.tests[0]
    if not output.lines:
        output.note((renamed(test.stderr, name) if test.stderr else "").rstrip("\n"), wrap=False)
        if test.stdout_truncated or test.stderr_truncated:
            output.note("(the output is cut; a file that the program is given with --data can be of any size)")
    status = _status(test)
    message = "\n".join(line for line in (test.message or "").split("\n") if _NOT_KEPT not in line)
    if message and not output.lines and (status != test.exit_code or not test.stderr):
        output.note(renamed(message, name))
    advice = _LIMITS[test.verdict][1] if test.verdict in _LIMITS else hint(test.stderr)
    if advice and not output.lines:
        output.note(f"hint: {advice}")
    return status


def _status(test: TestResult) -> int:
    """Return the exit status that stands for how a program ended."""
    if test.verdict in _LIMITS:
        return _LIMITS[test.verdict][0]
    if test.exit_code is not None:
        return test.exit_code
    if test.signal is not None and test.signal in signal.Signals.__members__:
        return 128 + signal.Signals[test.signal]
    if test.verdict is Verdict.INTERNAL_ERROR:
        return exit_codes.SERVER
    return exit_codes.DONE if test.verdict is Verdict.ACCEPTED else exit_codes.FAILED
