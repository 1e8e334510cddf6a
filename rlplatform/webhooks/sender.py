"""One HTTP request to a webhook: to a checked address, past proxies, following nothing, reading nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx2

from rlplatform.webhooks.addresses import Forbidden, Resolver, check_url, resolve, system_resolver


class Answer(NamedTuple):
    """Answer of a receiver: its status, and the seconds to wait before a retry."""

    status: int
    retry_after_s: float = 0.0


Send = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]


class Undelivered(Exception):
    """There was no answer, and why."""


class Sender:
    """Sends messages. ``allow_private`` lets them go to any address, and without TLS: for development and tests."""

    def __init__(self, *, allow_private: bool, timeout_s: float, resolver: Resolver = system_resolver) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._tls = ssl.create_default_context()

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message and return the answer.

        Raises:
            Forbidden: it may not be sent there.
            Undelivered: nothing answered in time.
        """
        parts = check_url(url, allow_private=self._allow_private)
        assert parts.hostname is not None
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await resolve(parts.hostname, port, self._resolver, allow_private=self._allow_private)
                address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
                target = parts._replace(netloc=f"{address}:{port}").geturl()
                async with (
                    httpx2.AsyncClient(
                        verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._timeout_s
                    ) as client,
                    client.stream(
                        "POST",
                        target,
                        content=body,
                        headers={**headers, "Host": parts.netloc},
                        extensions={"sni_hostname": parts.hostname},
                    ) as response,
                ):
                    return Answer(response.status_code, _retry_after_s(response.headers))
        except TimeoutError:
            raise Undelivered(f"no answer within {self._timeout_s:g} s") from None
        except httpx2.HTTPError as error:
            raise Undelivered(f"{type(error).__name__}: {error}"[:200]) from None


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds of ``Retry-After`` (RFC 9110, 10.2.3); a date is read by the receiver's own clock; else 0."""
    asked = headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError):
        return 0.0


__all__ = ["Answer", "Forbidden", "Send", "Sender", "Undelivered"]
