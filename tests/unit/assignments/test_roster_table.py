"""Rosters as people have them: written by hand, or exported by spreadsheets and learning platforms."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.assignments.people.models import MemberRequest
from rlplatform.assignments.people.roster_table import read_table
from rlplatform.errors import InvalidRequest

EXPORTS = sorted((Path(__file__).parent / "rosters").glob("*.csv"))


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.stem)
def test_an_export_is_read_as_it_is(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    read = read_table(path.read_bytes())
    assert [row.model_dump(exclude_defaults=True) for row in read.members] == expected["rows"]
    assert read.unused == expected["unused"]


def test_an_empty_line_is_nobody_and_quotes_hold_line_ends() -> None:
    read = read_table('external_id, name,section\r\ns1,"Ada\r\n""Löve""",\r\n\r\n s2 ,,B\r\n'.encode())
    assert read.members == [
        MemberRequest(external_id="s1", name='Ada\r\n"Löve"'),
        MemberRequest(external_id="s2", section="B"),
    ]


def test_a_column_of_the_api_wins_over_others() -> None:
    read = read_table(b"id,external_id,username\n17,s1,ada\n")
    assert (read.members[0].external_id, read.unused) == ("s1", ["id", "username"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name\nAda\n", "a column must have an id of each person: .*; the columns are name"),
        (b"external_id\ns1,a\n", "line 2: has more cells than columns"),
        (b"external_id,name\ns1,Ada\n,Bob\n,Eve\n", r"line 3: has no id \(and 1 more\)"),
        (b"external_id,role\ns1,observer\n", "line 2: the role is 'observer'; accepted are learner and staff"),
        (b"external_id,key_id\ns1,mine\n", "line 2: key_id"),
        (b"external_id\n" + b"x" * 200, "line 2: external_id must have at most 128 characters; got 200"),
        (b"external_id\n" + b"".join(b"s%d\n" % number for number in range(5001)), "5,001 people; accepted are 1 to"),
        (b'external_id\n"' + b"x" * 200_000, "line 2: field larger than field limit"),
        (b"external_id,name\ns1,Ada\ns2,Bob\ns1,Eve\n", "line 4: the id 's1' is that of line 2, too"),
        (b"external_id\n", "0 people"),
        (b"", "the columns are none"),
        (bytes(range(256)), "the columns are|line 1"),
    ],
)
def test_a_roster_with_a_fault_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        read_table(content)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        read_table(b"external_id,name\n" + content)
