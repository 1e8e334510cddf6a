"""An assignment as a folder, and credentials as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.people.models import Member, RosterRow
from rlplatform.cli.assignment_folder import read_assignment
from rlplatform.cli.assignment_templates import TEMPLATES, write_template
from rlplatform.cli.credentials import write_credentials
from rlplatform.errors import InvalidRequest
from rlplatform.testing.clock import FakeClock


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def read(folder: Path) -> tuple[str, dict[str, Any]]:
    with read_assignment(folder) as found:
        return found


def test_pairs_of_files_are_the_tests(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "Double_It",
        assignment_DOT_toml='title = "Double"\ndue_at = 2030-01-31T23:59:00+01:00\n[attempts]\nmaximum = 3\n',
        statement_DOT_md="Double *it*.",
        starter__main_DOT_py="x = input()",
        provided__helper_DOT_py="y = 1",
        tests__1_DOT_in="2\n",
        tests__1_DOT_ans="4\n",
        solution__main_DOT_py="print(2 * int(input()))",
    )
    name, definition = read(folder)
    assert name == "double-it"
    assignment = AssignmentRequest.model_validate(definition)
    assert (assignment.statement, assignment.attempts.maximum) == ("Double *it*.", 3)
    assert str(assignment.due_at) == "2030-01-31 23:59:00+01:00"
    assert [file.path for file in assignment.starter] == ["main.py"]
    assert [file.path for file in assignment.provided] == ["helper.py"]
    assert (assignment.tests[0].stdin, assignment.tests[0].expected_stdout) == ("2\n", "4\n")
    assert "solution" not in str(definition)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_can_be_published_as_it_is(tmp_path: Path, template: str) -> None:
    write_template(template, tmp_path / template)
    name, definition = read(tmp_path / template)
    assert name == template
    assert AssignmentRequest.model_validate(definition).statement.startswith("# ")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no assignment.toml"),
        ({"assignment_DOT_toml": "title ="}, "is not TOML"),
        ({"assignment_DOT_toml": 'title = "A"'}, "there are no tests"),
        (
            {"assignment_DOT_toml": 'due_at = 2030-01-31T23:59:00\n[[tests]]\nid = "1"'},
            "due_at needs a time with its zone",
        ),
        ({"assignment_DOT_toml": 'statement = "A"\n[[tests]]\nid = "1"'}, "not a field but a file"),
        ({"assignment_DOT_toml": '[[tests]]\nid = "1"', "tests__1_DOT_in": "", "tests__1_DOT_ans": ""}, "keep one"),
        ({"assignment_DOT_toml": '[grader]\nkind = "pytest"'}, "needs a folder"),
        ({"assignment_DOT_toml": "", "tests__tests_DOT_json": "{"}, "is not JSON"),
        ({"assignment_DOT_toml": "", "tests__tests_DOT_json": "{}"}, "must hold a list of tests"),
    ],
)
def test_a_folder_that_is_no_assignment_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        read(write(tmp_path / "a", x_DOT_txt="", **files))


def test_credentials_are_written_for_their_owner_alone_and_are_no_formulas(tmp_path: Path) -> None:
    member = Member(
        id="mem_1",
        tenant="t",
        external_id="s1",
        name="=1+1",
        email="",
        role="learner",
        section="",
        created_at=FakeClock().now(),
    )
    path = tmp_path / "keys.csv"
    write_credentials(path, [RosterRow(member=member, created=True, api_key="rlp_1")], "http://page")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines()[1] == "s1,'=1+1,,rlp_1,,"
    with pytest.raises(FileExistsError):
        write_credentials(path, [], "http://page")
