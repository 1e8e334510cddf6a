"""ZIP archives as submissions: what tools make is taken, and everything that attacks is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.archives import MAX_ARCHIVE_BYTES, open_reader, unpack
from rlplatform.testing.contracts.files import put
from rlplatform.testing.files import MemoryFiles

MAIN = b"print(1)\n"


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, **more: Any) -> bytes:
    """A ZIP archive as Python's own tools make it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, **more) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_entry(change: Callable[[zipfile.ZipInfo], None], content: bytes = b"x", name: str = "evil") -> bytes:
    """An archive with an entry that ``change`` makes special."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("main.py", MAIN)
        info = zipfile.ZipInfo(name)
        change(info)
        archive.writestr(info, content)
    return stream.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    return unpack(io.BytesIO(data), "main.py")


def refused(data: bytes) -> str:
    with pytest.raises(InvalidRequest) as caught:
        unpacked(data)
    assert caught.value.extra["field"] == "source"
    return str(caught.value)


def test_a_plain_archive() -> None:
    files = {"main.py": MAIN, "lib/a.py": b"A = 1\n", "w.bin": bytes(range(256)), "empty": b""}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert unpacked(zipped(files, method)) == files


def test_the_only_folder_is_left_out_and_junk_too() -> None:
    files = {"hw1/main.py": MAIN, "hw1/lib/a.py": b"", "hw1/__pycache__/a.pyc": b"x", "__MACOSX/hw1/._main.py": b"x"}
    files |= {"hw1/.DS_Store": b"x", "hw1/": b""}
    assert unpacked(zipped(files)) == {"main.py": MAIN, "lib/a.py": b""}


def test_an_archive_without_main_says_what_it_has() -> None:
    assert "it has a.py, b/main.py" in refused(zipped({"a.py": b"", "b/main.py": b""}))
    assert "it is empty" in refused(zipped({}))


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "a/../../evil.py",
        "/etc/passwd",
        "//evil",
        "a\\..\\evil",
        "C:\\evil",
        "a//b",
        "./a",
        "a\nb",
        "x" * 200,
    ],
)
def test_paths_that_lead_elsewhere_are_refused(name: str) -> None:
    assert "has the path" in refused(with_entry(lambda info: setattr(info, "filename", name)))


def test_a_name_that_ends_at_a_nul_is_refused() -> None:
    data = zipped({"main.py": MAIN, "evilX.py": b""}).replace(b"evilX.py", b"evil\0.py")
    assert "printable" in refused(data)


@pytest.mark.parametrize(
    ("mode", "what"),
    [(0o120777, "link"), (0o020666, "device"), (0o060666, "device"), (0o010666, "named pipe"), (0o140666, "socket")],
)
def test_special_files_are_refused(mode: int, what: str) -> None:
    data = with_entry(lambda info: setattr(info, "external_attr", mode << 16), b"/etc/passwd")
    assert what in refused(data)


def test_nested_archives_are_refused_by_name_and_by_content() -> None:
    inner = zipped({"main.py": MAIN})
    for name in ("a.zip", "A.ZIP", "b.tar.gz", "c.7z", "d.whl"):
        assert "archive itself" in refused(zipped({"main.py": MAIN, name: b"x"}))
    assert "archive itself" in refused(zipped({"main.py": MAIN, "innocent.txt": inner}))
    assert "weights.npz" in unpacked(zipped({"main.py": MAIN, "weights.npz": inner})), "arrays are archives by format"


def test_encrypted_and_exotic_entries_are_refused() -> None:
    data = bytearray(zipped({"main.py": MAIN}, zipfile.ZIP_STORED))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    assert "encrypted" in refused(bytes(data))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "deflate" in refused(zipped({"main.py": MAIN}, method))


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    data = zipped({"main.py": MAIN, "bomb": b"\0" * (64 << 20)})
    assert len(data) < 1 << 20
    tracemalloc.start()
    try:
        assert "unpacks to" in refused(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(zipped({"main.py": MAIN, "bomb": b"\0" * (64 << 20)}))
    at = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", data, at + 24, 1000)
    tracemalloc.start()
    try:
        refused(bytes(data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_overlapping_entries_do_not_multiply() -> None:
    data = bytearray(zipped({"main.py": MAIN, "kernel": b"\0" * (1 << 20)}))
    start = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    end = data.index(b"PK\x05\x06")
    record = bytes(data[start:end])
    copies = b"".join(record.replace(b"kernel", b"kern%02d" % number) for number in range(100))
    body, tail = data[:end], data[end:]
    struct.pack_into("<HHI", tail, 8, 102, 102, struct.unpack_from("<I", tail, 12)[0] + len(copies))
    refused(bytes(body + copies + tail))


def test_too_many_entries_are_refused() -> None:
    assert "129 files" in refused(zipped({"main.py": MAIN} | {f"f{number}": b"" for number in range(128)}))


def test_a_huge_table_of_contents_is_not_read() -> None:
    data = zipped({f"f{number:06d}": b"" for number in range(20_000)}, zipfile.ZIP_STORED)
    tracemalloc.start()
    try:
        assert "table of contents" in refused(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_entries_of_one_name_are_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("main.py", MAIN)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("main.py", b"evil")
    assert "'main.py' twice" in refused(stream.getvalue())


def test_a_large_archive_is_refused_unread() -> None:
    assert "at most" in refused(b"\0" * (MAX_ARCHIVE_BYTES + 1))


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\0" * 18, zipped({"main.py": MAIN})[:-10]]
)
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    refused(data)


VALID = zipped({"main.py": MAIN, "lib/a.py": b"A = 1\n" * 50})


@given(at=st.integers(0, len(VALID) - 1), value=st.integers(0, 255), length=st.integers(1, 8))
@settings(max_examples=400, deadline=None)
def test_a_damaged_archive_is_refused_or_means_plain_files(at: int, value: int, length: int) -> None:
    damaged = VALID[:at] + bytes([value]) * length + VALID[at + length :]
    try:
        files = unpacked(damaged)
    except InvalidRequest:
        return
    assert "main.py" in files
    assert all(".." not in path.split("/") and not path.startswith("/") for path in files)


def test_an_archive_is_unpacked_from_the_storage() -> None:
    storage = MemoryFiles()
    digest = put(storage, VALID)
    with open_reader(storage.open("school", digest)) as stream:
        assert unpack(stream, "main.py") == unpacked(VALID)


def test_an_archive_may_call_its_program_otherwise() -> None:
    files = {"hw/solve.py": MAIN, "hw/lib.py": b""}
    assert unpack(io.BytesIO(zipped(files)), "solve.py") == {"solve.py": MAIN, "lib.py": b""}
    with pytest.raises(InvalidRequest, match="has no solve2"):
        unpack(io.BytesIO(zipped(files)), "solve2.py")
