"""The key of the platform on this machine, which ``local.json`` holds: kept valid for as long as the platform runs."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from rlplatform.access.api_keys import ApiKeyService, key_id_of
from rlplatform.access.principals import Scope
from rlplatform.clock import Clock
from rlplatform.errors import PlatformError
from rlplatform.store import Store

CHECK_S = 15.0


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # of one that was left there
        file.write(text)
    part.replace(path)


class LocalKey:
    """An API key without an end, kept in a file. One that was rotated, revoked or given an end is replaced."""

    def __init__(self, file: Path, pepper: SecretStr, clock: Clock) -> None:
        self._file = file
        self._pepper = pepper
        self._clock = clock

    async def get(self, store: Store) -> str:
        """Return the key of the file if it holds and has no end, else a new one, written there."""
        ring = ApiKeyService(store, self._pepper, self._clock)
        with suppress(OSError, PlatformError):
            text = self._file.read_text()
            await ring.authenticate(text)
            key = await store.get_key(key_id_of(text))
            if key is not None and key.expires_at is None:
                return text
        _, text = await ring.create(tenant="local", name="local", scopes=list(Scope))
        write_private(self._file, text)
        return text


class KeyKeeper:
    """Looks at the local key again and again, in a thread, and passes on the one that replaces it."""

    def __init__(
        self,
        key: LocalKey,
        open_store: Callable[[], Store],
        current: str,
        changed: Callable[[str], None],
        check_s: float = CHECK_S,
    ) -> None:
        self._key = key
        self._open_store = open_store
        self._current = current
        self._changed = changed
        self._check_s = check_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="local-key", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking. Idempotent."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._check_s):
            with suppress(PlatformError, OSError):  # the store is away: there will be another time
                asyncio.run(self._look())

    async def _look(self) -> None:
        store = self._open_store()
        try:
            text = await self._key.get(store)
        finally:
            await store.close()
        if text != self._current:
            self._changed(text)
            self._current = text
