"""Handles without a cluster."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from actors.handles import SupervisorHandle
from actors.rpc.ray_calls import to_its_end
from actors.store.client import StoreClient
from actors.store.server import CALLS
from rlplatform.commands import Commands
from rlplatform.playing.ports import EpisodeService
from rlplatform.policies.ports import PolicyService
from rlplatform.store import Store
from serve_apps.episode_handle import EpisodesHandle
from serve_apps.policy_handle import PoliciesHandle

pytestmark = pytest.mark.anyio


async def test_what_a_thread_makes_is_there_when_its_cancellation_is_over() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def make() -> None:
        begun.set()
        go_on.wait(5)
        made.append("an actor")

    making = asyncio.create_task(to_its_end(make))
    await asyncio.to_thread(begun.wait, 5)
    making.cancel()
    await asyncio.sleep(0.01)
    assert not making.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert made == ["an actor"]


async def test_what_it_returns_and_raises_is_passed_on() -> None:
    assert await to_its_end(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await to_its_end(int, "seven")


@pytest.mark.parametrize(
    ("handle", "port"),
    [
        (SupervisorHandle, Commands),
        (StoreClient, Store),
        (PoliciesHandle, PolicyService),
        (EpisodesHandle, EpisodeService),
    ],
)
def test_a_handle_has_every_call_of_its_port(handle: type, port: type) -> None:
    calls = {name for base in port.__mro__ if base is not object for name in vars(base) if not name.startswith("_")}
    assert calls
    for name in calls:
        given, asked = (inspect.signature(getattr(cls, name)).parameters.values() for cls in (handle, port))
        if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in given):
            assert [parameter.name for parameter in given] == [parameter.name for parameter in asked], name
    if port is Store:
        assert calls == CALLS
