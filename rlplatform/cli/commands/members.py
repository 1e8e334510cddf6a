"""``rlp members``: the people of a course."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplatform.assignments.people.models import MAX_ROWS, Member, RosterRow
from rlplatform.cli.credentials import InvitationLink, invitation_link, write_credentials, write_invitations
from rlplatform.cli.formatting.assignments import moment
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, NotFound

_NO_MEMBERS = "no members yet: rlp members import ROSTER.csv"
app = typer.Typer(no_args_is_help=True, help="The people of a course.")

Page = Annotated[
    str | None, typer.Option("--page", help="Address of the page, for the links.", show_default="the platform's")
]
Who = Annotated[str, typer.Argument(metavar="MEMBER", help="External id of the person, or mem_….")]


@app.command("import")
def import_roster(
    ctx: typer.Context,
    roster: Annotated[
        Path,
        typer.Argument(
            help="CSV with external_id, and perhaps name, email, role, section, sub; or as Canvas, Moodle or "
            "Gradescope export it.",
            exists=True,
        ),
    ],
    credentials: Annotated[
        Literal["none", "keys", "invitations"], typer.Option(help="What new people get: none.")
    ] = "none",
    save: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the credentials to this new CSV file.")
    ] = None,
    page: Page = None,
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
    done: list[RosterRow] = []
    with connect(url, api_key) as client:
        read = client.read_roster(roster.read_bytes())
        try:
            for start in range(0, len(read.members), MAX_ROWS):
                some = read.members[start : start + MAX_ROWS]
                done += client.import_members(some, credentials=credentials).results
        finally:  # credentials are shown once: those of the people who were added are kept if others are refused
            if save is not None and done:
                write_credentials(save, done, page or client.url)
                output.note(f"the credentials are in {save}, which only you can read")
    table = [_row(row.member) | {"NEW": "yes" if row.created else ""} for row in done]
    output.table(done, table, "nobody")
    if read.unused:
        output.note(f"columns that were not used: {', '.join(read.unused)}")


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the members of the course."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.members()
    output.table(found, [_row(member) for member in found], _NO_MEMBERS)


@app.command()
def invite(
    ctx: typer.Context,
    members: Annotated[
        list[str] | None, typer.Argument(metavar="[MEMBER]...", help="External ids of people, or mem_….")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All active members who have no key yet.")] = False,
    days: Annotated[float, typer.Option(help="Days for which it can be accepted.")] = 14.0,
    save: Annotated[Path | None, typer.Option("--output", "-o", help="Write the links to this new CSV file.")] = None,
    page: Page = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Make links that give their members an API key, once.

    A member's earlier link ends.
    """
    output = output_of(ctx, json)
    if bool(members) == everyone:
        raise InvalidRequest("name the members to invite, or give --all", field="MEMBER")
    if save is not None and save.exists():
        raise InvalidRequest(f"{save} exists", field="--output")
    if (everyone or len(members or ()) > 1) and save is None and not json:
        raise InvalidRequest("links are shown once: say where to write them with --output", field="--output")
    with connect(url, api_key) as client:
        known = client.members()
        chosen = _without_key(client, known) if everyone else [_named(text, known) for text in members or ()]
        links: list[InvitationLink] = []
        for start in range(0, len(chosen), MAX_ROWS):
            some = chosen[start : start + MAX_ROWS]
            made = client.invite_all([member.id for member in some], expires_in_s=86_400 * days)
            links += [invitation_link(member, one, page or client.url) for member, one in zip(some, made, strict=True)]
    if not chosen:
        output.note("nobody to invite: everyone has a key already" if known else _NO_MEMBERS)
    elif save is not None:
        write_invitations(save, links)
        output.table(links, [_row(member) for member in chosen], "")
        output.note(f"{len(links)} links are in {save}, which only you can read")
    elif json:
        output.table(links, [], "")
    else:
        output.document(links[0], f"{links[0].link}\nexpires {moment(links[0].expires_at)}")


@app.command()
def invitations(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List invitations and whether they are still open."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.invitations()
    rows = [
        {
            "EXTERNAL ID": one.external_id,
            "STATE": one.state,
            "MADE": moment(one.created_at),
            "EXPIRES": moment(one.expires_at),
            "ACCEPTED": moment(one.accepted_at),
            "KEY": one.key_id or "",
        }
        for one in found
    ]
    output.table(found, rows, "nobody was invited yet: rlp members invite MEMBER")


@app.command()
def revoke(ctx: typer.Context, member: Who, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Revoke the invitation of a member, if it was not accepted."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        revoked = client.revoke_invitation(member_of(client, member).id)
    output.document(revoked, f"the invitation of {revoked.external_id} is revoked")


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
    return _named(text, client.members())


def _named(text: str, members: Sequence[Member]) -> Member:
    for member in members:
        if text in (member.external_id, member.id):
            return member
    raise NotFound(f"no member has the external id {text!r}")


def _without_key(client: Client, members: Sequence[Member]) -> list[Member]:
    keys = client.keys()
    owners = {key.owner for key in keys if key.revoked_at is None}
    return [member for member in members if member.state == "active" and member.id not in owners]


def _row(member: Member) -> dict[str, str]:
    return {
        "EXTERNAL ID": member.external_id,
        "NAME": member.name,
        "EMAIL": member.email,
        "ROLE": member.role,
        "SECTION": member.section,
        "STATE": member.state,
    }
