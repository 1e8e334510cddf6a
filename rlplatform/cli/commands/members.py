"""``rlp members``: the people of a course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplatform.assignments.people.models import MAX_ROWS, Member, RosterRow
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.cli.roster import read_roster, write_credentials
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, NotFound

app = typer.Typer(no_args_is_help=True, help="The people of a course.")

Who = Annotated[str, typer.Argument(metavar="MEMBER", help="External id of the person, or mem_….")]


@app.command("import")
def import_roster(
    ctx: typer.Context,
    roster: Annotated[
        Path, typer.Argument(help="CSV with external_id, and perhaps name, email, role, section, sub.", exists=True)
    ],
    credentials: Annotated[
        Literal["none", "keys", "invitations"], typer.Option(help="What new people get: none.")
    ] = "none",
    save: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the credentials to this new CSV file.")
    ] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Add the people of a CSV file, or change them. The same file again changes nothing."""
    output = output_of(ctx, json)
    if credentials != "none" and save is None and not json:
        raise InvalidRequest("credentials are shown once: say where to write them with --output", field="--output")
    if save is not None and save.exists():
        raise InvalidRequest(f"{save} exists", field="--output")
    rows = read_roster(roster)
    done: list[RosterRow] = []
    with connect(url, api_key) as client:
        for start in range(0, len(rows), MAX_ROWS):
            done += client.import_members(rows[start : start + MAX_ROWS], credentials=credentials).results
    if save is not None:
        write_credentials(save, done)
    table = [_row(row.member) | {"NEW": "yes" if row.created else ""} for row in done]
    output.table(done, table, "nobody")
    if save is not None:
        output.note(f"the credentials are in {save}, which only you can read")


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the members of the course."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.members()
    output.table(found, [_row(member) for member in found], "no members yet: rlp members import ROSTER.csv")


@app.command()
def invite(
    ctx: typer.Context,
    member: Who,
    days: Annotated[float, typer.Option(help="Days for which it can be accepted.")] = 14.0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Make an invitation: it is good once, and gives the member a new API key."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        made = client.invite(member_of(client, member).id, expires_in_s=86_400 * days)
    output.document(made, f"{made.invitation}\nexpires {made.expires_at:%Y-%m-%d %H:%M %Z}")


@app.command()
def rm(ctx: typer.Context, member: Who, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Remove a member and revoke the member's keys. The grades stay."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        removed = client.remove_member(member_of(client, member).id)
    output.document(removed, f"{removed.external_id} is removed")


def member_of(client: Client, text: str) -> Member:
    """Return the member that ``text`` names, by external id or by id.

    Raises:
        NotFound: nobody has it.
    """
    for member in client.members():
        if text in (member.external_id, member.id):
            return member
    raise NotFound(f"no member has the external id {text!r}")


def _row(member: Member) -> dict[str, str]:
    return {
        "EXTERNAL ID": member.external_id,
        "NAME": member.name,
        "EMAIL": member.email,
        "ROLE": member.role,
        "SECTION": member.section,
        "STATE": member.state,
    }
