"""Files are stored once a viewer, within the quota, and removed once nothing refers to them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rlplatform.access.principals import Principal, Role
from rlplatform.errors import (
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    QuotaExceeded,
    StorageError,
    TooLarge,
)
from rlplatform.files.ledger import FileLedger
from rlplatform.files.models import FileInfo, check_name, media_type_of
from rlplatform.files.service import FileService
from rlplatform.ids import Kind, new_id
from rlplatform.settings import FileSettings, RetentionSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.store import Document
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.files import MemoryFiles

pytestmark = pytest.mark.anyio

DAY_S = 86_400.0


def principal(role: Role, name: str, tenant: str = "school") -> Principal:
    return Principal(id=name, tenant=tenant, scopes=role.scopes)


STAFF = principal(Role.INSTRUCTOR, "key_staff")
ALICE, BOB = principal(Role.LEARNER, "key_alice"), principal(Role.LEARNER, "key_bob")
RESEARCHER = principal(Role.RESEARCHER, "key_researcher")
STRANGER = principal(Role.INSTRUCTOR, "key_stranger", "elsewhere")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class DistantStore(MemoryStore):
    """Others get their turn between a question and its answer."""

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        await asyncio.sleep(0)
        return await super().get_document(kind, document_id)

    async def add_document(self, document: Document) -> Document:
        await asyncio.sleep(0)
        return await super().add_document(document)


class Rig:
    """A service over a store and a storage in memory."""

    def __init__(self, quota: int | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.store = DistantStore(self.clock)
        self.storage = MemoryFiles()
        self.quota = quota
        self.users: dict[str, str] = {}
        self.service = FileService(
            self.store,
            self.storage,
            self.clock,
            FileSettings.model_validate(settings),
            limit=self._limit,
            in_use=self._in_use,
        )

    async def _limit(self, tenant: str) -> int | None:
        return self.quota

    async def _in_use(self, tenant: str, file_id: str) -> str | None:
        return self.users.get(file_id)

    async def put(self, content: bytes, by: Principal = STAFF, name: str = "f", **more: Any) -> tuple[FileInfo, bool]:
        return await self.service.upload(name, None, by, chunks(content), **more)

    async def used(self, tenant: str = "school") -> int:
        return (await FileLedger(self.store, self.clock).usage(tenant)).total_bytes

    async def read(self, file_id: str, by: Principal = STAFF) -> bytes:
        reader = await self.service.open(file_id, by)
        return reader.read_at(0, reader.size_bytes)

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    async def sweep(self, **retention: Any) -> int:
        return await self.service.sweep(RetentionSettings.model_validate(retention))


async def chunks(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def test_an_upload_is_described_and_read_back() -> None:
    rig = Rig()
    info, new = await rig.put(b"hello world", name="words.txt")
    assert new
    assert info.name == "words.txt"
    assert info.size_bytes == 11
    assert info.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert info.media_type == "text/plain"
    assert await rig.service.find(info.id, STAFF) == info
    assert await rig.read(info.id) == b"hello world"
    assert await rig.used() == 11


async def test_equal_bytes_of_a_tenant_are_one_file() -> None:
    rig = Rig()
    first, _ = await rig.put(b"same", name="a")
    second, new = await rig.put(b"same", by=RESEARCHER, name="b")
    assert (second, new) == (first, False)
    assert await rig.used() == 4
    other, new = await rig.put(b"same", by=STRANGER)
    assert new
    assert other.id != first.id


async def test_a_learner_does_not_find_out_that_somebody_else_has_the_same_bytes() -> None:
    rig = Rig()
    hidden, _ = await rig.put(b"the expected output")
    guess, new = await rig.put(b"the expected output", by=ALICE)
    assert new
    assert guess.id != hidden.id
    assert (await rig.put(b"the expected output", by=ALICE)) == (guess, False)
    assert (await rig.put(b"the expected output", by=BOB))[1]
    assert len(rig.storage.contents) == 1, "the bytes are stored once all the same"


async def test_files_are_seen_by_their_owner_and_by_who_may_read_the_tenants_runs() -> None:
    rig = Rig()
    mine, _ = await rig.put(b"x", by=ALICE)
    for who in (ALICE, STAFF, RESEARCHER):
        assert (await rig.service.find(mine.id, who)) == mine
        assert (await rig.service.list(who))[0] == [mine]
    for who in (BOB, STRANGER):
        for act in (rig.service.find, rig.service.open, rig.service.delete):
            with pytest.raises(NotFound, match="no such file"):
                await act(mine.id, who)
        with pytest.raises(NotFound):
            await rig.service.check([mine.id], who)
        assert (await rig.service.list(who))[0] == []
    for nonsense in ("", "x", "file_", "../etc/passwd", new_id(Kind.FILE), new_id(Kind.POLICY)):
        with pytest.raises(NotFound):
            await rig.service.find(nonsense, STAFF)


async def test_lists_come_in_pages_newest_first() -> None:
    rig = Rig()
    made = [(await rig.put(b"%d" % number))[0] for number in range(5)]
    page, cursor = await rig.service.list(STAFF, limit=2)
    assert sorted(page, key=lambda info: info.id, reverse=True) == page
    rest, end = await rig.service.list(STAFF, before=cursor, limit=10)
    assert end is None
    assert {info.id for info in (*page, *rest)} == {info.id for info in made}


async def test_a_file_over_the_size_limit_is_refused_early_and_leaves_nothing() -> None:
    rig = Rig(max_bytes=10)
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * (1 << 20)

    with pytest.raises(TooLarge, match="10 bytes"):
        await rig.service.upload("f", None, STAFF, endless())
    assert len(sent) == 1
    with pytest.raises(TooLarge):
        await rig.service.upload("f", None, STAFF, endless(), declared_bytes=11)
    assert len(sent) == 1, "an announced size is refused before anything is read"
    assert rig.storage.pending == []
    assert (await rig.put(b"0123456789"))[0].size_bytes == 10


async def test_the_quota_is_of_all_files_of_the_tenant() -> None:
    rig = Rig(quota=10)
    first, _ = await rig.put(b"123456")
    with pytest.raises(QuotaExceeded, match=r"no room for 5 more: 6 of 10") as caught:
        await rig.put(b"abcde")
    assert caught.value.extra["quota"] == "file_bytes"
    assert (await rig.put(b"abcd"))[1], "exactly the quota"
    with pytest.raises(QuotaExceeded):
        await rig.put(b"!")
    assert await rig.put(b"123456") == (first, False), "equal bytes take no room"


async def test_an_upload_that_cannot_fit_is_refused_before_all_of_it_has_come() -> None:
    rig = Rig(quota=3 << 20)
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * (1 << 20)

    with pytest.raises(QuotaExceeded):
        await rig.service.upload("f", None, STAFF, endless())
    assert len(sent) == 4
    with pytest.raises(QuotaExceeded):
        await rig.service.upload("f", None, STAFF, endless(), declared_bytes=4 << 20)
    assert len(sent) == 4
    assert rig.storage.pending == []


@pytest.mark.parametrize("count", [2, 20])
async def test_uploads_side_by_side_never_exceed_the_quota(count: int) -> None:
    rig = Rig(quota=10 * (count // 2))
    done = await asyncio.gather(*(rig.put(b"%010d" % number) for number in range(count)), return_exceptions=True)
    stored = [one for one in done if not isinstance(one, BaseException)]
    assert all(isinstance(one, tuple | QuotaExceeded) for one in done)
    assert len(stored) == count // 2
    assert await rig.used() == 10 * len(stored)
    assert len((await rig.service.list(STAFF))[0]) == len(stored)


async def test_equal_uploads_side_by_side_are_one_file() -> None:
    rig = Rig()
    done = await asyncio.gather(*(rig.put(b"same bytes") for _ in range(20)))
    assert len({info.id for info, _ in done}) == 1
    assert [new for _, new in done].count(True) == 1
    assert await rig.used() == 10
    assert len((await rig.service.list(STAFF))[0]) == 1
    assert rig.storage.pending == []


async def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    rig = Rig()

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * (2 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await rig.service.upload("f", None, STAFF, broken())
    assert rig.storage.pending == []
    assert rig.storage.contents == {}
    assert await rig.used() == 0


async def test_a_cancelled_upload_leaves_nothing() -> None:
    rig = Rig()
    began = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"x" * (2 << 20)
        began.set()
        await asyncio.Event().wait()

    uploading = asyncio.ensure_future(rig.service.upload("f", None, STAFF, stalled()))
    await began.wait()
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert rig.storage.pending == []
    assert await rig.used() == 0


class _Refuses(MemoryFiles):
    """A storage that takes nothing."""

    def begin(self) -> Any:
        upload = super().begin()
        upload.commit = self._refuse
        return upload

    def _refuse(self, *_: object) -> None:
        raise StorageError("the disk is full")


async def test_a_storage_that_refuses_costs_no_quota() -> None:
    rig = Rig()
    rig.service = FileService(rig.store, _Refuses(), rig.clock)
    with pytest.raises(StorageError, match="the disk is full"):
        await rig.put(b"x")
    assert await rig.used() == 0
    assert (await rig.service.list(STAFF))[0] == []


async def test_deleting_a_file_frees_its_room() -> None:
    rig = Rig(quota=4)
    info, _ = await rig.put(b"1234")
    await rig.service.delete(info.id, STAFF)
    assert await rig.used() == 0
    for act in (rig.service.find, rig.service.open, rig.service.delete):
        with pytest.raises(NotFound):
            await act(info.id, STAFF)
    again, new = await rig.put(b"1234")
    assert new
    assert again.id != info.id
    assert await rig.read(again.id) == b"1234"


async def test_deletions_side_by_side_free_their_room_once_each() -> None:
    rig = Rig()
    made = [(await rig.put(b"%d" % number))[0] for number in range(8)]
    await asyncio.gather(*(rig.service.delete(info.id, STAFF) for info in made[:4]))
    assert await rig.used() == 4


async def test_only_the_owner_and_the_tenants_administrators_delete_a_file() -> None:
    rig = Rig()
    info, _ = await rig.put(b"x", by=ALICE)
    with pytest.raises(NotAllowed):
        await rig.service.delete(info.id, RESEARCHER)
    await rig.service.delete(info.id, ALICE)
    info, _ = await rig.put(b"x", by=ALICE)
    await rig.service.delete(info.id, STAFF)


async def test_a_file_in_use_is_not_deleted() -> None:
    rig = Rig()
    info, _ = await rig.put(b"x")
    rig.users[info.id] = "eval_1"
    with pytest.raises(Conflict, match="eval_1"):
        await rig.service.delete(info.id, STAFF)
    assert await rig.read(info.id) == b"x"
    assert await rig.used() == 1
    rig.users.clear()
    await rig.service.delete(info.id, STAFF)


async def test_a_request_checked_before_a_deletion_still_finds_the_bytes() -> None:
    rig = Rig()
    info, _ = await rig.put(b"x")
    await rig.service.check([info.id], STAFF)
    await rig.service.delete(info.id, STAFF)
    assert (await rig.service.resolve([info.id], "school")) == {info.id: info}
    assert rig.storage.contents
    with pytest.raises(NotFound):
        await rig.service.resolve([info.id], "elsewhere")
    rig.users[info.id] = "eval_1"
    await rig.advance(2 * 3600)
    assert await rig.sweep() == 0, "a queued evaluation refers to it"
    rig.users.clear()
    assert await rig.sweep() == 1
    assert rig.storage.contents == {}
    with pytest.raises(NotFound):
        await rig.service.resolve([info.id], "school")


async def test_bytes_stay_while_another_file_has_the_same() -> None:
    rig = Rig()
    mine, _ = await rig.put(b"same", by=ALICE)
    theirs, _ = await rig.put(b"same", by=BOB)
    await rig.service.delete(mine.id, ALICE)
    await rig.advance(2 * 3600)
    assert await rig.sweep() == 1
    assert await rig.read(theirs.id) == b"same"
    await rig.service.delete(theirs.id, BOB)
    await rig.advance(2 * 3600)
    assert await rig.sweep() == 1
    assert rig.storage.contents == {}


async def test_an_upload_waits_while_equal_bytes_are_erased() -> None:
    rig = Rig()
    old, _ = await rig.put(b"same")
    await rig.service.delete(old.id, STAFF)
    await rig.advance(2 * 3600)
    waiting: list[asyncio.Future[Any]] = []
    delete = rig.storage.delete
    loop = asyncio.get_running_loop()

    def meanwhile(tenant: str, sha256: str) -> None:
        waiting.append(asyncio.run_coroutine_threadsafe(rig.put(b"same"), loop))  # type: ignore[arg-type]
        while not rig.clock.sleeping:
            pass
        delete(tenant, sha256)

    rig.storage.delete = meanwhile  # type: ignore[method-assign]
    assert await rig.sweep() == 1
    await rig.advance(1)
    new, fresh = await asyncio.wrap_future(waiting[0])  # type: ignore[arg-type]
    assert fresh
    assert await rig.read(new.id) == b"same"


async def test_files_are_kept_for_ever_unless_a_time_is_set() -> None:
    rig = Rig()
    info, _ = await rig.put(b"x")
    await rig.advance(1000 * DAY_S)
    assert await rig.sweep() == 0
    assert await rig.sweep(evaluation_days=1) == 0
    assert await rig.read(info.id) == b"x"


async def test_an_unused_file_is_removed_when_its_days_are_over() -> None:
    rig = Rig()
    old, _ = await rig.put(b"old")
    await rig.advance(6 * DAY_S)
    young, _ = await rig.put(b"young")
    await rig.advance(DAY_S)
    rig.users[old.id] = "eval_1"
    assert await rig.sweep(file_days=7) == 0, "a queued evaluation refers to it"
    rig.users.clear()
    assert await rig.sweep(file_days=7) == 1
    with pytest.raises(NotFound):
        await rig.service.find(old.id, STAFF)
    assert await rig.read(young.id) == b"young"
    assert await rig.used() == 5


async def test_a_file_stays_as_long_as_evaluations_that_refer_to_it() -> None:
    rig = Rig()
    info, _ = await rig.put(b"x")
    await rig.advance(5 * DAY_S)
    await rig.service.check([info.id], STAFF)
    await rig.advance(30 * DAY_S)
    assert await rig.sweep(file_days=7) == 0, "evaluations are kept for ever"
    assert await rig.sweep(file_days=7, evaluation_days=29) == 0
    assert await rig.sweep(file_days=7, evaluation_days=20) == 1


async def test_the_sweep_counts_again_after_a_process_died() -> None:
    rig = Rig()
    await rig.put(b"1234")
    ledger = FileLedger(rig.store, rig.clock)
    await ledger.reserve("school", "file_lost", 100, None)
    assert await rig.used() == 104
    await rig.sweep()
    assert await rig.used() == 104, "it may still be going on"
    await rig.advance(2 * 3600)
    await rig.sweep()
    assert await rig.used() == 4


async def test_damage_is_our_failure() -> None:
    rig = Rig()
    info, _ = await rig.put(b"1234")
    rig.storage.contents["school", info.sha256] = b"123"
    with pytest.raises(StorageError, match="damaged"):
        await rig.service.open(info.id, STAFF)
    rig.storage.contents.clear()
    with pytest.raises(StorageError, match="gone"):
        await rig.service.open(info.id, STAFF)


@pytest.mark.parametrize("name", ["weights.npz", "naïve name (2).txt", "…", "a" * 255, ".hidden", "日本語"])
def test_plain_names_are_accepted(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "../../etc/passwd", "a\\b", "a\0b", "a\nb", "a\x1b[2J", "a" * 256, "é" * 128, "\ud800"],
)
def test_names_that_are_paths_or_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_name(name)
    assert caught.value.extra["field"] == "name"


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        (None, "a.zip", "application/zip"),
        ("application/x-www-form-urlencoded", "a.txt", "text/plain"),
        ("application/octet-stream", "a.unknown", "application/octet-stream"),
        ("Text/CSV; charset=utf-8", "a.zip", "text/csv"),
        ("application/x-zip-compressed", "a", "application/zip"),
    ],
)
def test_media_types(given: str | None, name: str, expected: str) -> None:
    assert media_type_of(given, name) == expected


@pytest.mark.parametrize("given", ["text", "text/", "/x", "a b/c", "text/html\r\nX: y", "x/" + "y" * 200])
def test_media_types_that_are_none_are_refused(given: str) -> None:
    with pytest.raises(InvalidRequest, match="not a media type"):
        media_type_of(given, "f")
