"""Calls over a Unix socket, in one process."""

from __future__ import annotations

import asyncio
import logging
import socket
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors.rpc.serialization import pack_value
from actors.rpc.unix_rpc import Address, UnixRpcClient, UnixRpcServer
from rlplatform.errors import Conflict, NotFound, PlatformError, ServiceError, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Actors and replicas run on uvloop, drivers on asyncio."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


class Unsayable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Clerk:
    """The object that is called."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.done: list[str] = []

    def greet(self, name: str, *, loud: bool = False) -> str:
        return name.upper() if loud else name

    async def echo(self, value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def wait(self, name: str) -> str:
        await self.go_on.wait()
        self.done.append(name)
        return name

    def refuse(self) -> None:
        raise NotFound("no such thing", field="thing")

    def fail(self) -> None:
        raise KeyError("lost")

    async def give_up(self) -> None:
        raise asyncio.CancelledError

    def unpackable(self) -> object:
        return lambda: None

    def refuse_with_a_lock(self) -> None:
        raise Conflict("held", lock=threading.Lock())

    def fail_unsayably(self) -> None:
        raise Unsayable


class Exchange:
    """A clerk, where it listens, and a line to it."""

    def __init__(self, clerk: Clerk, address: Address, line: UnixRpcClient) -> None:
        self.clerk, self.address, self.line = clerk, address, line

    def hang_up(self) -> None:
        """End the connection at once, as the end of the actor's process does."""
        self.line._writer.transport.abort()


async def listen(listener: UnixRpcServer, path: Path) -> Address:
    assert await listener.open(path) == str(path)
    return Address("here", str(path), listener.token)


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    clerk = Clerk()
    listener = UnixRpcServer(clerk)
    address = await listen(listener, tmp_path / "state" / "clerk.sock")
    line = await UnixRpcClient.open(address)
    yield Exchange(clerk, address, line)
    line.close()
    listener.close()
    await asyncio.sleep(0.01)


async def test_methods_are_called_plain_and_as_coroutines(exchange: Exchange) -> None:
    assert await exchange.line.call("greet", "ann") == "ann"
    assert await exchange.line.call("greet", "ann", loud=True) == "ANN"
    assert await exchange.line.call("echo", {"a": (1, b"2")}) == {"a": (1, b"2")}


async def test_what_is_large_arrives_whole(exchange: Exchange) -> None:
    text = "x" * 5_000_000
    assert await exchange.line.call("echo", text) == text


async def test_many_at_once_get_their_own_answers_however_long_others_take(exchange: Exchange) -> None:
    slow = asyncio.create_task(exchange.line.call("wait", "slow"))
    assert await asyncio.gather(*(exchange.line.call("echo", n) for n in range(200))) == list(range(200))
    assert not slow.done()
    exchange.clerk.go_on.set()
    assert await slow == "slow"


async def test_our_errors_arrive_as_they_are_and_others_as_failures(exchange: Exchange) -> None:
    with pytest.raises(NotFound, match="no such thing") as caught:
        await exchange.line.call("refuse")
    assert caught.value.extra == {"field": "thing"}
    for method, told in {
        "fail": "fail failed: KeyError: 'lost'",
        "give_up": "give_up failed: CancelledError",
        "unpackable": "unpackable failed",
        "none_such": "none_such failed: AttributeError",
        "refuse_with_a_lock": "refuse_with_a_lock failed: Conflict",
        "fail_unsayably": "fail_unsayably failed: Unsayable",
    }.items():
        with pytest.raises(ServiceError, match=told):
            await asyncio.wait_for(exchange.line.call(method), 5)
    assert not exchange.line.gone


async def test_where_a_bug_is_the_log_says(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ServiceError):
        await exchange.line.call("fail")
    assert 'raise KeyError("lost")' in caplog.text
    caplog.clear()
    with caplog.at_level(logging.ERROR), pytest.raises(NotFound):
        await exchange.line.call("refuse")
    assert caplog.text == ""


async def test_arguments_that_cannot_be_packed_are_the_callers_error(exchange: Exchange) -> None:
    with pytest.raises(Exception, match="pickle") as caught:
        await exchange.line.call("echo", lambda: None)
    assert not isinstance(caught.value, PlatformError)
    assert await exchange.line.call("echo", 1) == 1


async def test_a_call_whose_caller_is_cancelled_goes_on(exchange: Exchange) -> None:
    calling = asyncio.create_task(exchange.line.call("wait", "alone"))
    assert await exchange.line.call("echo", 1) == 1
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    exchange.clerk.go_on.set()
    assert await exchange.line.call("wait", "later") == "later"
    assert exchange.clerk.done == ["alone", "later"]
    assert exchange.line._waiting == {}


async def test_who_waits_when_the_line_breaks_is_told_and_who_comes_then_or_later(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = asyncio.create_task(exchange.line.call("wait", "lost"))
    assert await exchange.line.call("echo", 1) == 1
    exchange.hang_up()
    for _ in range(10):
        with pytest.raises(Unavailable, match="echo: the actor is gone"):
            await asyncio.wait_for(exchange.line.call("echo", 1), 5)
    with pytest.raises(Unavailable, match="wait: the actor is gone"):
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(Unavailable, match="echo: the actor is gone"):
        await asyncio.wait_for(exchange.line.call("echo", 1), 5)
    exchange.clerk.go_on.set()  # what it answers now, nobody reads
    again = await UnixRpcClient.open(exchange.address)
    assert await again.call("wait", "again") == "again"
    again.close()
    assert caplog.text == ""


async def test_what_makes_no_sense_ends_a_line(tmp_path: Path) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for message in (pack_value("token"), b"nonsense"):
            writer.write(len(message).to_bytes(8, "big") + message)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(talk, tmp_path / "odd.sock"):
        line = await UnixRpcClient.open(Address("here", str(tmp_path / "odd.sock"), "token"))
        with pytest.raises(Unavailable):
            await asyncio.wait_for(line.call("echo", 1), 5)


async def test_only_the_actors_user_can_connect(exchange: Exchange) -> None:
    assert stat.S_IMODE(Path(exchange.address.path).stat().st_mode) == 0o600


async def test_what_a_dead_one_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ConnectionRefusedError):
        await UnixRpcClient.open(Address("here", str(path), ""))
    listener = UnixRpcServer(Clerk())
    line = await UnixRpcClient.open(await listen(listener, path))
    assert await line.call("greet", "ann") == "ann"
    line.close()
    listener.close()
    await asyncio.sleep(0.01)


async def test_another_that_has_taken_the_place_is_not_spoken_to(exchange: Exchange) -> None:
    usurper = UnixRpcServer(Clerk())
    await listen(usurper, Path(exchange.address.path))
    with pytest.raises(ConnectionRefusedError, match="or another"):
        await UnixRpcClient.open(exchange.address)
    assert await exchange.line.call("greet", "ann") == "ann", "who is connected stays so"
    usurper.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["n" * 120, "folder/"])
async def test_where_there_can_be_no_socket_there_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    assert await UnixRpcServer(Clerk()).open(tmp_path / name) is None
