"""The platform's own key: one that was rotated, revoked or given an end is replaced while the platform runs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from cluster.local_key import KeyKeeper, LocalKey
from rlplatform.access.api_keys import ApiKeyService, key_id_of
from rlplatform.errors import NotAuthenticated
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
PEPPER = SecretStr("pepper")


async def test_the_key_of_the_last_time_is_kept_if_it_holds(tmp_path: Path) -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    key = LocalKey(tmp_path / "key", PEPPER, clock)
    first = await key.get(store)
    assert await key.get(store) == first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "key").write_text("nonsense")
    assert await key.get(store) != first


@pytest.mark.parametrize("how", ["rotated", "rotated at once", "revoked"])
async def test_a_key_that_ends_is_replaced_before_it_is_dead(tmp_path: Path, how: str) -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    ring = ApiKeyService(store, PEPPER, clock)
    key = LocalKey(tmp_path / "key", PEPPER, clock)
    first = await key.get(store)
    record = await store.get_key(key_id_of(first))
    assert record is not None
    if how == "revoked":
        await ring.revoke(record)
    else:
        await ring.rotate(record, 3600 if how == "rotated" else 0)
    second = await key.get(store)
    assert second != first
    await clock.advance(7200)
    assert (await ring.authenticate(second)).tenant == "local"
    with pytest.raises(NotAuthenticated):
        await ring.authenticate(first)
    assert await key.get(store) == second


async def test_the_keeper_passes_on_what_replaces_the_key(tmp_path: Path) -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    key = LocalKey(tmp_path / "key", PEPPER, clock)
    first = await key.get(store)
    found: list[str] = []
    told = threading.Event()

    def changed(text: str) -> None:
        found.append(text)
        told.set()

    keeper = KeyKeeper(key, lambda: store, first, changed, check_s=0.01)
    try:
        record = await store.get_key(key_id_of(first))
        assert record is not None
        await ApiKeyService(store, PEPPER, clock).rotate(record, 3600)
        assert told.wait(10)
    finally:
        keeper.close()
    assert found == [(tmp_path / "key").read_text()]
    assert found != [first]
