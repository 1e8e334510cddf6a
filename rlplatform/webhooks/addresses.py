"""Addresses that a webhook may lead to: public ones alone, judged by the address that is then connected to.

A name is resolved once, all of its addresses are checked, and the connection is made to one of these: what the name
resolves to afterwards does not matter. Names of numbers in any spelling (decimal, octal, short) are treated alike.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import SplitResult, urlsplit

from rlplatform.errors import InvalidRequest

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # not NAT64 (64:ff9b::/96), nor what was of a site (fec0::/10)
_RESOLVING = ThreadPoolExecutor(32, thread_name_prefix="resolve")
"""Not the loop's own threads, which others need: a name server that does not answer holds one for half a minute."""
_SPECIAL = (  # IETF protocol assignments, and what documentation has
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("2001::/23"),
    ipaddress.IPv6Network("3fff::/20"),
)


class Forbidden(Exception):
    """It is not sent there, and why."""


def check_url(url: str, *, allow_private: bool) -> SplitResult:
    """``url`` in its parts, if it may be a webhook's.

    Raises:
        InvalidRequest: it cannot be; a name's addresses are looked at when something is sent.
    """
    schemes = ("https", "http") if allow_private else ("https",)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequest(f"{url[:100]!r} is not a URL", field="url") from None
    if parts.scheme not in schemes or not host:
        accepted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise InvalidRequest(f"a webhook's URL must begin with {accepted} and have a host", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise InvalidRequest("a webhook's URL takes no credentials, no fragment and no port 0", field="url")
    if any(character <= " " or character == "\x7f" for character in url) or not url.isascii():
        raise InvalidRequest("a webhook's URL is ASCII without white space; encode what is not", field="url")
    if not allow_private:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return parts
        if not is_public(address):
            raise InvalidRequest(f"{host} is not a public address", field="url")
    return parts


async def resolve(host: str, port: int, resolver: Resolver, *, allow_private: bool) -> Sequence[str]:
    """The addresses of ``host``. :raises Forbidden: one of them is not public, or there is none."""
    try:
        found = await resolver(host, port)
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    except (OSError, ValueError) as error:
        raise Forbidden(f"{host} cannot be resolved: {error}") from None
    if not addresses:
        raise Forbidden(f"{host} has no address")
    if not allow_private and not all(map(is_public, addresses)):
        raise Forbidden(f"{host} leads to an address that is not public")
    return [str(address) for address in addresses]


def is_public(address: _Address) -> bool:
    """Return True if ``address``, and an IPv4 address that is packed in it, is one of the open internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:  # versions of Python differ about the rest of it
            return is_public(address.sixtofour)
        if address not in _GLOBAL_UNICAST:
            return False
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not (address.is_multicast or address.is_reserved or special)


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the machine's own resolver gives."""
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVING, look_up)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
