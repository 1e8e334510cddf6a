"""Actors that are called by name: over their line, or through Ray."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.actor_classes import UnixRpcActor
from actors.rpc import named_actor
from actors.rpc.named_actor import NamedActor
from actors.rpc.ray_calls import call, find, spawn
from actors.rpc.unix_rpc import Address, UnixRpcClient
from rlplatform.errors import NotFound, Unavailable
from tests.actors.conftest import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.ray]

NAME = "clerk"
OPTIONS = {"name": NAME, "num_cpus": 0.05, "lifetime": "detached", "max_restarts": -1, "max_concurrency": 100}


class Clerk(UnixRpcActor):
    """A restartable actor that listens at a path, says it is on a node, and counts its calls."""

    def __init__(self, path: Path, node: str | None = None) -> None:
        self._node = node
        self._calls = 0
        self._listen(path)

    async def line(self) -> Address | None:
        address = await super().line()
        return address._replace(node=self._node) if address and self._node else address

    def pid(self) -> int:
        self._calls += 1
        return os.getpid()

    def calls(self) -> int:
        return self._calls

    async def wait(self) -> None:
        await asyncio.sleep(60)

    def refuse(self) -> None:
        raise NotFound("no such thing")

    def decline(self) -> None:
        raise Unavailable("closed today")


def way(actor: NamedActor) -> str:
    """How it is called."""
    assert actor._reaching is not None
    return type(actor._reaching.result()).__name__


@pytest.fixture(params=["UnixRpcClient", "_ThroughRay"])
async def clerk(request: pytest.FixtureRequest, cluster: None, tmp_path: Path) -> AsyncIterator[NamedActor]:
    """The actor by its name: on its line, or, where its path is too long for a socket, through Ray."""
    spawned = spawn(Clerk, OPTIONS, tmp_path / ("clerk.sock" if request.param == "UnixRpcClient" else "n" * 120))
    actor = NamedActor(NAME)
    assert await actor.call("calls") == 0
    assert way(actor) == request.param
    yield actor
    ray.kill(spawned)
    await eventually(lambda: find(NAME) is None)


async def test_calls_are_carried_out_once_and_errors_are_ours(clerk: NamedActor) -> None:
    assert len({*await asyncio.gather(*(clerk.call("pid") for _ in range(20)))}) == 1
    assert await clerk.call("calls") == 20
    with pytest.raises(NotFound, match="no such thing"):
        await clerk.call("refuse")


async def test_a_restarted_actor_is_found_again(clerk: NamedActor) -> None:
    pid = await clerk.call("pid")
    waiting = [asyncio.create_task(clerk.call("wait")) for _ in range(5)]
    await asyncio.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    for lost in await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20):
        assert isinstance(lost, Unavailable)

    async def back() -> bool:
        try:
            return await clerk.call("pid") != pid
        except Unavailable:
            return False

    await eventually(back)
    assert await clerk.call("calls") >= 1


async def test_a_refusal_of_the_actor_itself_leaves_its_line_in_use(clerk: NamedActor) -> None:
    before, expected = clerk._reaching, way(clerk)
    with pytest.raises(Unavailable, match="closed today"):
        await clerk.call("decline")
    await clerk.call("calls")
    assert way(clerk) == expected
    assert (clerk._reaching is before) == (expected == "UnixRpcClient"), (
        "Ray's word for it cannot be told from that of its end"
    )


async def test_one_that_was_ended_is_not_running_until_it_is_there_again(clerk: NamedActor, tmp_path: Path) -> None:
    actor = find(NAME)
    assert actor is not None
    ray.kill(actor)

    async def ended() -> bool:
        try:
            await clerk.call("pid")
        except Unavailable as error:
            return str(error) == "the clerk is not running"
        return False

    await eventually(ended)
    again = spawn(Clerk, OPTIONS, tmp_path / "again.sock")
    assert await clerk.call("calls") == 0
    assert way(clerk) == "UnixRpcClient"
    ray.kill(again)


async def test_calls_at_once_share_one_connection(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    open_line = UnixRpcClient.open

    async def counted(address: Address) -> Any:
        opened.append(address.path)
        return await open_line(address)

    monkeypatch.setattr(UnixRpcClient, "open", counted)
    spawned = spawn(Clerk, OPTIONS, tmp_path / "clerk.sock")
    actor = NamedActor(NAME)
    await asyncio.gather(*(actor.call("pid") for _ in range(50)))
    assert opened == [str(tmp_path / "clerk.sock")]
    ray.kill(spawned)


async def test_an_actor_of_another_node_is_called_through_ray(cluster: None, tmp_path: Path) -> None:
    spawned = spawn(Clerk, OPTIONS, tmp_path / "clerk.sock", "another node")
    actor = NamedActor(NAME)
    await actor.call("pid")
    assert way(actor) == "_ThroughRay"
    ray.kill(spawned)


async def test_where_nobody_answers_at_its_socket_calls_go_through_ray_for_a_while(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned = spawn(Clerk, OPTIONS, tmp_path / "clerk.sock")
    socket, elsewhere = Path((await call(spawned, "line")).path), tmp_path / "elsewhere"
    socket.rename(elsewhere)
    actor = NamedActor(NAME)
    monkeypatch.setattr(named_actor, "DETOUR_S", 0.3)
    await actor.call("pid")
    assert way(actor) == "_ThroughRay"
    elsewhere.rename(socket)
    await asyncio.sleep(0.4)
    await actor.call("pid")
    assert way(actor) == "UnixRpcClient"
    ray.kill(spawned)


async def test_who_is_cancelled_during_the_look_up_takes_nobody_with_it(cluster: None, tmp_path: Path) -> None:
    spawned = spawn(Clerk, OPTIONS, tmp_path / "clerk.sock")
    actor = NamedActor(NAME)
    hasty, patient = (asyncio.create_task(actor.call("pid")) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    assert await patient > 0
    ray.kill(spawned)


def test_each_event_loop_has_its_own_line(cluster: None, tmp_path: Path) -> None:
    spawned = spawn(Clerk, OPTIONS, tmp_path / "clerk.sock")
    actor = NamedActor(NAME)
    with asyncio.Runner() as one, asyncio.Runner() as other:
        assert len({runner.run(actor.call("pid")) for runner in (one, other, one, other)}) == 1
    ray.kill(spawned)
