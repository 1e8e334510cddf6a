from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from rlplatform.cli.main import app


def _groups(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _groups(command, (*path, name))


_ROOT = typer.main.get_command(app)
assert isinstance(_ROOT, TyperGroup)


@pytest.mark.parametrize("group", list(_groups(_ROOT)), ids=lambda path: " ".join(path) or "rlp")
def test_a_list_of_commands_says_whole_sentences_in_80_columns(group: tuple[str, ...]) -> None:
    lines = CliRunner().invoke(app, [*group, "--help"], terminal_width=80).output.splitlines()
    listed = lines[lines.index("Commands:") + 1 :]
    assert listed
    assert [line for line in listed if line.endswith("...")] == []


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output.split()[0]) == (0, "rlp")
