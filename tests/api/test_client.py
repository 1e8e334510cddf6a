"""Both clients against the real application on a socket."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rlplatform.client import AsyncClient, Client, Retry
from rlplatform.errors import (
    IdempotencyMismatch,
    InvalidRequest,
    Malformed,
    NotAuthenticated,
    NotFound,
    SandboxUnavailable,
    ServiceError,
    TooManyRequests,
    Unavailable,
    error_classes,
    error_from,
)
from rlplatform.errors import problem as problem_of
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, Verdict
from rlplatform.training.models import Training, TrainingState

pytestmark = pytest.mark.anyio


async def test_the_sync_client_does_it_all(platform, evaluation, training) -> None:
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        key = await it.key()

        def use() -> Training:
            with Client(url, key) as client:
                assert client.evaluate(evaluation).verdict is Verdict.ACCEPTED
                assert client.evaluate(EvaluationRequest.model_validate(evaluation), timeout_s=5).score == 1.0
                accepted, refused = client.submit_evaluations([evaluation, {"source": "1"}])
                assert isinstance(accepted, Evaluation)
                assert isinstance(refused, InvalidRequest)
                assert refused.extra["field"] == "tests"
                assert accepted.id in [found.id for found in client.evaluations(page_size=1)]
                assert client.cancel_evaluation(accepted.id).state == "finished"
                assert [found.id for found in client.environments()] == ["CartPole-v1"]
                assert client.ready().status == "ready"
                started = client.start_training(training)
                assert client.pause_training(started.id).id == started.id
                assert client.resume_training(started.id).state is TrainingState.QUEUED
                return started

        started = await asyncio.to_thread(use)
        run = await it.store.get(started.id)
        await it.commands.iterate(run, 1, 7)
        await it.commands.succeed(run)

        def follow() -> list[int]:
            with Client(url, key) as client:
                assert client.wait(started.id).finished_at is not None
                series = client.metrics(started.id, "rollout/episode_return_mean")
                assert series.iteration == [1, 2, 3, 4, 5, 6, 7]
                assert [event.type for event in client.events(started.id, types=["training.succeeded"])] == [
                    "training.succeeded"
                ]
                return [event.seq for event in client.events(started.id, after=2)]

        seen = await asyncio.to_thread(follow)
        assert seen == list(range(3, seen[0] + len(seen)))


async def test_the_async_client_follows_through_dropped_connections(platform, training) -> None:
    short = {"api": {"stream_max_life_s": 0.05}}
    async with platform(settings=short) as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        started = await client.start_training(training)
        run = await it.store.get(started.id)

        async def write() -> None:
            for number in range(1, 31):
                await it.commands.iterate(run, number, number)
                await asyncio.sleep(0.01)
            await it.commands.succeed(run)

        writing = asyncio.create_task(write())
        assert [event.seq async for event in client.events(started.id)] == list(range(1, 33))
        await writing
        done = await client.wait(started.id)
        assert isinstance(done, Training)
        assert done.state is TrainingState.SUCCEEDED


async def test_waiting_has_an_end_but_the_run_has_not(platform, training, evaluation) -> None:
    async with platform() as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        started = await client.start_training(training)
        with pytest.raises(TimeoutError, match="it continues"):
            await client.wait(started.id, timeout_s=0.2)
        assert (await client.training(started.id)).state is TrainingState.QUEUED
        async with asyncio.timeout(15):  # the server would wait for 20 s
            with pytest.raises(TimeoutError, match="it continues"):
                await client.evaluate(evaluation, timeout_s=0)


async def test_errors_are_the_platforms_own(platform, evaluation) -> None:
    async with (
        platform(sandbox="no Docker engine") as it,
        it.served() as url,
        AsyncClient(url, await it.key()) as client,
    ):
        with pytest.raises(SandboxUnavailable, match="no Docker engine"):
            await client.evaluate(evaluation)
        with pytest.raises(NotFound):
            await client.training("train_nope")
        with pytest.raises(InvalidRequest, match="unknown field 'sourc'"):
            await client.submit_evaluation({"sourc": ""})
        async with AsyncClient(url, "rlp_wrong") as stranger:
            with pytest.raises(NotAuthenticated):
                await stranger.training("x")


async def test_an_idempotency_key_gives_the_same_run(platform, training) -> None:
    async with platform() as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        first = await client.start_training(training, idempotency_key="k")
        assert (await client.start_training(training, idempotency_key="k")).id == first.id
        with pytest.raises(IdempotencyMismatch):
            await client.start_training({**training, "seed": 1}, idempotency_key="k")


def answering(
    *answers: httpx2.Response | Exception,
) -> tuple[Callable[[httpx2.Request], httpx2.Response], list[httpx2.Request]]:
    """A server that gives ``answers`` in turn, the last one for ever; and what it was asked."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    return answer, asked


def client_of(answer: Any, slept: list[float], **retry: Any) -> Client:
    return Client(
        "http://rlp.test", "k", transport=httpx2.MockTransport(answer), sleep=slept.append, retry=Retry(**retry)
    )


def problem(code: str, status: int, **more: Any) -> httpx2.Response:
    headers = {"content-type": "application/problem+json"}
    return httpx2.Response(status, headers=headers, json={"code": code, "detail": "d", "status": status, **more})


TRAINING = httpx2.Response(
    202,
    json={
        "id": "train_00000000000000000000000000",
        "state": "queued",
        "request": {"env": "x", "stop": {"env_steps": 1}, "of_tomorrow": 1},
        "created_at": "2026-01-01T00:00:00Z",
        "also_of_tomorrow": {},
    },
)


@pytest.mark.parametrize("call", ["training", "evaluation", "policy", "delete_policy", "revoke_key", "checkpoints"])
def test_an_id_leads_nowhere_else(call: str) -> None:
    answer, asked = answering(problem("not_found", 404))
    client = client_of(answer, [])
    with pytest.raises(NotFound):
        getattr(client, call)("../keys/key_1?x#y")
    assert asked[0].url.raw_path.count(b"/") == 3 + (call == "checkpoints")
    assert b"..%2Fkeys%2Fkey_1%3Fx%23y" in asked[0].url.raw_path
    for text in ("", ".", ".."):
        with pytest.raises(InvalidRequest, match="is neither an id nor a name"):
            getattr(client, call)(text)
    assert len(asked) == 1


def test_passing_failures_are_tried_again_under_one_idempotency_key() -> None:
    answer, asked = answering(
        httpx2.ConnectError("refused"),
        httpx2.Response(502),
        problem("too_many_requests", 429, retry_after_s=3),
        TRAINING,
    )
    slept: list[float] = []
    started = client_of(answer, slept).start_training({"env": "x", "stop": {"env_steps": 1}})
    assert started.state is TrainingState.QUEUED
    assert len({request.headers["idempotency-key"] for request in asked}) == 1
    assert len(asked) == 4
    assert slept[2] == 3


@pytest.mark.parametrize(
    ("answer", "error", "times"),
    [
        (httpx2.ConnectError("refused"), Unavailable, 4),
        (problem("too_many_requests", 429, retry_after_s=3600), TooManyRequests, 1),
        (problem("sandbox_unavailable", 503), SandboxUnavailable, 1),
        (problem("invalid_request", 422, field="env"), InvalidRequest, 1),
        (httpx2.Response(418, text="teapot"), ServiceError, 1),
        (httpx2.Response(200, text="<html>of somebody else"), ServiceError, 1),
    ],
)
def test_when_a_client_gives_up(answer: Any, error: type[Exception], times: int) -> None:
    answer, asked = answering(answer)
    with pytest.raises(error):
        client_of(answer, []).start_training({})
    assert len(asked) == times


def test_an_error_without_a_code_of_its_own_is_its_parent_to_a_client() -> None:
    class Detail(NotFound):
        pass

    assert Detail not in error_classes()
    sent = problem_of(Detail("gone"))
    assert type(error_from(sent)) is NotFound


@pytest.mark.parametrize("cls", error_classes())
def test_every_error_survives_the_wire(cls: type[Any]) -> None:
    back = error_from({"code": cls.code, "title": cls.title, "status": cls.status, "detail": "why", "field": "f"})
    assert type(back) is cls
    assert (back.detail, back.extra) == ("why", {"field": "f"})


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Any:
        yield b"half"
        raise httpx2.ReadError("gone")

    answer, _ = answering(httpx2.Response(200, content=broken()))
    with pytest.raises(Unavailable):
        client_of(answer, []).download_checkpoint("ckpt_x", tmp_path / "c.tar")
    assert list(tmp_path.iterdir()) == []


def test_two_downloads_to_one_target_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "c.tar"

    def meanwhile() -> Any:
        yield b"first "
        second, _ = answering(httpx2.Response(200, content=b"second"))
        client_of(second, []).download_checkpoint("ckpt_x", target)
        assert target.read_bytes() == b"second"
        yield b"whole"

    answer, _ = answering(httpx2.Response(200, content=meanwhile()))
    client_of(answer, []).download_checkpoint("ckpt_x", target)
    assert (target.read_bytes(), list(tmp_path.iterdir())) == (b"first whole", [target])


def test_a_download_to_a_pipe_goes_into_it(tmp_path: Path) -> None:
    os.mkfifo(target := tmp_path / "pipe")
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    answer, _ = answering(httpx2.Response(200, content=b"whole"))
    progress: list[int] = []
    client_of(answer, []).download_checkpoint("ckpt_x", target, progress=lambda received, _: progress.append(received))
    assert (os.read(reader, 10), progress, target.is_fifo()) == (b"whole", [5], True)
    os.close(reader)


def test_no_request_says_less_than_was_meant() -> None:
    answer, asked = answering(problem("malformed", 400))
    client = client_of(answer, [])
    with pytest.raises(Malformed):
        client.create_key({"name": "a", "role": "learner", "expires_in_s": float("nan")})
    assert asked[0].content == b'{"name":"a","role":"learner","expires_in_s":NaN}'
    with pytest.raises(InvalidRequest, match="surrogates"):
        client.submit_evaluation({"source": "\udcff"})


def test_limits_are_the_servers_to_tell() -> None:
    answer, asked = answering(problem("invalid_request", 422))
    client = client_of(answer, [])
    for refused in (
        lambda: client.act("pol_x", [[0.0]] * 10_000),
        lambda: client.rotate_key("key_x", overlap_s=1e300),
        lambda: client.rotate_webhook("hook_x", overlap_s=-1),
    ):
        with pytest.raises(InvalidRequest):
            refused()
    assert len(asked) == 3


def test_importing_the_client_imports_no_server() -> None:
    program = (
        "import sys, rlplatform.client, rlplatform.cli.main;"
        "heavy = {'ray', 'torch', 'fastapi', 'starlette', 'gymnasium', 'numpy', 'uvicorn'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_the_readme_runs(platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(sys.modules["rlplatform.client"].__path__[0]) / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(programs) == 2
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        monkeypatch.setenv("RLP_URL", url)
        monkeypatch.setenv("RLP_API_KEY", await it.key())
        first = asyncio.create_task(asyncio.to_thread(exec, programs[0], {}))
        while not (runs := await it.store.find("training")):
            await asyncio.sleep(0.01)
        await it.commands.iterate(runs[0], 1, 2)
        await it.commands.succeed(runs[0])
        await first
        await asyncio.to_thread(exec, programs[1], {})
    told = capsys.readouterr().out
    assert "accepted 1.0 of 1.0\n1 training.queued\n" in told
    assert "succeeded dict_keys(['rollout/episode_return_mean'])\n100 finished\n" in told
