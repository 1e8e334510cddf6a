"""Contracts of every storage of uploaded files."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.files.ports import FileStorage


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(storage: FileStorage, content: bytes, tenant: str = "school", piece: int = 1 << 20) -> str:
    """Upload ``content`` in pieces; return its SHA-256."""
    upload = storage.begin()
    for at in range(0, len(content), piece):
        upload.write(content[at : at + piece])
    upload.commit(tenant, sha256(content))
    upload.abort()
    return sha256(content)


def get(storage: FileStorage, digest: str, tenant: str = "school") -> bytes:
    reader = storage.open(tenant, digest)
    try:
        return reader.read_at(0, reader.size_bytes)
    finally:
        reader.close()


class FileStorageContract:
    """Subclass it, and give a fixture ``storage``."""

    @pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 3 * (1 << 20) + 7])
    def test_a_committed_upload_is_read_back(self, storage: FileStorage, size: int) -> None:
        content = random.Random(size).randbytes(size)
        digest = put(storage, content)
        assert get(storage, digest) == content

    def test_parts_are_read_in_any_order(self, storage: FileStorage) -> None:
        digest = put(storage, bytes(range(256)))
        reader = storage.open("school", digest)
        assert reader.size_bytes == 256
        assert reader.read_at(250, 100) == bytes(range(250, 256))
        assert reader.read_at(0, 2) == b"\x00\x01"
        assert reader.read_at(256, 10) == b""
        reader.close()
        reader.close()

    def test_an_aborted_upload_leaves_nothing(self, storage: FileStorage) -> None:
        upload = storage.begin()
        upload.write(b"half")
        upload.abort()
        upload.abort()
        with pytest.raises(NotFound):
            storage.open("school", sha256(b"half"))
        assert storage.sweep(-1) == 0

    def test_an_abandoned_upload_is_swept_once_it_is_old(self, storage: FileStorage) -> None:
        upload = storage.begin()
        upload.write(b"half")
        assert storage.sweep(3600) == 0
        assert storage.sweep(-1) == 1
        assert storage.sweep(-1) == 0
        upload.abort()

    def test_tenants_do_not_share_contents(self, storage: FileStorage) -> None:
        digest = put(storage, b"same", "a")
        with pytest.raises(NotFound):
            storage.open("b", digest)
        assert put(storage, b"same", "b") == digest
        storage.delete("a", digest)
        storage.delete("a", digest)
        with pytest.raises(NotFound):
            storage.open("a", digest)
        assert get(storage, digest, "b") == b"same"

    def test_equal_uploads_at_the_same_time_all_succeed(self, storage: FileStorage) -> None:
        content = b"x" * 300_000
        with ThreadPoolExecutor(8) as threads:
            digests = list(threads.map(lambda _: put(storage, content, piece=10_000), range(8)))
        assert set(digests) == {sha256(content)}
        assert get(storage, digests[0]) == content
        assert storage.sweep(-1) == 0

    def test_a_file_that_is_being_read_outlives_its_deletion_or_says_so(self, storage: FileStorage) -> None:
        digest = put(storage, b"kept")
        reader = storage.open("school", digest)
        put(storage, b"kept")
        assert reader.read_at(0, 4) == b"kept"
        reader.close()


class StoredFilesContract(FileStorageContract):
    """Contract of storages that keep contents under paths."""

    @pytest.mark.parametrize("tenant", ["", "..", "../a", "a/b", ".uploads", "A", "a\0"])
    def test_a_tenant_never_leads_elsewhere(self, storage: FileStorage, tenant: str) -> None:
        with pytest.raises(InvalidRequest):
            storage.open(tenant, sha256(b""))
        upload = storage.begin()
        with pytest.raises(InvalidRequest):
            upload.commit(tenant, sha256(b""))
        upload.abort()
        assert storage.sweep(-1) == 0

    @pytest.mark.parametrize("digest", ["", "..", "../../x", "0" * 63, "G" * 64, "0" * 63 + "/"])
    def test_a_digest_never_leads_elsewhere(self, storage: FileStorage, digest: str) -> None:
        for act in (storage.open, storage.delete):
            with pytest.raises(InvalidRequest):
                act("school", digest)
