"""Credentials of the people of a course, as CSV files."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from rlplatform.assignments.people.models import Invitation, Member, RosterRow

_FORMULA = ("=", "+", "-", "@")


class InvitationLink(Invitation):
    """An invitation with the link to send."""

    external_id: str
    name: str
    email: str
    link: str


def invitation_link(member: Member, made: Invitation, page: str) -> InvitationLink:
    """Return an invitation of ``member`` with its link, where the page has the address ``page``."""
    about = member.model_dump(include={"external_id", "name", "email"})
    return InvitationLink(**made.model_dump(), **about, link=_link(page, made.invitation))


def _link(page: str, invitation: str) -> str:
    """Return the link that accepts an invitation. Servers and their logs never see the part after `#`."""
    return f"{page.rstrip('/')}/#invite={invitation}"


def write_credentials(path: Path, rows: Sequence[RosterRow], page: str) -> None:
    """Write new credentials to a CSV file that only its owner can read.

    Args:
        page: address of the page, for links.

    Raises:
        FileExistsError: there is such a file.
    """
    table = []
    for row in rows:
        member, link = row.member, _link(page, row.invitation) if row.invitation else ""
        table.append([member.external_id, member.name, member.email, row.api_key or "", row.invitation or "", link])
    _write_private(path, ["external_id", "name", "email", "api_key", "invitation", "link"], table)


def write_invitations(path: Path, links: Sequence[InvitationLink]) -> None:
    """Write links to a CSV file that only its owner can read.

    Raises:
        FileExistsError: there is such a file.
    """
    columns = ["external_id", "name", "email", "link", "expires_at"]
    _write_private(path, columns, [[str(getattr(one, column)) for column in columns] for one in links])


def _write_private(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file; text that a spreadsheet would run as a formula begins with an apostrophe."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
