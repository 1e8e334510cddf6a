"""Reading of output files in the guest, and of what it sends on the host."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.outcomes import Captured
from rlplatform.sandbox.execution.outputs import parse_outputs
from rlplatform.sandbox.guest import protocol
from rlplatform.sandbox.guest.outputs import send_outputs
from rlplatform.sandbox.models import FileFault, OutputFile


def sent(folder: Path, paths: Sequence[str], most: int = 1 << 20) -> dict[str, OutputFile]:
    """Return what the host understands of what the guest sends."""
    source, target = os.pipe()
    sending = threading.Thread(target=send_outputs, args=([*paths], most, target, str(folder)))
    sending.start()
    with os.fdopen(source, "rb") as stream:
        data = stream.read()
    sending.join()
    return parse_outputs(Captured(data, False), paths)


def test_files_arrive_byte_by_byte(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(content)
    (tmp_path / "empty").touch()
    assert sent(tmp_path, ["a/b", "empty", "none", "none/x"]) == {
        "a/b": content,
        "empty": b"",
        "none": FileFault.MISSING,
        "none/x": FileFault.MISSING,
    }


def test_nothing_but_regular_files_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "out").symlink_to("/etc")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
        paths = ["pipe", "folder", "link", "out/passwd", "socket", "file/x", "file/../file", "..", ".", "", "//file"]
        assert sent(tmp_path, paths) == dict.fromkeys(paths, FileFault.NOT_REGULAR)


def test_an_absolute_path_is_none_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = str(tmp_path / "file")
    assert sent(tmp_path, [path]) == {path: FileFault.NOT_REGULAR}


def test_files_that_do_not_fit_any_more_are_left_out(tmp_path: Path) -> None:
    for name, size in {"a": 600, "b": 600, "c": 400, "d": 1}.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    found = sent(tmp_path, ["a", "b", "c", "d"], most=1000)
    assert found == {"a": bytes(600), "b": FileFault.TOO_LARGE, "c": bytes(400), "d": FileFault.TOO_LARGE}


def test_the_guest_does_not_mind_a_host_that_has_hung_up(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1 << 20))
    source, target = os.pipe()
    os.close(source)
    send_outputs(["a", "b"], 1 << 21, target, str(tmp_path))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(target)


GOOD = protocol.record(protocol.FILE, b"12")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD[:3],
        GOOD + b"x",
        GOOD + GOOD,
        protocol.record(b"?", b""),
        protocol.record(protocol.NO_FILE, b"x"),
        protocol.record_head(protocol.FILE, 1 << 31),
    ],
)
def test_anything_else_than_a_record_for_each_path_is_a_fault(data: bytes) -> None:
    assert parse_outputs(Captured(GOOD, False), ["a"]) == {"a": b"12"}
    with pytest.raises(SandboxFault):
        parse_outputs(Captured(data, False), ["a"])


def test_more_than_fits_the_pipe_is_a_fault() -> None:
    with pytest.raises(SandboxFault):
        parse_outputs(Captured(GOOD, True), ["a"])
