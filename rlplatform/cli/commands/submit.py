"""``rlp submit``: hand in an assignment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from rlplatform.assignments.submissions.documents import SubmissionDetail
from rlplatform.cli import exit_codes
from rlplatform.cli.evidence import renamed
from rlplatform.cli.formatting import assignments as words
from rlplatform.cli.notebooks import NOTEBOOK
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of
from rlplatform.cli.output import Output
from rlplatform.cli.program import MAIN, Upload, read_program, uploaded, uploader
from rlplatform.client import Client
from rlplatform.evaluation.models import Verdict

_POLL_S = 0.3


def submit(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the assignment.")],
    file: Annotated[Path, typer.Argument(help="The program: a file, a folder or a ZIP archive.", exists=True)],
    version: Annotated[
        int | None, typer.Option(help="Refuse if there is a newer version of the assignment than this.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the verdicts.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Hand in an assignment, and show the verdicts.

    Exit status 0: all accepted, 1: not. It is handed in as soon as the id appears: what follows can be interrupted.
    """
    output = output_of(ctx, json)
    program, called = read_program(file)
    with connect(url, api_key) as client:
        upload = uploader(client, output)
        made = client.submit(name, {**_parts(program, upload), **given(version=version)})
        attempt = f"{made.id}: submission {made.number}, handed in at {words.moment(made.submitted_at)}"
        output.note_of({"type": "submission", **made.model_dump(mode="json")}, attempt)
        if detach:
            return
        done = _wait(client, output, name, made.id)
    output.document(done, renamed(words.result(done), called))
    if done.state == "failed":
        raise typer.Exit(exit_codes.SERVER)
    raise typer.Exit(exit_codes.DONE if done.verdict is Verdict.ACCEPTED else exit_codes.FAILED)


def _parts(program: dict[str, Any], upload: Upload) -> dict[str, Any]:
    """Return a program as the parts of a submission."""
    source = program["source"]
    notebook = str(program.get("source_name", "")).endswith(NOTEBOOK)
    if not isinstance(source, str) and not notebook:
        return {"archive": uploaded(source, upload)}
    others = [{"path": data["path"], "content": data["file"]} for data in program.get("data", [])]
    files = [{"path": f"main{NOTEBOOK}" if notebook else MAIN, "content": source}, *program.get("files", []), *others]
    return {"files": uploaded(files, upload)}


def _wait(client: Client, output: Output, name: str, submission_id: str) -> SubmissionDetail:
    """Show each verdict as it comes, until the submission is judged."""
    shown, waits = 0, None
    while True:
        submission = client.submission_to(name, submission_id)
        if submission.queue_position and submission.queue_position != waits:
            waits = submission.queue_position
            output.note(f"{waits} before it in the queue")
        for test in submission.results[shown:]:
            hidden = " (hidden)" if test.hidden else ""
            document = {"type": "test", **test.model_dump(mode="json")}
            output.note_of(document, f"{test.id}{hidden}: {test.verdict.value}, {test.points:g} points")
        shown = max(shown, len(submission.results))
        if submission.state != "pending":
            return submission
        time.sleep(_POLL_S)
