"""The checkpoint contract against all adapters; object storage on pyarrow's file system in memory, and on a server that
speaks S3."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyarrow import fs

from rlplatform.clock import SystemClock
from rlplatform.errors import CheckpointError, InvalidRequest, NotFound, StorageError
from rlplatform.ids import Kind, new_id
from rlplatform.storage import open_checkpoints
from rlplatform.storage.checkpoints import MANIFEST, ArrowCheckpoints, LocalCheckpoints
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.contracts.checkpoints import FILES, CheckpointStoreContract, read, write
from rlplatform.testing.samples import checkpoint
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import CheckpointStore
from tests.contract.s3 import s3_server


class TestMemoryCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def store(self) -> MemoryCheckpoints:
        return MemoryCheckpoints()

    def damage(self, store: MemoryCheckpoints, info: CheckpointInfo) -> None:
        store.damage(info.id)


class TestObjectCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def store(self) -> ArrowCheckpoints:
        self.fs = fs._MockFileSystem(datetime(2026, 1, 1, tzinfo=UTC))
        return ArrowCheckpoints(self.fs, "bucket/checkpoints", SystemClock())

    def damage(self, store: ArrowCheckpoints, info: CheckpointInfo) -> None:
        path = f"bucket/checkpoints/{info.training_id}/{info.id}/data/session.json"
        with self.fs.open_output_stream(path) as writer:
            writer.write(FILES["session.json"].replace(b"3", b"4"))

    def test_an_upload_that_broke_off_is_nothing_and_is_swept(self, store: ArrowCheckpoints, source: Path) -> None:
        info, kept = store.commit(checkpoint(), source), store.commit(checkpoint(), source)
        self.fs.delete_file(f"bucket/checkpoints/{info.training_id}/{info.id}/{MANIFEST}")
        assert list(store.list(info.training_id)) == []
        assert store.sweep() == 1
        assert store.sweep() == 0
        assert store.find(kept.id) == kept


class CountingFileSystem:
    """A file system that counts what it is asked about; each is a request to object storage."""

    def __init__(self) -> None:
        self.asked = 0
        self._plain = fs._MockFileSystem(datetime(2026, 1, 1, tzinfo=UTC))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def get_file_info(self, what: Any) -> Any:
        self.asked += len(what) if isinstance(what, list) else 1
        return self._plain.get_file_info(what)


def test_finding_and_sweeping_ask_little_of_a_storage_with_many_trainings(tmp_path: Path) -> None:
    write(tmp_path, {"weights": b"1"})
    files = CountingFileSystem()
    store = ArrowCheckpoints(files, "bucket/checkpoints", SystemClock())
    infos = [store.commit(checkpoint(), tmp_path) for _ in range(300)]
    files.asked = 0
    assert store.find(infos[-1].id) == infos[-1]
    assert store.find(infos[150].id) == infos[150]
    assert files.asked <= 20, "the trainings just before a checkpoint are looked at first"
    assert store.find(infos[0].id) == infos[0]
    with pytest.raises(NotFound):
        store.find(new_id(Kind.CHECKPOINT))
    files.asked = 0
    assert store.sweep() == 0
    assert files.asked <= len(infos) + 1, "one listing a training, however many checkpoints it has"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


class TestS3Checkpoints(CheckpointStoreContract):
    @pytest.fixture
    def url(self, s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        return f"s3://bucket/{uuid4().hex}?endpoint_override={s3}&scheme=http&region=us-east-1"

    @pytest.fixture
    def store(self, url: str) -> CheckpointStore:
        return open_checkpoints(url)

    def at(self, url: str, info: CheckpointInfo, path: str) -> tuple[fs.FileSystem, str]:
        filesystem, root = fs.FileSystem.from_uri(url)
        return filesystem, f"{root}/{info.training_id}/{info.id}/{path}"

    @pytest.fixture(autouse=True)
    def _url(self, url: str) -> None:
        self.url = url

    def damage(self, store: CheckpointStore, info: CheckpointInfo) -> None:
        filesystem, path = self.at(self.url, info, "data/session.json")
        with filesystem.open_output_stream(path) as writer:
            writer.write(FILES["session.json"].replace(b"3", b"4"))

    def test_an_upload_that_broke_off_is_nothing_and_is_swept(self, store: CheckpointStore, source: Path) -> None:
        info, kept = store.commit(checkpoint(), source), store.commit(checkpoint(), source)
        filesystem, manifest = self.at(self.url, info, MANIFEST)
        filesystem.delete_file(manifest)
        assert list(store.list(info.training_id)) == []
        assert store.sweep() == 0, "it may still be going on"
        assert store.sweep(min_age_s=-5) == 1
        assert store.sweep(min_age_s=-5) == 0
        assert store.find(kept.id) == kept

    def test_a_missing_file_is_noticed(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        info = store.commit(checkpoint(), source)
        filesystem, path = self.at(self.url, info, "data/session.json")
        filesystem.delete_file(path)
        with pytest.raises(CheckpointError, match="missing"):
            store.fetch(info.training_id, info.id, tmp_path / "target")

    def test_a_server_that_is_away_is_a_storage_error(self, source: Path) -> None:
        query = "endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1&connect_timeout=0.2"
        with pytest.raises((StorageError, InvalidRequest)):
            open_checkpoints(f"s3://bucket/x?{query}").commit(checkpoint(), source)


class TestLocalCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalCheckpoints:
        self.root = tmp_path / "checkpoints"
        return LocalCheckpoints(self.root, SystemClock())

    def folder(self, info: CheckpointInfo) -> Path:
        return self.root / info.training_id / info.id

    def damage(self, store: LocalCheckpoints, info: CheckpointInfo) -> None:
        path = self.folder(info) / "data" / "engine" / "state.bin"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    @pytest.mark.parametrize("name", sorted(FILES))
    def test_a_missing_file_is_noticed(self, store: LocalCheckpoints, source: Path, tmp_path: Path, name: str) -> None:
        info = store.commit(checkpoint(), source)
        (self.folder(info) / "data" / name).unlink()
        with pytest.raises(CheckpointError, match="missing"):
            store.fetch(info.training_id, info.id, tmp_path / "target")

    @pytest.mark.parametrize(
        "manifest",
        [
            b"",
            b"{}",
            b"[]",
            b"\xff",
            b'{"format": 2}',
        ],
    )
    def test_a_bad_manifest_is_noticed(
        self, store: LocalCheckpoints, source: Path, tmp_path: Path, manifest: bytes
    ) -> None:
        info = store.commit(checkpoint(), source)
        (self.folder(info) / MANIFEST).write_bytes(manifest)
        with pytest.raises(CheckpointError, match=info.id):
            store.fetch(info.training_id, info.id, tmp_path / "target")
        assert list(store.list(info.training_id)) == []

    @pytest.mark.parametrize("path", ["../evil", "/evil", "a/../../evil", ""])
    def test_a_manifest_cannot_name_files_elsewhere(
        self, store: LocalCheckpoints, source: Path, tmp_path: Path, path: str
    ) -> None:
        info = store.commit(checkpoint(), source)
        manifest = json.loads((self.folder(info) / MANIFEST).read_text())
        manifest["files"][0]["path"] = path
        (self.folder(info) / MANIFEST).write_text(json.dumps(manifest))
        with pytest.raises(CheckpointError, match="names a file"):
            store.fetch(info.training_id, info.id, tmp_path / "target")

    def test_a_moved_checkpoint_is_noticed(self, store: LocalCheckpoints, source: Path, tmp_path: Path) -> None:
        info, other = store.commit(checkpoint(), source), checkpoint()
        self.folder(other).parent.mkdir()
        self.folder(info).rename(self.folder(other))
        with pytest.raises(CheckpointError, match="another checkpoint"):
            store.fetch(other.training_id, other.id, tmp_path / "target")

    def test_a_commit_that_fails_leaves_nothing(self, store: LocalCheckpoints, source: Path) -> None:
        info = checkpoint()
        (source / "zzz").symlink_to(source / "session.json")
        with pytest.raises(CheckpointError):
            store.commit(info, source)
        assert not self.root.exists() or read(self.root) == {}

    def test_leftovers_are_swept_when_they_are_old(self, store: LocalCheckpoints, source: Path) -> None:
        kept, torn, aside = (store.commit(checkpoint(), source) for _ in range(3))
        (self.folder(torn) / MANIFEST).unlink()
        pending = self.folder(aside).rename(self.folder(aside).with_name(f".pending-{aside.id}-0"))
        assert store.sweep() == 0
        for folder in (self.folder(torn), pending):
            for path in [folder, *folder.rglob("*")]:
                os.utime(path, (0, 0))
        assert list(store.list(aside.training_id)) == []
        assert store.sweep() == 2
        assert set(read(self.root)) == {path for path in read(self.root) if kept.id in path} != set()

    def test_a_leftover_does_not_hinder_the_next_commit(self, store: LocalCheckpoints, source: Path) -> None:
        info = checkpoint()
        write(self.folder(info), {"data/old": b"x"})
        committed = store.commit(info, source)
        assert list(store.list(info.training_id)) == [committed]
        assert "data/old" not in read(self.folder(info))

    def test_a_disk_that_refuses_is_a_storage_error(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError):
            LocalCheckpoints(tmp_path / "file", SystemClock()).commit(checkpoint(), source)


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = write(tmp_path / "source")
    info = open_checkpoints("relative/path").commit(checkpoint(), source)
    for url in (str(tmp_path / "relative" / "path"), f"file://{tmp_path}/relative/path"):
        assert open_checkpoints(url).find(info.id) == info
    for url in ("http://bucket", "memory://", "s3://", "s3://bucket?region=x&colour=red"):
        with pytest.raises(InvalidRequest) as caught:
            open_checkpoints(url)
        assert caught.value.extra["field"] == "checkpoint_url"
