"""Tables of people as spreadsheets and learning platforms export them.

The first line names the columns. ``roster_columns.json`` has the names that are understood, the preferred one first.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rlplatform.assignments.people.models import MAX_MEMBERS, MemberRequest, RosterFile
from rlplatform.errors import InvalidRequest
from rlplatform.validation_errors import describe_error

_SEPARATORS = ",;\t"
_FIELDS = tuple(MemberRequest.model_fields)
_TOLD = 20
"""Lines that an error names."""


def read_table(content: bytes) -> RosterFile:
    """Read a table whose cells are separated by commas, semicolons or tabs.

    Text that is not Unicode is read as Windows-1252, which spreadsheets write.

    Raises:
        InvalidRequest: no column has an id, or lines are wrong; ``errors`` has each of them.
    """
    head, *lines = _lines(_decoded(content)) or [(1, [])]
    names = head[1]
    columns = _columns(names)
    if "external_id" not in columns:
        found = ", ".join(filter(None, names)) or "none"
        raise InvalidRequest(
            "a column must have an id of each person: external_id, student_id, email, …; the columns are " + found[:500]
        )
    members, wrong, seen = [], [], dict[str, int]()
    for number, cells in lines:
        given = {field: cells[at] for field, at in columns.items() if at < len(cells) and cells[at]}
        if not given or _plain(given.get("name", "")) in _known()["not_people"]:
            continue
        try:
            member = _member(given, excess=len(cells) > len(names))
            if (before := seen.setdefault(member.external_id, number)) != number:
                raise ValueError(f"the id {member.external_id!r} is that of line {before}, too")
            members.append(member)
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        errors = [{"field": "", "message": message} for message in wrong[:_TOLD]]
        raise InvalidRequest(wrong[0] + more, errors=errors)
    if not 0 < len(members) <= MAX_MEMBERS:
        raise InvalidRequest(f"the file has {len(members):,} people; accepted are 1 to {MAX_MEMBERS:,}")
    unused = [name for at, name in enumerate(names) if name and at not in columns.values()]
    return RosterFile(members=members, unused=unused)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each line, with the line's number."""
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count))
    try:
        return [(lines.line_num, [cell.strip() for cell in cells]) for cells in lines]
    except csv.Error as error:
        raise InvalidRequest(f"line {lines.line_num}: {error}") from None


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _member(given: Mapping[str, str], *, excess: bool) -> MemberRequest:
    """Return the person of a line.

    Raises:
        ValueError: says what is wrong with the line.
    """
    if excess:
        raise ValueError("has more cells than columns")
    if "external_id" not in given:
        raise ValueError("has no id")
    row = {field: given[field] for field in _FIELDS if field in given}
    row.setdefault("name", " ".join(given[part] for part in ("first_name", "last_name") if part in given))
    if "role" in row:
        row["role"] = _role(row["role"])
    try:
        return MemberRequest.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{first['loc'][0]} {describe_error(first, first['input'])}") from None


def _role(given: str) -> str:
    roles: Mapping[str, Sequence[str]] = _known()["roles"]
    for role, names in roles.items():
        if _plain(given) in names:
            return role
    raise ValueError(f"the role is {given[:40]!r}; accepted are learner and staff")


def _columns(head: Sequence[str]) -> dict[str, int]:
    """Return the index of the column that has each field: the one whose name is preferred."""
    names = [_plain(name) for name in head]
    found = {}
    for field, known in _known()["columns"].items():
        if (name := next((name for name in known if name in names), None)) is not None:
            found[field] = names.index(name)
    return found


def _plain(name: str) -> str:
    """Return ``name`` in lower case, its words joined by ``_``."""
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


@cache
def _known() -> Any:
    return json.loads(Path(__file__).with_name("roster_columns.json").read_text(encoding="utf-8"))
