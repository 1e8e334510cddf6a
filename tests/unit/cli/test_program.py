"""Programs as ``rlp`` reads them: files, folders, archives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from rlplatform.cli.program import MAX_FILES, MAX_TEXT, FolderArchive, read_program, uploaded
from rlplatform.errors import InvalidRequest


def test_a_file_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "double.py").write_text("print(2)")
    assert read_program(tmp_path / "double.py")[0] == {"source": "print(2)", "source_name": "double.py"}
    (tmp_path / "main.py").write_text("print(2)")
    assert read_program(tmp_path / "main.py")[0] == {"source": "print(2)"}
    (tmp_path / "a$b.py").write_text("print(2)")
    assert read_program(tmp_path / "a$b.py")[0] == {"source": "print(2)"}, "the sandbox could not call it so"


def test_a_folder_is_its_files_without_what_tools_leave_behind(tmp_path: Path) -> None:
    for path, content in {
        "solve.py": b"import helpers.grid",
        "helpers/grid.py": b"SIZE = 3\r\n",
        "weights.bin": b"\x00\xff",
        "long.txt": b"x" * (MAX_TEXT + 1),
        "__pycache__/solve.pyc": b"\0",
        ".git/config": b"",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    program, _ = read_program(tmp_path)
    sent = uploaded(program, lambda path: f"file of {path.name}")
    assert sent == {
        "source": "import helpers.grid",
        "source_name": "solve.py",
        "files": [{"path": "helpers/grid.py", "content": "SIZE = 3\r\n"}],
        "data": [
            {"path": "long.txt", "file": "file of long.txt"},
            {"path": "weights.bin", "file": "file of weights.bin"},
        ],
    }


def test_a_folder_of_many_files_is_sent_as_an_archive(tmp_path: Path) -> None:
    work = tmp_path / "hw1"
    work.mkdir()
    for number in range(MAX_FILES):
        (work / f"part{number}.py").write_text("")
    (work / "main.py").write_text("print(1)")
    program, _ = read_program(work)
    assert isinstance(program["source"], FolderArchive)

    def upload(path: Path) -> str:
        with zipfile.ZipFile(path) as archive:
            assert archive.read("main.py") == b"print(1)"
            assert len(archive.namelist()) == MAX_FILES + 1
        return path.name

    assert uploaded(program, upload) == {"source": {"file": "hw1.zip"}}


def test_a_folder_says_which_file_is_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="it has no Python file and no notebook at its top"):
        read_program(tmp_path)
    (tmp_path / "a.py").touch()
    (tmp_path / "b.py").touch()
    with pytest.raises(InvalidRequest, match=r"call the file that is run main\.py or main\.ipynb; it has a\.py, b\.py"):
        read_program(tmp_path)


def test_the_notebook_of_a_folder_is_run(tmp_path: Path) -> None:
    notebook = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (tmp_path / "homework.ipynb").write_text(notebook)
    program, _ = read_program(tmp_path)
    assert (json.loads(program["source"])["cells"], program["source_name"]) == ([], "homework.ipynb")
    (tmp_path / "main.ipynb").write_text(notebook)
    (tmp_path / "helpers.py").write_text("SIZE = 3")
    program, _ = read_program(tmp_path)
    assert (program["source_name"], [file["path"] for file in program["files"]]) == (
        "main.ipynb",
        ["helpers.py", "homework.ipynb"],
    )


def test_an_archive_is_uploaded_as_it_is(tmp_path: Path) -> None:
    assert read_program(tmp_path / "work.ZIP")[0] == {"source": tmp_path / "work.ZIP"}
