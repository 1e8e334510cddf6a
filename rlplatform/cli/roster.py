"""A roster as a CSV file: the people of a course, and the credentials that they are given."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from rlplatform.assignments.people.models import MemberRequest, RosterRow
from rlplatform.cli.program import read_text
from rlplatform.errors import InvalidRequest

COLUMNS = tuple(MemberRequest.model_fields)
_FORMULA = ("=", "+", "-", "@")


def read_roster(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file whose first line names the columns.

    Raises:
        InvalidRequest: a column is missing or unknown, or a row has too many cells.
    """
    rows = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff")))
    columns = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = columns
    accepted = f"the columns are {', '.join(COLUMNS)}; external_id is needed"
    if "external_id" not in columns:
        raise InvalidRequest(f"{path} has no column external_id; {accepted}", field="ROSTER")
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise InvalidRequest(f"{path} has a column {unknown[0]!r}; {accepted}", field="ROSTER")
    found = []
    for row in rows:
        if None in row:
            raise InvalidRequest(f"{path}, line {rows.line_num}: more cells than columns", field="ROSTER")
        cells = {name: value.strip() for name, value in row.items() if value is not None and value.strip()}
        if cells:
            found.append(cells)
    if not found:
        raise InvalidRequest(f"{path} has no rows", field="ROSTER")
    return found


def write_credentials(path: Path, rows: Sequence[RosterRow]) -> None:
    """Write the new credentials to a CSV file that only its owner can read.

    Raises:
        FileExistsError: there is such a file.
    """
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="", encoding="utf-8"
    ) as file:
        table = csv.writer(file)
        table.writerow(["external_id", "name", "email", "api_key", "invitation"])
        for row in rows:
            member = row.member
            told = [member.external_id, member.name, member.email, row.api_key or "", row.invitation or ""]
            table.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in told])
