"""Where the platform is and which key to use: from arguments, the environment, or ``.rlp/local.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from rlplatform.errors import InvalidRequest, NotAuthenticated
from rlplatform.settings import ClientSettings

LOCAL_FILE = Path(".rlp/local.json")


class Connection(NamedTuple):
    """An address without a trailing slash, and an API key."""

    url: str
    api_key: str


def find_connection(
    url: str | None = None,
    api_key: str | None = None,
    *,
    settings: ClientSettings | None = None,
    directory: Path | None = None,
) -> Connection:
    """The first of: the arguments, ``RLP_URL`` and ``RLP_API_KEY``, ``.rlp/local.json`` here or in a folder above.

    The local file's key is used for the local file's address alone.

    :raises InvalidRequest: there is no address.
    :raises NotAuthenticated: there is no key for it.
    """
    settings = settings or ClientSettings()
    local = _local(directory or Path.cwd())
    url = url or settings.url or (local.url if local else None)
    if url is None:
        raise InvalidRequest(
            f"no platform to talk to: give its address, set RLP_URL, or work where {LOCAL_FILE} is (from `make run`)",
            field="url",
        )
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest(f"the address {url!r} must begin with http:// or https://", field="url")
    api_key = api_key or (settings.api_key.get_secret_value() if settings.api_key else None)
    if api_key is None and local is not None and local.url == url:
        api_key = local.api_key
    if api_key is None:
        raise NotAuthenticated(f"no API key for {url}: give one, or set RLP_API_KEY")
    return Connection(url, api_key)


def _local(directory: Path) -> Connection | None:
    for folder in (directory, *directory.resolve().parents):
        path = folder / LOCAL_FILE
        if path.is_file():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                return Connection(found["url"].rstrip("/"), found["api_key"])
            except (OSError, ValueError, KeyError) as error:
                raise InvalidRequest(f"{path} cannot be read: {error!r}", field="url") from error
    return None
