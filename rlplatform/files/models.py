"""Uploaded files: what a client sees of one, and how a request refers to it."""

from __future__ import annotations

import mimetypes
import re
from datetime import datetime
from pathlib import Path

from pydantic import Field

from rlplatform import patterns
from rlplatform.errors import InvalidRequest
from rlplatform.json_models import StrictModel

MAX_NAME = 255
MAX_MEDIA_TYPE = 100
BINARY = "application/octet-stream"
ZIP = "application/zip"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_UNSAID = frozenset(
    {"", BINARY, "application/x-www-form-urlencoded"}
)  # default types of curl and browsers, which say nothing about the file
_ZIPS = frozenset({"application/x-zip-compressed", "application/x-zip"})


class FileInfo(StrictModel):
    """An uploaded file."""

    id: str
    """Id of the file: `file_…`."""
    name: str
    """Name that it was uploaded under."""
    size_bytes: int
    """Size, in bytes."""
    sha256: str
    """SHA-256 of its bytes, in hexadecimal. Equal bytes of a tenant are one file."""
    media_type: str
    """Media type that it was uploaded as, or that goes with its name."""
    created_at: datetime
    """Time of the upload."""


class FileRef(StrictModel):
    """An uploaded file in place of text."""

    file: str = Field(pattern=patterns.FILE)
    """Id of the file: `file_…`."""


class DataFile(StrictModel):
    """An uploaded file that a program finds under a path, and can only read."""

    path: str = Field(min_length=1, max_length=128)
    """Relative POSIX path, for example `data/train.csv`."""
    file: str = Field(pattern=patterns.FILE)
    """Id of the file: `file_…`."""


class LocalData(DataFile):
    """A data file, once it is on this node at ``local``."""

    local: Path


class LocalFile(FileRef):
    """A file that a request refers to, once it is on this node at ``path``."""

    path: Path


class UnpackedFile(FileRef):
    """A file out of the archive that a request refers to."""

    content: bytes


def text_or_file(value: object) -> str:
    """Tell text from an uploaded file: the discriminator of fields that take either."""
    return "upload" if isinstance(value, dict | FileRef) else "text"


def content_of(value: str | FileRef) -> bytes:
    """Return the bytes of text, or of a file; of one that is not on this node, none."""
    if isinstance(value, UnpackedFile):
        return value.content
    if isinstance(value, FileRef):
        return value.path.read_bytes() if isinstance(value, LocalFile) else b""
    return value.encode()


class StoredFile(StrictModel):
    """A file as the store keeps it. ``used_at`` is the last time that a request referred to it, to the hour."""

    info: FileInfo
    tenant: str
    created_by: str
    used_at: datetime | None = None
    deleted_at: datetime | None = None


def check_name(name: str) -> str:
    """Return ``name`` if a file can be called that on every operating system.

    Raises:
        InvalidRequest: it is empty, too long, a path, or has control characters.
    """
    why = None
    if not name:
        why = "must not be empty"
    elif len(name.encode("utf-8", "surrogatepass")) > MAX_NAME:
        why = f"must have at most {MAX_NAME} bytes in UTF-8"
    elif "/" in name or "\\" in name or name in (".", ".."):
        why = "must be a plain name, not a path"
    elif not name.isprintable():
        why = "must be printable: no NUL or other control characters"
    if why is not None:
        raise InvalidRequest(f"name {why}; got {name[:80]!r}; give one like weights.npz", field="name")
    return name


def media_type_of(given: str | None, name: str) -> str:
    """Return the media type of an upload: the one that was given, or the one that goes with its name.

    Raises:
        InvalidRequest: ``given`` is not a media type.
    """
    said = (given or "").partition(";")[0].strip().lower()
    if said in _UNSAID:
        said = mimetypes.guess_type(name)[0] or BINARY
    if len(said) > MAX_MEDIA_TYPE or not _MEDIA_TYPE.fullmatch(said):
        raise InvalidRequest(
            f"Content-Type {said[:80]!r} is not a media type; send one like {BINARY}, or none", field="content-type"
        )
    return ZIP if said in _ZIPS else said
