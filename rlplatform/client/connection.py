"""Where the platform is and which key to use: from arguments, the environment, or ``.rlp/local.json``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from rlplatform.errors import InvalidRequest, NotAuthenticated
from rlplatform.settings import ClientSettings

T = TypeVar("T")

LOCAL_FILE = Path(".rlp/local.json")


class Connection(NamedTuple):
    """An address without a trailing slash, and an API key."""

    url: str
    api_key: str


class _LocalFile(BaseModel):
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

    :raises InvalidRequest: there is no address, or one that is none.
    :raises NotAuthenticated: there is no key for it, or one that cannot be sent.
    """
    settings = settings or ClientSettings()
    url = url or settings.url
    api_key = api_key or (settings.api_key.get_secret_value() if settings.api_key else None)
    local = _local(directory or Path.cwd()) if url is None or api_key is None else None
    if url is None and local is not None:
        url = local.url
    if url is None:
        raise InvalidRequest(
            f"no platform to talk to: give its address, set RLP_URL, or work where {LOCAL_FILE} is (from `make run`)",
            field="url",
        )
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest(f"the address {url!r} must begin with http:// or https://", field="url")
    try:
        httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise InvalidRequest(f"the address {url!r} is not a URL: {error}", field="url") from None
    if api_key is None and local is not None and local.url == url:
        api_key = local.api_key
    if api_key is None:
        raise NotAuthenticated(f"no API key for {url}: give one, or set RLP_API_KEY")
    if not (api_key.isascii() and api_key.isprintable()):
        raise NotAuthenticated("the API key has characters in it that no key has")
    return Connection(url, api_key)


def open_http(client: Callable[..., T], connection: Connection, **options: Any) -> T:
    """An HTTP client of the class ``client`` for ``connection``.

    :raises InvalidRequest: the environment names a proxy that cannot be used.
    """
    try:
        headers = {"Authorization": f"Bearer {connection.api_key}"}
        return client(base_url=connection.url, headers=headers, **options)
    except (ImportError, ValueError) as error:
        names = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        raise InvalidRequest(f"the proxy that {names} names cannot be used: {error}", field="proxy") from None


def _local(directory: Path) -> Connection | None:
    for folder in (directory, *directory.resolve().parents):
        path = folder / LOCAL_FILE
        try:
            if path.is_file():
                found = _LocalFile.model_validate_json(path.read_bytes())
                return Connection(found.url.rstrip("/"), found.api_key)
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field="url") from None
        except ValidationError:
            raise InvalidRequest(f'{path} is not of the form {{"url": …, "api_key": …}}', field="url") from None
    return None
