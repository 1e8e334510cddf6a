"""Address of the platform and the key to use: from arguments, the environment, or ``.rlp/local.json``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from rlplatform.errors import InvalidRequest, NotAuthenticated
from rlplatform.settings import ClientSettings

T = TypeVar("T")

LOCAL_FILE = Path(".rlp/local.json")
_LARGEST = 65_536


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
    """Return the address and the key to use; a key is sent only to the address that it was given with.

    The address is the first of ``url``, ``RLP_URL`` and that of ``.rlp/local.json`` here or in a folder above. The key
    is ``api_key``, or the one that goes with the address: ``RLP_API_KEY`` with ``RLP_URL`` (or with ``url``, where
    ``RLP_URL`` is not set), the local file's with the local file's address.

    Raises:
        InvalidRequest: there is no address, it is not a URL, or the local file cannot be trusted.
        NotAuthenticated: there is no key for the address, or it cannot be sent.
    """
    settings = settings or ClientSettings()
    known = _address(settings.url) if settings.url else None
    asked = _address(url) if url else known
    local = None
    if asked is None or (api_key is None and not _goes_with(settings, known, asked)):
        local = _local(directory or Path.cwd())
    if asked is None and local is None:
        raise InvalidRequest(
            f"no platform to talk to: give its address, set RLP_URL, or work where {LOCAL_FILE} is (from `make run`)",
            field="url",
        )
    if asked is None:
        assert local is not None
        asked = _address(local.url)
        if api_key is not None and api_key != local.api_key and not _is_here(asked):
            raise NotAuthenticated(
                f"the API key was given without an address, and {LOCAL_FILE} names {asked}: give the address too"
            )
        api_key = api_key or local.api_key
    elif api_key is None and _goes_with(settings, known, asked):
        assert settings.api_key is not None
        api_key = settings.api_key.get_secret_value()
    elif api_key is None and local is not None and _address(local.url) == asked:
        api_key = local.api_key
    if not api_key:
        elsewhere = f"; RLP_API_KEY goes with RLP_URL, which is {known}" if settings.api_key and known else ""
        raise NotAuthenticated(f"no API key for {asked}: give one, or set RLP_URL and RLP_API_KEY{elsewhere}")
    if not (api_key.isascii() and api_key.isprintable()):
        raise NotAuthenticated("the API key has characters in it that no key has")
    return Connection(asked, api_key)


def _goes_with(settings: ClientSettings, known: str | None, asked: str) -> bool:
    """True if ``RLP_API_KEY`` is meant for ``asked``: that is ``RLP_URL``, or ``RLP_URL`` is not set."""
    return settings.api_key is not None and known in (None, asked)


def _address(url: str) -> str:
    """Return ``url`` without a trailing slash.

    Raises:
        InvalidRequest: it is not an HTTP address.
    """
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest(f"the address {url!r} must begin with http:// or https://", field="url")
    try:
        httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise InvalidRequest(f"the address {url!r} is not a URL: {error}", field="url") from None
    return url


def _is_here(url: str) -> bool:
    """True if ``url`` names this machine."""
    host = httpx2.URL(url).host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def open_http(client: Callable[..., T], connection: Connection, **options: Any) -> T:
    """Return an HTTP client of the class ``client`` for ``connection``.

    Raises:
        InvalidRequest: the environment names a proxy that cannot be used.
    """
    try:
        headers = {"Authorization": f"Bearer {connection.api_key}"}
        return client(base_url=connection.url, headers=headers, **options)
    except (ImportError, ValueError) as error:
        names = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
        raise InvalidRequest(f"the proxy that {names} names cannot be used: {error}", field="proxy") from None


def find_local_file(directory: Path) -> Path | None:
    """Return the ``.rlp/local.json`` in ``directory`` or the nearest folder above; None if there is none.

    Raises:
        InvalidRequest: one of the folders cannot be read.
    """
    for folder in (directory, *directory.resolve().parents):
        path = folder / LOCAL_FILE
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field="url") from None
    return None


def _local(directory: Path) -> Connection | None:
    path = find_local_file(directory)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            _check_trust(path, os.fstat(file.fileno()), path.parent.stat())
            found = _LocalFile.model_validate_json(file.read(_LARGEST))
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field="url") from None
    except ValidationError:
        raise InvalidRequest(f'{path} is not of the form {{"url": …, "api_key": …}}', field="url") from None
    return Connection(found.url.rstrip("/"), found.api_key)


def _check_trust(path: Path, file: os.stat_result, folder: os.stat_result) -> None:
    """Check that only this user can have written the local file. One unpacked with somebody's code is not trusted.

    Raises:
        InvalidRequest: it belongs to another user, or others may read or write it.
    """
    if not hasattr(os, "geteuid"):
        return
    if file.st_uid != os.geteuid() or folder.st_uid != os.geteuid():
        why = "it belongs to another user"
    elif file.st_mode & 0o077:
        why = f"others may read it (mode {file.st_mode & 0o777:03o}; the platform writes it with 600)"
    elif folder.st_mode & 0o022:
        why = f"others may write its folder (mode {folder.st_mode & 0o777:03o})"
    else:
        return
    raise InvalidRequest(f"{path} is not trusted: {why}; give an address and a key, or remove it", field="url")
