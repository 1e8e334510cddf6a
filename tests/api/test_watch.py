"""``watch`` on ``/v1/live``: pictures of a training's newest policy, each when it is asked for."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from rlplatform.episodes.ports import EpisodeStore
from rlplatform.ids import Kind, new_id
from rlplatform.testing.episodes import local_episodes
from tests.api.test_live import a_run, hear, live, say

pytestmark = pytest.mark.anyio


@pytest.fixture
def episodes(tmp_path: Path) -> EpisodeStore:
    return local_episodes(tmp_path / "episodes")


async def test_each_request_is_answered_with_one_picture_beside_the_events(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training | {"engine": "rllib"})
        async with live(url, key) as socket:
            await hear(socket)
            await say(socket, type="watch", training=run.id)
            frame = await hear(socket)
            assert (frame["type"], frame["training"], frame["number"]) == ("frame", run.id, 1)
            assert base64.b64decode(frame["picture"]) == b"picture 1"
            with pytest.raises(TimeoutError):  # nothing comes that was not asked for
                async with asyncio.timeout(0.3):
                    await socket.recv()
            await say(socket, type="subscribe", stream=run.stream)
            await say(socket, type="watch", training=run.id, after=1)
            heard = [await hear(socket) for _ in range(3)]
            assert {message["type"] for message in heard} == {"subscribed", "training.queued", "frame"}


async def test_a_second_request_waits_for_the_answer_to_the_first(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training | {"engine": "rllib"})
        player = it.app.state.context.services.player
        player.ready.clear()
        async with live(url, key) as socket:
            await hear(socket)
            for _ in range(5):
                await say(socket, type="watch", training=run.id)
            refused = [await hear(socket) for _ in range(4)]
            assert {message["code"] for message in refused} == {"conflict"}
            player.ready.set()
            assert (await hear(socket))["type"] == "frame"
        assert player.watched == [run.id]


async def test_pictures_come_at_most_ten_times_a_second(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training | {"engine": "rllib"})
        loop = asyncio.get_running_loop()
        async with live(url, key) as socket:
            await hear(socket)
            began = loop.time()
            for number in range(6):
                await say(socket, type="watch", training=run.id, after=number)
                assert (await hear(socket))["number"] == number + 1
            assert loop.time() - began >= 0.5


async def test_who_may_not_see_a_training_cannot_watch_it(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.served() as url:
        mine, other = await it.key(), await it.key(tenant="other")
        run, simulated = await a_run(it, mine, training | {"engine": "rllib"}), await a_run(it, mine, training)
        for key, training_id, code in (
            (other, run.id, "not_found"),
            (mine, new_id(Kind.TRAINING), "not_found"),
            (mine, simulated.id, "conflict"),
        ):
            async with live(url, key) as socket:
                await hear(socket)
                await say(socket, type="watch", training=training_id)
                refused = await hear(socket)
                assert (refused["type"], refused["code"], refused["training"]) == ("error", code, training_id)
        assert it.app.state.context.services.player.watched == []
