"""``WS /v1/live``: one socket, many streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rlplatform.access.principals import Scope

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def live(url: str, key: str | None) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = url.replace("http", "ws") + "/v1/live"
    async with connect(address, additional_headers=headers, max_queue=None) as socket:
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        found: dict[str, Any] = json.loads(await socket.recv())
        return found


async def until_closed(socket: ClientConnection) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    with suppress(ConnectionClosed):
        while True:
            heard.append(await hear(socket))
    return heard


async def a_run(it: Any, key: str, training: dict[str, Any]) -> Any:
    async with it.client(key) as client:
        return await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])


async def test_two_streams_on_one_socket(platform, training) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        one, two = await a_run(it, key, training), await a_run(it, key, training)
        await it.commands.succeed(one)
        async with live(url, key) as socket:
            assert (await hear(socket))["type"] == "authenticated"
            await say(socket, type="subscribe", stream=one.stream)
            heard = [await hear(socket) for _ in range(4)]
            assert [message["type"] for message in heard] == [
                "subscribed",
                "training.queued",
                "training.succeeded",
                "stream.end",
            ]
            await say(socket, type="subscribe", stream=two.stream, after=1)
            assert await hear(socket) == {"type": "subscribed", "stream": two.stream, "after": 1}
            await it.commands.iterate(two, 1, 1)
            message = await hear(socket)
            assert (message["seq"], message["stream"]) == (2, two.stream)
            (logged,) = await it.store.read(two.stream, after=1)
            assert message == json.loads(logged.data)
            await say(socket, type="unsubscribe", stream=two.stream)
            assert (await hear(socket))["type"] == "unsubscribed"
            await it.commands.iterate(two, 2, 2)
            await say(socket, type="subscribe", stream=two.stream, after=2)
            assert [(await hear(socket))["type"] for _ in range(2)] == ["subscribed", "training.iteration_completed"]
        await asyncio.sleep(0.05)
        assert len(it.app.state.context.hubs) == 0


async def test_authenticating_by_message(platform, training) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training)
        async with live(url, None) as socket:
            await say(socket, type="auth", token=key)
            assert (await hear(socket))["type"] == "authenticated"
            await say(socket, type="subscribe", stream=run.stream)
            assert (await hear(socket))["type"] == "subscribed"


@pytest.mark.parametrize("first", [{"type": "auth", "token": "rlp_no"}, {"type": "subscribe", "stream": "x"}, {"a": 1}])
async def test_strangers_are_told_why_and_closed(platform, first: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url, live(url, None) as socket:
        await say(socket, **first)
        message = await hear(socket)
        assert message["type"] == "error"
        assert message["code"] in ("not_authenticated", "invalid_request")
        with pytest.raises(ConnectionClosed) as closed:
            await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_stream_that_is_not_for_ones_eyes_is_not_found(platform, training) -> None:
    async with platform() as it, it.served() as url:
        run = await a_run(it, await it.key(), training)
        async with live(url, await it.key(scopes=[Scope.TRAIN])) as socket:
            await hear(socket)
            await say(socket, type="subscribe", stream=run.stream)
            assert (await hear(socket))["code"] == "not_found"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "malformed"),
        ("[1]", "invalid_request"),
        ('{"type": "fly"}', "invalid_request"),
        ('{"type": "subscribe"}', "invalid_request"),
        ('{"type": "subscribe", "stream": "nonsense"}', "invalid_request"),
        ('{"type": "subscribe", "stream": "trainings/train_00000000000000000000000000"}', "not_found"),
        ('{"type": "subscribe", "stream": "evaluations/train_00000000000000000000000000"}', "invalid_request"),
        ('{"type": "subscribe", "stream": "RUN", "after": -1}', "invalid_request"),
        ('{"type": "subscribe", "stream": "RUN", "after": 99}', "invalid_request"),
        ('{"type": "subscribe", "stream": "RUN", "from": 1}', "invalid_request"),
        ('{"type": "unsubscribe", "stream": "RUN"}', "invalid_request"),
        ('{"type": "auth", "token": "again"}', "conflict"),
        ('{"type": "auth", "token": "' + "x" * 20_000 + '"}', "too_large"),
        ('{"type": "subscribe", "stream": "\\ud800"}', "malformed"),
    ],
)
async def test_a_wrong_message_is_answered_and_the_socket_lives(platform, training, message: str, code: str) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training)
        async with live(url, key) as socket:
            await hear(socket)
            await socket.send(message.replace("RUN", run.stream))
            error = await hear(socket)
            assert (error["type"], error["code"]) == ("error", code)
            await say(socket, type="subscribe", stream=run.stream)
            assert (await hear(socket))["type"] == "subscribed"


async def test_another_tenants_stream_is_not_found(platform, training) -> None:
    async with platform() as it, it.served() as url:
        run = await a_run(it, await it.key("ours"), training)
        async with live(url, await it.key("theirs")) as socket:
            await hear(socket)
            answers = []
            for stream in (run.stream, "trainings/train_" + "0" * 26):
                await say(socket, type="subscribe", stream=stream)
                answers.append({name: value for name, value in (await hear(socket)).items() if name != "stream"})
            assert answers[0]["code"] == "not_found"
            assert answers[0] == answers[1]


async def test_a_life_has_an_end_and_tells_where_to_go_on(platform, training) -> None:
    short = {"api": {"stream_max_life_s": 0.3, "stream_heartbeat_s": 0.1}}
    async with platform(settings=short) as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training)
        async with live(url, key) as socket:
            await say(socket, type="subscribe", stream=run.stream)
            heard = await until_closed(socket)
        assert "heartbeat" in [message["type"] for message in heard]
        assert heard[-1] == {"type": "reconnect", "cursors": {run.stream: 1}}
        assert socket.close_code == 1012


async def test_types_are_chosen_for_each_subscription(platform, training) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training)
        await it.commands.iterate(run, 1, 5)
        await it.commands.succeed(run)
        async with live(url, key) as socket:
            await hear(socket)
            await say(socket, type="subscribe", stream=run.stream, types=["training.succeded"])
            assert (await hear(socket))["did_you_mean"][0] == "training.succeeded"
            await say(socket, type="subscribe", stream=run.stream, types=["training.queued", "training.succeeded"])
            heard = [(await hear(socket))["type"] for _ in range(4)]
            assert heard == ["subscribed", "training.queued", "training.succeeded", "stream.end"]


async def test_messages_count_as_requests(platform, training) -> None:
    settings = {"api": {"rate_limit": "20/minute"}}
    async with platform(settings=settings) as it, it.served() as url, live(url, await it.key()) as socket:
        await hear(socket)
        for _ in range(40):
            await socket.send(b'{"type": "unsubscribe", "stream": "x"}')
        codes = [(await hear(socket))["code"] for _ in range(40)]
        assert set(codes[:19]) == {"invalid_request"}
        assert set(codes[20:]) == {"too_many_requests"}
        async with live(url, await it.key()) as somebody_else:
            assert (await hear(somebody_else))["type"] == "authenticated"


async def test_connections_are_counted(platform, training) -> None:
    async with platform(settings={"api": {"max_connections": 2}}) as it, it.served() as url:
        key = await it.key()
        run = await a_run(it, key, training)
        async with it.client(key) as client, live(url, key) as one:
            await hear(one)
            async with live(url, key) as two:
                await hear(two)
                refused = await client.get(f"/v1/{run.stream}/events")
                assert (refused.status_code, "at most 2 streams" in refused.json()["detail"]) == (429, True)
                async with live(url, key) as three:
                    assert (await hear(three))["code"] == "too_many_requests"
                async with live(url, await it.key()) as somebody_else:
                    assert (await hear(somebody_else))["type"] == "authenticated"
            await asyncio.sleep(0.05)
            async with live(url, key) as again:
                assert (await hear(again))["type"] == "authenticated"


async def test_sse_has_heartbeats_a_retry_and_an_end(platform, training) -> None:
    short = {"api": {"stream_max_life_s": 0.3, "stream_heartbeat_s": 0.1}}
    async with platform(settings=short) as it, it.client() as client:
        path = (await client.post("/v1/trainings", json=training)).headers["location"] + "/events"
        answer = await client.get(path)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.text.startswith("retry: 1000\n\nid: 1\ndata: {")
        assert ": heartbeat\n\n" in answer.text
        assert answer.text.endswith('event: reconnect\ndata: {"after": 1}\n\n')
        run = (await it.store.find("training"))[0]
        await it.commands.iterate(run, 1, 3)
        await it.commands.succeed(run)
        answer = await client.get(path, params={"types": "training.succeeded"}, headers={"Last-Event-ID": "2"})
        assert answer.text.count("data: ") == 1
        for wrong in ({"Last-Event-ID": "x"}, {"Last-Event-ID": "-1"}, {"Last-Event-ID": "99"}):
            refused = await client.get(path, headers=wrong)
            assert (refused.status_code, refused.json()["field"]) == (422, "Last-Event-ID")
        assert (await client.get(path + "?types=training.succeded")).json()["did_you_mean"][0] == "training.succeeded"


async def test_a_stream_of_which_nothing_is_wanted_has_heartbeats_all_the_same(platform, training) -> None:
    short = {"api": {"stream_max_life_s": 0.6, "stream_heartbeat_s": 0.1}}
    async with platform(settings=short) as it, it.client() as client:
        path = (await client.post("/v1/trainings", json=training)).headers["location"] + "/events"
        run = (await it.store.find("training"))[0]

        async def keep_busy() -> None:
            for number in range(1, 1000):
                await it.commands.iterate(run, number, number)
                await asyncio.sleep(0.02)

        busy = asyncio.create_task(keep_busy())
        text = (await client.get(path, params={"types": "training.succeeded"})).text
        busy.cancel()
        assert text.count(": heartbeat") >= 3
        assert 'data: {"stream' not in text


@pytest.mark.parametrize("way", ["sse", "ws"])
async def test_open_streams_end_within_a_heartbeat_of_their_keys_end(platform, training, way: str) -> None:
    settings = {"api": {"stream_heartbeat_s": 0.1}, "access": {"pepper": "pepper", "key_lease_s": 0}}
    async with platform(settings=settings) as it, it.served() as url:
        key, text = await it.keys.create(tenant="school", name="stolen", scopes=list(Scope))
        run = await a_run(it, text, training)
        async with asyncio.timeout(10):
            if way == "sse":
                headers = {"Authorization": f"Bearer {text}"}
                async with (
                    httpx2.AsyncClient(base_url=url, headers=headers) as client,
                    client.stream("GET", f"/v1/{run.stream}/events") as answer,
                ):
                    blocks = aiter(answer.aiter_text())
                    heard = ""
                    while ": heartbeat" not in heard:
                        heard += await anext(blocks)
                    await it.keys.revoke(key)
                    heard = "".join([block async for block in blocks])
                assert heard.endswith('event: reconnect\ndata: {"after": 1}\n\n')
            else:
                async with live(url, text) as socket:
                    while (await hear(socket))["type"] != "heartbeat":
                        pass
                    await it.keys.revoke(key)
                    heard_last = (await until_closed(socket))[-1]
                assert (heard_last["type"], heard_last["code"]) == ("error", "not_authenticated")
                assert socket.close_code == 1008


async def test_plain_http_is_told_to_speak_websocket(platform: Any) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.get("/v1/live")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    assert answer.json()["code"] == "upgrade_required"
    assert "WebSocket" in answer.json()["detail"]
