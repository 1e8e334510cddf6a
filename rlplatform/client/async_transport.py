"""Connection to a platform on asyncio: sends calls, repeats them, reads pages, downloads and event streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from pydantic import BaseModel

from rlplatform.client.call import POLICY_WAIT_S, Call, T, failure, reads
from rlplatform.client.connection import find_connection, open_http
from rlplatform.client.downloads import PartialDownload, saving
from rlplatform.client.event_cursor import EventCursor
from rlplatform.client.retry import AsyncSleep, Retry
from rlplatform.client.uploads import Source, Upload
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.runs.events import Event
from rlplatform.runs.pages import Page

Item = TypeVar("Item", bound=BaseModel)

TIMEOUT_S = 30.0


class AsyncTransport:
    """Base of the client's resources. It knows HTTP, and none of the platform's documents."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retry: Retry | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: AsyncSleep = asyncio.sleep,
    ) -> None:
        connection = find_connection(url, api_key)
        self.url = connection.url
        self._retry = retry or Retry()
        self._sleep = sleep
        self._http = open_http(httpx2.AsyncClient, connection, timeout=TIMEOUT_S, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._http.aclose()

    async def _send(self, call: Call[T], upload: Upload | None = None) -> T:
        """Send a call, with the body of ``upload`` if there is one; again if that fails for a passing reason."""
        attempt = 1
        while True:
            try:
                if upload is None:
                    return await self._send_once(call)
                with upload.opened() as source:
                    return await self._send_once(call, source)
            except PlatformError as error:
                delay = self._retry.delay_s(attempt, error) if call.repeatable else None
                if delay is None:
                    raise
                await self._sleep(delay)
                attempt += 1

    async def _send_once(self, call: Call[T], source: Source | None = None) -> T:
        sent = {} if source is None else {"Content-Length": str(source.size_bytes)}
        try:
            response = await self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body if source is None else _chunks(source),
                headers={**call.headers, **sent},
                timeout=TIMEOUT_S + call.wait_s,
            )
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        if response.status_code not in call.accepted:
            raise await _failure(response)
        return call.read(response.content)

    async def _pages(
        self, path: str, page: type[Page[Item]], page_size: int, filters: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Item]:
        """Yield the items of a list; each page is fetched when it is needed."""
        params: dict[str, Any] = {**(filters or {}), "limit": page_size}
        while True:
            found = await self._send(Call("GET", path, reads(page), params))
            for item in found.items:
                yield item
            if found.next_cursor is None:
                return
            params = params | {"cursor": found.next_cursor}

    async def _download(self, path: str, target: Path, progress: Callable[[int, int], None] | None) -> Path:
        try:
            async with self._http.stream("GET", path, timeout=TIMEOUT_S + POLICY_WAIT_S) as response:
                if response.status_code != 200:
                    raise await _failure(response)
                received = 0
                with saving(target) as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
                        received += len(chunk)
                        if progress is not None:
                            progress(received, int(response.headers.get("content-length", 0)))
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        return target

    async def _download_resumably(self, path: str, target: Path, progress: Callable[[int, int], None] | None) -> Path:
        """Save what the server names by its SHA-256. A lost connection, or an earlier call, is continued."""
        part = PartialDownload(target)
        attempt = 1
        while True:
            try:
                await self._download_rest(path, part, progress)
                return part.complete()
            except httpx2.TransportError as error:
                failed: PlatformError = self._unreachable(error)
            except PlatformError as error:
                failed = error
            delay = self._retry.delay_s(attempt, failed)
            if delay is None:
                raise failed
            await self._sleep(delay)
            attempt += 1

    async def _download_rest(
        self, path: str, part: PartialDownload, progress: Callable[[int, int], None] | None
    ) -> None:
        timeout = TIMEOUT_S + POLICY_WAIT_S
        async with self._http.stream("GET", path, headers=dict(part.headers), timeout=timeout) as response:
            if response.status_code == 416:  # what is there is no beginning of the content
                part.discard()
                raise httpx2.RemoteProtocolError("the part that was received does not fit")
            if response.status_code not in (200, 206):
                raise await _failure(response)
            with part.open(response.status_code, response.headers.get("etag", "")) as file:
                received = file.tell()
                total = received + int(response.headers.get("content-length", 0))
                async for chunk in response.aiter_bytes():
                    file.write(chunk)
                    received += len(chunk)
                    if progress is not None:
                        progress(received, total)

    async def _stream(self, path: str, cursor: EventCursor) -> AsyncGenerator[Event]:
        """Yield the events of one connection, from behind the cursor until it closes or the stream ends."""
        timeout = httpx2.Timeout(TIMEOUT_S, read=cursor.patience_s())
        async with self._http.sse(path, params=cursor.params, headers=cursor.headers, timeout=timeout) as source:
            if source.response.status_code == 204:
                cursor.done = True
                return
            if source.response.status_code != 200:
                raise await _failure(source.response)
            cursor.connected()
            async for message in source:
                event = cursor.take(message)
                if event is not None:
                    yield event
                if cursor.done:
                    return

    def _unreachable(self, error: httpx2.TransportError) -> Unavailable:
        return Unavailable(f"nothing answers at {self.url} ({error or type(error).__name__}); is the platform running?")


async def _chunks(source: Source) -> AsyncIterator[bytes]:
    while chunk := source.take():
        yield chunk


async def _failure(response: httpx2.Response) -> PlatformError:
    body = await response.aread()
    return failure(response.status_code, response.headers.get("content-type", ""), body)
