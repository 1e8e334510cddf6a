"""ZIP archives that are a whole submission: unpacked in memory, with nothing in them that is not a plain file.

Sizes are what the archive says of its entries, and never more than that is unpacked. Links, devices, encrypted entries,
paths that lead elsewhere and archives in the archive are refused.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO

from rlplatform.errors import InvalidRequest
from rlplatform.files.ports import FileReader
from rlplatform.sandbox.programs import MAX_FILES, MAX_PATH_BYTES, MAX_PROGRAM_BYTES, path_fault

MAX_ARCHIVE_BYTES = 16 << 20
_MAX_READ = 1 << 19  # of one read: also of the whole table of contents, which is parsed in memory
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_ARCHIVES = (
    *(".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz", ".7z", ".rar"),
    *(".jar", ".egg", ".whl", ".iso", ".cab"),
)
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00")
_DATA = (".npz", ".pt", ".pth", ".xz")  # arrays and weights, which are archives by their format
_JUNK = frozenset({"__MACOSX", "__pycache__", ".DS_Store", ".ipynb_checkpoints", ".git"})  # what tools leave behind
_SHOWN = 5


def unpack(archive: BinaryIO, entry: str) -> dict[str, bytes]:
    """Return the files of a ZIP archive by their paths, ``entry`` among them.

    If all of them are in one folder, that folder is left out.

    Raises:
        InvalidRequest: it is no archive that is accepted; ``field`` is ``source``.
    """
    if (size := archive.seek(0, io.SEEK_END)) > MAX_ARCHIVE_BYTES:
        raise _refused(f"has {size} bytes; at most {MAX_ARCHIVE_BYTES} are accepted; upload large files as data")
    try:
        with zipfile.ZipFile(_Bounded(archive)) as opened:
            members = [member for member in opened.infolist() if not _is_junk(member.filename)]
            for member in members:
                _check(member)
            files = [member for member in members if not member.is_dir()]
            _check_all(files)
            contents = _without_folder({member.filename: _read(opened, member) for member in files}, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise _refused(f"cannot be read: {error}") from None
    if entry not in contents:
        raise _refused(f"has no {entry} at its top: {_some(contents)}; call the file that is run {entry}")
    return contents


def open_reader(reader: FileReader) -> BinaryIO:
    """Return a stored file as something to unpack."""
    return io.BufferedReader(_Stored(reader), 1 << 16)


def _check(entry: zipfile.ZipInfo) -> None:
    """:raises InvalidRequest: ``entry`` is neither a plain file nor a folder with a plain path."""
    name = entry.filename
    shown = repr(name[:MAX_PATH_BYTES])
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused(f"has {shown}, which is a {_KINDS.get(kind, 'special file')}; only plain files are accepted")
    if (fault := path_fault(name.removesuffix("/"))) is not None:
        raise _refused(f"has the path {shown}, which {fault}")
    if entry.orig_filename != name:
        raise _refused(f"has the path {entry.orig_filename[:MAX_PATH_BYTES]!r}, which must be printable")
    if entry.flag_bits & _ENCRYPTED:
        raise _refused(f"has {shown}, which is encrypted")
    if entry.compress_type not in _METHODS:
        raise _refused(f"has {shown}, which is compressed in another way than deflate")
    if name.lower().endswith(_ARCHIVES):
        raise _refused(f"has {shown}, which is an archive itself; put its files into the outer one")


def _check_all(files: list[zipfile.ZipInfo]) -> None:
    if len(files) > MAX_FILES:
        raise _refused(f"has {len(files)} files; at most {MAX_FILES} are accepted")
    if (total := sum(entry.file_size for entry in files)) > MAX_PROGRAM_BYTES:
        most = f"at most {MAX_PROGRAM_BYTES} are accepted"
        raise _refused(f"unpacks to {total} bytes; {most}; upload large files as data")
    names = [entry.filename for entry in files]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise _refused(f"has {twice!r} twice")


def _read(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with opened.open(entry) as stream:
        content = stream.read(entry.file_size)
        if stream.read(1) or len(content) != entry.file_size:
            raise _refused(f"says that {entry.filename!r} has {entry.file_size} bytes, which is not so")
    if content.startswith(_MAGIC) and not entry.filename.lower().endswith(_DATA):
        raise _refused(f"has {entry.filename!r}, which is an archive itself; put its files into the outer one")
    return content


def _without_folder(files: dict[str, bytes], entry: str) -> dict[str, bytes]:
    tops = {path.partition("/")[0] for path in files}
    if entry in files or len(tops) != 1 or any("/" not in path for path in files):
        return files
    return {path.partition("/")[2]: content for path, content in files.items()}


def _some(paths: Iterable[str]) -> str:
    found = sorted(paths)
    if not found:
        return "it is empty"
    return f"it has {', '.join(found[:_SHOWN])}{', …' if len(found) > _SHOWN else ''}"


def _is_junk(name: str) -> bool:
    return not _JUNK.isdisjoint(PurePosixPath(name).parts)


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"source: the archive {why}", field="source")


_KINDS = {
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
}


class _Bounded(io.RawIOBase):
    """An archive of which no read may be large: the table of contents of a hostile one would fill the memory."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._size = inner.seek(0, io.SEEK_END)
        inner.seek(0)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def read(self, size: int | None = -1) -> bytes:
        left = self._size - self._inner.tell()
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > _MAX_READ:
            raise zipfile.BadZipFile("its table of contents is too large")
        return self._inner.read(wanted)


class _Stored(io.RawIOBase):
    """A stored file as a stream."""

    def __init__(self, reader: FileReader) -> None:
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._reader.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._reader.read_at(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
        super().close()
