"""Contract suite of every :class:`~rlplatform.training.ports.CheckpointStore`."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.testing.samples import checkpoint
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import CheckpointStore

FILES = {
    "session.json": b'{"iteration": 3}',
    "engine/state.bin": bytes(range(256)) * 10_000,
    "engine/deep/er/empty": b"",
    "engine/naïve name": "é".encode(),
}


def write(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    """``folder`` with ``files`` in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    """The files below ``folder``."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class CheckpointStoreContract:
    """Subclasses provide the fixture ``store``, of an empty one, and ``damage``."""

    @pytest.fixture
    def store(self) -> CheckpointStore:
        raise NotImplementedError

    def damage(self, store: CheckpointStore, info: CheckpointInfo) -> None:
        """Change a byte in one of the stored files of ``info``."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write(tmp_path / "source")

    def test_what_is_committed_can_be_fetched(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        given = checkpoint()
        info = store.commit(given, source)
        size = sum(map(len, FILES.values()))
        assert info == given.model_copy(update={"size_bytes": size, "manifest_sha256": info.manifest_sha256})
        assert len(bytes.fromhex(info.manifest_sha256)) == hashlib.sha256().digest_size
        assert store.fetch(info.training_id, info.id, tmp_path / "target") == info
        assert read(tmp_path / "target") == FILES
        assert read(source) == FILES

    def test_hashes_tell_contents_apart(self, store: CheckpointStore, source: Path) -> None:
        info = checkpoint()
        one = store.commit(info, source)
        store.delete(info.training_id, info.id)
        write(source, {"session.json": b'{"iteration": 4}'})
        assert store.commit(info, source).manifest_sha256 != one.manifest_sha256

    def test_list_is_oldest_first(self, store: CheckpointStore, source: Path) -> None:
        training = new_id(Kind.TRAINING)
        assert list(store.list(training)) == []
        infos = [store.commit(checkpoint(training, iteration), source) for iteration in (1, 2, 10)]
        store.commit(checkpoint(), source)
        assert list(store.list(training)) == infos

    def test_find_needs_the_id_alone(self, store: CheckpointStore, source: Path) -> None:
        infos = [store.commit(checkpoint(), source) for _ in range(3)]
        assert [store.find(info.id) for info in infos] == infos

    def test_unknown_ones_are_not_found(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        known, other = store.commit(checkpoint(), source), checkpoint()
        ids = [(other.training_id, known.id), (known.training_id, other.id), ("..", known.id), ("../x", "../y")]
        for index, (training_id, checkpoint_id) in enumerate(ids):
            with pytest.raises(NotFound):
                store.fetch(training_id, checkpoint_id, tmp_path / str(index))
        for checkpoint_id in (other.id, "nonsense", "../" + known.id):
            with pytest.raises(NotFound):
                store.find(checkpoint_id)

    def test_delete_is_idempotent(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        training = new_id(Kind.TRAINING)
        gone, kept = (store.commit(checkpoint(training, iteration), source) for iteration in (1, 2))
        store.delete(training, gone.id)
        store.delete(training, gone.id)
        assert list(store.list(training)) == [kept]
        with pytest.raises(NotFound):
            store.fetch(training, gone.id, tmp_path / "gone")
        store.fetch(training, kept.id, tmp_path / "kept")

    def test_clear_takes_all_of_a_training_and_of_no_other(self, store: CheckpointStore, source: Path) -> None:
        training = new_id(Kind.TRAINING)
        infos = [store.commit(checkpoint(training, iteration), source) for iteration in (1, 2)]
        self.damage(store, infos[0])
        other = store.commit(checkpoint(), source)
        for _ in range(2):
            store.clear(training)
        assert list(store.list(training)) == []
        with pytest.raises(NotFound):
            store.find(infos[1].id)
        assert list(store.list(other.training_id)) == [other]

    def test_a_committed_one_is_not_replaced(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        info = store.commit(checkpoint(), source)
        with pytest.raises(Conflict):
            store.commit(info, write(tmp_path / "other", {"a": b"b"}))
        store.fetch(info.training_id, info.id, tmp_path / "target")
        assert read(tmp_path / "target") == FILES

    def test_damage_is_noticed(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        info, healthy = store.commit(checkpoint(), source), store.commit(checkpoint(), source)
        self.damage(store, info)
        with pytest.raises(CheckpointError, match=info.id):
            store.fetch(info.training_id, info.id, tmp_path / "target")
        assert read(tmp_path / "target") == {}
        store.fetch(healthy.training_id, healthy.id, tmp_path / "healthy")

    def test_only_files_are_taken(self, store: CheckpointStore, tmp_path: Path) -> None:
        (tmp_path / "empty" / "folder").mkdir(parents=True)
        with pytest.raises(CheckpointError, match="no files"):
            store.commit(checkpoint(), tmp_path / "empty")
        linked = write(tmp_path / "linked", {"a": b"b"})
        (linked / "link").symlink_to("/etc/passwd")
        info = checkpoint()
        with pytest.raises(CheckpointError, match="not a regular file"):
            store.commit(info, linked)
        assert list(store.list(info.training_id)) == []

    def test_the_target_must_be_empty(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        info = store.commit(checkpoint(), source)
        target = write(tmp_path / "target", {"mine": b"1"})
        with pytest.raises(InvalidRequest, match="empty"):
            store.fetch(info.training_id, info.id, target)
        assert read(target) == {"mine": b"1"}

    def test_sweeping_spares_what_is_committed(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        info = store.commit(checkpoint(), source)
        assert store.sweep(min_age_s=-3600) == 0
        store.fetch(info.training_id, info.id, tmp_path / "target")

    def test_threads_do_not_disturb_each_other(self, store: CheckpointStore, source: Path, tmp_path: Path) -> None:
        training = new_id(Kind.TRAINING)
        with ThreadPoolExecutor(4) as threads:
            infos = list(threads.map(lambda i: store.commit(checkpoint(training, i), source), range(12)))
            fetched = list(threads.map(lambda info: store.fetch(training, info.id, tmp_path / info.id), infos))
        assert fetched == infos == list(store.list(training))
