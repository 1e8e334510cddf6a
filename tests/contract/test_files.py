"""The contract of the storage of files against all adapters; object storage on a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyarrow import fs

from rlplatform.errors import InvalidRequest, NotFound, StorageError
from rlplatform.files.ports import FileStorage
from rlplatform.settings import Settings
from rlplatform.storage import open_files
from rlplatform.storage.files import ArrowFiles, LocalFiles
from rlplatform.testing.contracts.files import FileStorageContract, StoredFilesContract, get, put, sha256
from rlplatform.testing.files import MemoryFiles
from tests.contract.s3 import s3_server


class _BreaksOff:
    """A file system whose streams fail after a MiB; closing one stores what was written, as object storage does."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def open_output_stream(self, path: str) -> Iterator[_BreaksOff]:
        with self._inner.open_output_stream(path) as self._stream:
            self._written = 0
            yield self

    def write(self, chunk: bytes) -> None:
        if self._written >= 1 << 20:
            raise OSError("the network is gone")
        self._written += len(chunk)
        self._stream.write(chunk)


class TestMemoryFiles(FileStorageContract):
    @pytest.fixture
    def storage(self) -> MemoryFiles:
        return MemoryFiles()


class TestLocalFiles(StoredFilesContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> LocalFiles:
        self.root = tmp_path / "files"
        return LocalFiles(self.root)

    def test_equal_contents_are_stored_once(self, storage: LocalFiles) -> None:
        for _ in range(3):
            digest = put(storage, b"again")
        found = [path for path in self.root.rglob("*") if path.is_file()]
        assert found == [self.root / "school" / digest[:2] / digest]

    def test_a_disk_that_refuses_is_a_storage_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError):
            LocalFiles(tmp_path / "file").begin()


class TestObjectFiles(StoredFilesContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> ArrowFiles:
        self.fs: Any = fs._MockFileSystem(datetime(2026, 1, 1, tzinfo=UTC))
        self.spool = tmp_path / "spool"
        return ArrowFiles(self.fs, "bucket/files", self.spool)

    def test_an_upload_that_fails_halfway_is_stored_nowhere(self, storage: ArrowFiles) -> None:
        failing = ArrowFiles(_BreaksOff(self.fs), "bucket/files", self.spool)
        upload = failing.begin()
        upload.write(b"x" * 3_000_000)
        with pytest.raises(StorageError, match="the network is gone"):
            upload.commit("school", sha256(b"x" * 3_000_000))
        upload.abort()
        with pytest.raises(NotFound):
            storage.open("school", sha256(b"x" * 3_000_000))
        assert list(self.spool.iterdir()) == []


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


class TestS3Files(StoredFilesContract):
    @pytest.fixture
    def storage(self, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStorage:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        self.url = f"s3://bucket/{uuid4().hex}?endpoint_override={s3}&scheme=http&region=us-east-1"
        self.spool = tmp_path / "spool"
        return open_files(Settings.model_validate({"files": {"url": self.url, "spool_dir": self.spool}}))

    def test_nothing_stays_on_the_local_disk(self, storage: FileStorage) -> None:
        put(storage, b"x" * 100_000)
        assert list(self.spool.iterdir()) == []

    def test_a_truncated_object_is_replaced_by_the_next_upload(self, storage: FileStorage) -> None:
        digest = put(storage, b"whole")
        filesystem, root = fs.FileSystem.from_uri(self.url)
        with filesystem.open_output_stream(f"{root}/school/{digest[:2]}/{digest}") as writer:
            writer.write(b"wh")
        put(storage, b"whole")
        assert get(storage, digest) == b"whole"


def test_files_are_beside_the_checkpoints_unless_a_place_is_given(tmp_path: Path) -> None:
    settings = Settings.model_validate({"training": {"checkpoint_url": str(tmp_path / "checkpoints")}})
    digest = put(open_files(settings), b"x")
    assert (tmp_path / "files" / "school" / digest[:2] / digest).read_bytes() == b"x"
    elsewhere = Settings.model_validate({"files": {"url": f"file://{tmp_path}/elsewhere"}})
    put(open_files(elsewhere), b"y")
    assert (tmp_path / "elsewhere" / "school").is_dir()
    with pytest.raises(InvalidRequest, match=r"files\.url"):
        open_files(Settings.model_validate({"files": {"url": "http://bucket"}}))
