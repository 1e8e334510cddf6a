"""Real requests to a server of our own: where they go, and what is not followed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rlplatform.webhooks.addresses import Forbidden
from rlplatform.webhooks.sender import Sender, Undelivered

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def certified(name: str, folder: Path) -> ssl.SSLContext:
    """TLS of a server that is ``name``, whose certificate ``folder/ca.pem`` vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    (folder / "server.pem").write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@asynccontextmanager
async def listening(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port that answers every request with ``answer`` (nothing, if that is empty), and the requests it got."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], got


def sender(allow_private: bool = True, addresses: Sequence[str] = ("127.0.0.1",), timeout_s: float = 5.0) -> Sender:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return addresses

    return Sender(allow_private=allow_private, timeout_s=timeout_s, resolver=resolver)


async def test_it_goes_to_the_address_that_was_checked_under_the_name_that_was_given() -> None:
    async with listening(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, got):
        url = f"http://hooks.example:{port}/a/b?c=d"
        assert await sender()(url, {"webhook-id": "msg_1", "Content-Type": "application/json"}, b"{}") == (204, 0.0)
    head = got[0].decode().lower()
    assert head.startswith("post /a/b?c=d http/1.1\r\n")
    assert f"host: hooks.example:{port}\r\n" in head
    assert head.count("host:") == 1
    assert "webhook-id: msg_1" in head


async def test_whoever_answers_must_be_certified_for_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certified("hooks.example", tmp_path)
    async with listening(b"HTTP/1.1 204 No Content\r\n\r\n", tls) as (port, got):
        with pytest.raises(Undelivered, match="self-signed certificate"):
            await sender()(f"https://hooks.example:{port}/", {}, b"{}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert (await sender()(f"https://hooks.example:{port}/", {}, b"{}")).status == 204
        with pytest.raises(Undelivered, match="Hostname mismatch"):
            await sender()(f"https://other.example:{port}/", {}, b"{}")
    assert len(got) == 1


async def test_redirects_are_answers_and_not_followed() -> None:
    async with listening(b"HTTP/1.1 204 No Content\r\n\r\n") as (inner, got):
        location = f"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(location) as (port, _):
            assert (await sender()(f"http://hooks.example:{port}/", {}, b"{}")).status == 307
        assert got == []


@pytest.mark.parametrize(
    ("headers", "asked_s"),
    [
        ("Retry-After: 120", 120),
        ("Date: Sat, 28 Nov 2026 12:00:00 GMT\r\nRetry-After: Sat, 28 Nov 2026 12:01:30 GMT", 90),
        ("Date: Sat, 28 Nov 2026 12:00:00 GMT\r\nRetry-After: Sat, 28 Nov 2026 11:00:00 GMT", 0),
        ("Retry-After: Sat, 28 Nov 2026 12:01:30 GMT", 0),
        ("Date: Sat, 28 Nov 2026 12:00:00 GMT\r\nRetry-After: Sat, 28 Nov 2026 12:01:30 -0000", 0),
        ("Retry-After: -5", 0),
        ("Retry-After: soon", 0),
    ],
)
async def test_how_long_a_receiver_asks_to_be_left_alone(headers: str, asked_s: float) -> None:
    answer = f"HTTP/1.1 503 x\r\n{headers}\r\nContent-Length: 0\r\n\r\n".encode()
    async with listening(answer) as (port, _):
        assert await sender()(f"http://hooks.example:{port}/", {}, b"{}") == (503, asked_s)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, _):
        assert (await sender()(f"http://hooks.example:{port}/", {}, b"{}")).status == 200


async def test_a_private_answer_is_not_connected_to() -> None:
    async with listening(b"HTTP/1.1 200 OK\r\n\r\n") as (port, got):
        with pytest.raises(Forbidden, match="not public"):
            await sender(allow_private=False)(f"https://hooks.example:{port}/", {}, b"{}")
        assert got == []


async def test_a_body_without_an_end_is_not_read() -> None:
    async with listening(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 1000) as (
        port,
        _,
    ):
        assert (await sender()(f"http://hooks.example:{port}/", {}, b"{}")).status == 200


async def test_silence_and_refusal_are_told_apart_from_answers() -> None:
    async with listening(b"") as (port, _):
        with pytest.raises(Undelivered, match="no answer within"):
            await sender(timeout_s=0.2)(f"http://hooks.example:{port}/", {}, b"{}")
    with pytest.raises(Undelivered, match="ConnectError"):
        await sender()(f"http://hooks.example:{port}/", {}, b"{}")
