"""``rlp assignment``: assignments of a course, for staff and learners."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplatform.assignments.grading.documents import RegradeReport
from rlplatform.cli.assignment_folder import FILE, read_assignment
from rlplatform.cli.assignment_templates import TEMPLATES, write_template
from rlplatform.cli.commands.members import member_of
from rlplatform.cli.formatting import assignments as words
from rlplatform.cli.numbers import counted
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of
from rlplatform.cli.output import Output
from rlplatform.cli.program import uploaded, uploader
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, Unavailable

app = typer.Typer(no_args_is_help=True, help="Assignments of a course. Learners hand in with rlp submit.")

Assignment = Annotated[str, typer.Argument(metavar="NAME", help="Name of the assignment.")]
_POLL_S = 0.5


@app.command()
def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    like: Annotated[
        str, typer.Option(help=f"What to start from, a complete assignment: {', '.join(TEMPLATES)}.")
    ] = TEMPLATES[0],
    json: Json = False,
) -> None:
    """Make a folder with a complete assignment to start from."""
    output = output_of(ctx, json)
    if like not in TEMPLATES:
        raise InvalidRequest(f"--like takes {', '.join(TEMPLATES)}; got {like!r}", field="--like")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidRequest(f"{folder} exists and is not empty", field="FOLDER")
    write_template(like, folder)
    output.document({"folder": str(folder)}, f"edit {folder / FILE}, then: rlp assignment push {folder}")


@app.command()
def push(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help=f"The folder that has {FILE}.", exists=True, file_okay=False)],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Publish the assignment in a folder, or a new version of it. An unchanged one makes no version."""
    output = output_of(ctx, json)
    with read_assignment(folder) as (name, definition), connect(url, api_key) as client:
        upload = uploader(client, output)
        shown = client.publish_assignment(name, uploaded(definition, upload))
    output.document(
        shown,
        f"{shown.name}: version {shown.version}, {counted(shown.tests, 'test')}, {counted(shown.max_points, 'point')}",
    )


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List assignments with your dates, points and attempts."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.assignments()
    output.table(found, [words.card_row(card) for card in found], "no assignments yet")


@app.command()
def show(ctx: typer.Context, name: Assignment, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show an assignment: its statement, dates, and your attempts."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.assignment(name)
    output.document(found, words.view(found))
    if not output.lines:
        output.verbatim(f"\n{found.statement}" if found.statement else "")


@app.command()
def start(
    ctx: typer.Context,
    name: Assignment,
    folder: Annotated[Path | None, typer.Argument(help="Where to; a new folder of the assignment's name.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Download the files to start from. Files that exist are kept."""
    output = output_of(ctx, json)
    target = (Path(name) if folder is None else folder).resolve()
    with connect(url, api_key) as client:
        found = client.assignment(name)
        for file in (*found.starter, *found.provided):
            path = (target / file.path).resolve()
            if not path.is_relative_to(target):
                raise InvalidRequest(f"the file {file.path!r} would be outside of {target}", field="FOLDER")
            if path.exists():
                output.note(f"{path} exists, and is kept")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(file.content, str):
                path.write_text(file.content, encoding="utf-8")
            else:
                client.download_file(file.content.file, path)
    output.document({"folder": str(target)}, f"{target}; then: rlp submit {name} {target}")


@app.command()
def submissions(
    ctx: typer.Context,
    name: Assignment,
    member: Annotated[str | None, typer.Option(help="For staff: only of this member, by external id.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List your submissions, newest first; for staff those of all."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.submissions(name, member=None if member is None else member_of(client, member).id)
    output.table(found, [words.submission_row(each) for each in found], "nothing was submitted yet")


@app.command()
def grades(
    ctx: typer.Context,
    name: Assignment,
    form: Annotated[Literal["table", "csv", "gradescope"], typer.Option("--format", help="table.")] = "table",
    save: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show or export the grades of all learners; for staff."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        if form == "table":
            if save is not None:
                raise InvalidRequest("--output goes with --format csv or gradescope", field="--output")
            found = client.grades(name)
            output.table(found.items, words.grade_rows(found), "no learners yet: rlp members import ROSTER.csv")
            return
        content = client.grades_as(name, form)
    if save is None:
        output.write(content.decode())
    else:
        save.write_bytes(content)
        output.note(f"{save}: {len(content):,} bytes")


@app.command()
def download(
    ctx: typer.Context,
    name: Assignment,
    save: Annotated[Path | None, typer.Option("--output", "-o", help="ZIP file to write; NAME.zip.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Download an assignment as a ZIP file; for staff.

    It has the tests, all submissions, their results and the grades.
    """
    output = output_of(ctx, json)
    target = save if save is not None else Path(f"{name}.zip")
    if target.is_file():
        raise InvalidRequest(f"{target} exists", field="--output")
    with connect(url, api_key) as client, output.transfer(target.name) as progress:
        client.download_assignment(name, target, progress=progress)
    size = target.stat().st_size
    output.document({"file": str(target), "size_bytes": size}, f"{target}: {size:,} bytes")


@app.command()
def leaderboard(
    ctx: typer.Context, name: Assignment, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Show the leaderboard."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        board = client.leaderboard(name)
    output.table(board.items, words.leaderboard_rows(board), "nobody is ranked yet")
    if board.frozen_at is not None:
        output.note(f"frozen at {words.moment(board.frozen_at)}")


@app.command()
def extend(
    ctx: typer.Context,
    name: Assignment,
    member: Annotated[str, typer.Argument(help="External id of the person, or mem_….")],
    due: Annotated[str | None, typer.Option(help="Later due date, as 2030-01-31T23:59+01:00.")] = None,
    closes: Annotated[str | None, typer.Option(help="Later closing date.")] = None,
    attempts: Annotated[int | None, typer.Option(help="Further attempts.")] = None,
    reason: Annotated[str | None, typer.Option(help="Reason, for the record.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Give a member later dates or further attempts.

    It replaces an earlier extension.
    """
    output = output_of(ctx, json)
    wanted = given(
        due_at=_time(due, "--due"), closes_at=_time(closes, "--closes"), extra_attempts=attempts, reason=reason
    )
    if not wanted.keys() - {"reason"}:
        raise InvalidRequest("say what to give: --due, --closes or --attempts", field="--due")
    with connect(url, api_key) as client:
        extended = client.extend(name, member_of(client, member).id, wanted)
    output.document(extended, f"{extended.external_id} has the extension")


@app.command()
def regrade(
    ctx: typer.Context,
    name: Assignment,
    version: Annotated[int | None, typer.Option(help="Version to judge by; the newest.")] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Change the grades. Without it, show whose would change.")
    ] = (False),
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Judge all submissions again. Without --commit no grade changes. Ctrl-C leaves it running."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        report = _wait(client, output, name, client.regrade(name, version=version).id)
        if commit:
            report = report.model_copy(update={"state": client.commit_regrade(name, report.id).state})
    output.document(report, words.regrade(report))
    if not output.lines and report.changes:
        output.table([], words.change_rows(report), "")


@app.command()
def similarity(
    ctx: typer.Context,
    name: Assignment,
    least: Annotated[
        float | None, typer.Option("--min", help="Least similarity that is listed, 0.1 to 1; 0.5.")
    ] = None,
    kept: Annotated[bool, typer.Option("--last", help="Show the last report; compare nothing.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List submissions that are alike; for staff.

    Those that count are compared. --json has the lines, too.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        report = client.similarity(name) if kept else client.compare_submissions(name, min_similarity=least)
        while report.state == "running":
            time.sleep(_POLL_S)
            report = client.similarity(name)
    if report.state == "failed":
        raise Unavailable(report.message or "the comparison failed")
    output.document(report, words.similarity(report))
    if not output.lines:
        output.table(report.pairs, words.pair_rows(report), "no pair is as similar as that")
        for one in report.skipped:
            output.note(f"{one.external_id} was not compared: {one.reason}")


def _wait(client: Client, output: Output, name: str, regrade_id: str) -> RegradeReport:
    report = client.regrade_report(name, regrade_id)
    with output.steps("regrade", report.total) as show:
        while report.state == "running":
            show(report.done, "")
            time.sleep(_POLL_S)
            report = client.regrade_report(name, regrade_id)
    return report


def _time(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise InvalidRequest(f"{option} takes a time as 2030-01-31T23:59+01:00; got {text!r}", field=option) from None
