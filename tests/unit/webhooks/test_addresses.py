"""Addresses that webhooks may lead to, and every spelling of those that they may not."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.webhooks.addresses import Forbidden, check_url, is_public, resolve, system_resolver

PRIVATE = (
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.7", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1"),
    *("::ffff:169.254.169.254", "::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "2002:c0a8:101::1", "2001:0:0:0:0:0:80ff:fffe"),
    *("64:ff9b::808:808", "64:ff9b:1::a00:1", "fec0::1", "3fff::1", "5f00::1"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1")


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_of_the_open_internet(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.com/",
            "ftp://example.com/",
            "//example.com/",
            "https://",
            "https:///x",
            "example.com",
            "s://x",
        ),
        *(
            "https://user@example.com/",
            "https://a:b@example.com/",
            "https://example.com/#part",
            "https://example.com:0/",
        ),
        *("https://example.com:99999/", "https://[::1/", "https://exa mple.com/", "https://example.com/a\r\nHost: b"),
        *("https://éxample.com/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data"),
        *("https://[::ffff:10.0.0.1]:8443/x", "file:///etc/passwd", "h://x", "https://127.0.0.1"),
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused_by_its_field(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_url(url, allow_private=False)
    assert refused.value.extra["field"] == "url"


def test_private_addresses_are_for_development() -> None:
    assert check_url("http://127.0.0.1:8000/hook?x=1", allow_private=True).port == 8000
    assert check_url("https://example.com/hook", allow_private=False).hostname == "example.com"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1", "localhost"])
async def test_numbers_in_any_spelling_are_resolved_before_they_are_believed(host: str) -> None:
    assert check_url(f"https://{host}/", allow_private=False)
    with pytest.raises(Forbidden):
        await resolve(host, 443, system_resolver, allow_private=False)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_names_that_do_not_resolve_keep_nobody_from_the_loops_own_threads() -> None:
    busy = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    waiting = loop.run_in_executor(None, busy.wait, 60)
    try:
        assert "127.0.0.1" in await asyncio.wait_for(system_resolver("127.0.0.1", 443), 10)
    finally:
        busy.set()
        await waiting


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (["10.0.0.5"], "not public"),
        (["93.184.216.34", "127.0.0.1"], "not public"),
        (["2606:4700:4700::1111", "fe80::1%eth0"], "not public"),
        ([], "no address"),
        (["nonsense"], "cannot be resolved"),
    ],
)
async def test_one_answer_that_is_not_public_is_enough(answers: Sequence[str], why: str) -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return answers

    with pytest.raises(Forbidden, match=why):
        await resolve("example.com", 443, resolver, allow_private=False)
