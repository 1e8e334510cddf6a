"""``/v1/studies`` and ``rlp study``, with a real owner over trainings that play themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from actors.studies.owner import StudyOwner
from rlplatform.access.principals import Scope
from rlplatform.cli import exit_codes
from rlplatform.clock import SystemClock
from rlplatform.testing.studies import PlayedTrainings
from rlplatform.training.models import TrainingRequest
from tests.api.command import rlp

pytestmark = pytest.mark.anyio
STUDY = {
    "name": "rates",
    "training": {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 10_000}},
    "space": {"learning_rate": {"kind": "categorical", "choices": [0.1, 0.2]}},
    "sampler": {"kind": "grid"},
    "seeds": [0, 1],
}


def rate(request: TrainingRequest, env_steps: int) -> float:
    return 1000.0 * float(str(request.hyperparameters.get("learning_rate", 0))) + request.seed


@asynccontextmanager
async def owned(it: Any, *, iteration_s: float = 0.0) -> AsyncIterator[None]:
    """Own the platform's studies meanwhile."""
    trainings = PlayedTrainings(it.store, SystemClock(), rate, iteration_s=iteration_s)
    owner = StudyOwner(it.store, trainings, SystemClock())
    running = asyncio.create_task(owner.run())

    async def waking() -> None:
        while True:
            await owner.wake()
            await asyncio.sleep(0.05)

    wakes = asyncio.create_task(waking())
    try:
        yield
    finally:
        running.cancel()
        wakes.cancel()
        await trainings.close()


async def ended(client: Any, path: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (study := (await client.get(path)).json())["finished_at"] is None:
            await asyncio.sleep(0.05)
    return study


async def test_study_over_http(platform) -> None:
    async with platform() as it, it.client() as client, owned(it):
        first = await client.post("/v1/studies", json=STUDY, headers={"Idempotency-Key": "one"})
        assert (first.status_code, first.json()["state"]) == (202, "queued")
        again = await client.post("/v1/studies", json=STUDY, headers={"Idempotency-Key": "one"})
        assert again.json()["id"] == first.json()["id"]
        path = first.headers["location"]
        study = await ended(client, path)
        assert (study["state"], study["best_hyperparameters"]) == ("succeeded", {"learning_rate": 0.2})
        assert [(trial["rank"], trial["value"]) for trial in study["trials"]] == [(2, 100.5), (1, 200.5)]
        answer = await client.get(path)
        unchanged = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert unchanged.status_code == 304
        (listed,) = (await client.get("/v1/studies", params={"state": "succeeded"})).json()["items"]
        assert (listed["id"], listed["trials"], listed["trial_count"]) == (study["id"], [], 2)
        events = (await client.get(f"{path}/events")).text
        types = [json.loads(line[5:])["type"] for line in events.splitlines() if line.startswith("data:")]
        assert (types[0], types[-1]) == ("study.queued", "study.succeeded")
        assert types.count("study.trial_finished") == 2
        assert (await client.post(f"{path}/resume")).status_code == 409
        assert (await client.post(f"{path}/stop")).status_code == 202


async def test_commands_reach_the_study(platform) -> None:
    async with platform() as it, it.client() as client, owned(it, iteration_s=0.02):
        path = (await client.post("/v1/studies", json=STUDY)).headers["location"]
        for command, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
            assert (await client.post(f"{path}/{command}")).status_code == 202
            async with asyncio.timeout(30):
                while (await client.get(path)).json()["state"] != state:
                    await asyncio.sleep(0.02)
        assert (await client.get(path)).json()["stop_reason"] == "stop_requested"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"space": {"learnin_rate": {"kind": "float", "low": 0.1, "high": 1}}}, "space.learnin_rate"),
        ({"space": {"gamma": {"kind": "float", "low": 2, "high": 3}}}, "space.gamma"),
        ({"space": {"gamma": {"kind": "flaot", "low": 2, "high": 3}}}, "space.gamma.kind"),
        ({"space": {"gamma": {"kind": "float", "low": 2}}}, "space.gamma.high"),
        ({"sampler": {"kind": "best"}}, "sampler.kind"),
        ({"seeds": [0, 0]}, ""),
    ],
)
async def test_bad_requests_name_the_field(platform, change: dict[str, Any], field: str) -> None:
    async with platform() as it, it.client() as client:
        refused = await client.post("/v1/studies", json={**STUDY, **change, "trials": 2})
        assert refused.status_code == 422, refused.text
        errors = refused.json()
        assert field in (errors.get("field"), *(each["field"] for each in errors.get("errors", ()))), errors
        assert await it.store.find("study") == []


async def test_studies_need_the_scope_train(platform) -> None:
    async with platform() as it, it.client(await it.key(scopes=[Scope.READ])) as reader:
        assert (await reader.post("/v1/studies", json=STUDY)).json()["scope"] == "train"
        assert (await reader.get("/v1/studies")).status_code == 200


async def test_study_command_line(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url, owned(it):
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        search = ("--env", "CartPole-v1", "--engine", "simulated", "-n", "10000", "-S", "learning_rate:log:0.01..0.5")
        more = ("--trials", "3", "--sampler", "random", "--name", "mine", "--seeds", "0,1")
        done = await rlp(tmp_path, "study", "create", *search, *more, **at)
        assert done.code == exit_codes.DONE, done.err
        assert "trials          3 of 3" in done.out
        assert done.out.splitlines()[-3].split()[0] == "1"
        study_id = next(line.split()[1] for line in done.out.splitlines() if line.startswith("id "))
        listed = await rlp(tmp_path, "study", "ls", **at)
        assert "mine: learning_rate" in listed.out
        shown = await rlp(tmp_path, "study", "show", study_id[-6:], "--json", **at)
        assert len(shown.lines[0]["trials"]) == 3
        assert f"id              {study_id}" in (await rlp(tmp_path, "study", "show", study_id, **at)).out
        assert (await rlp(tmp_path, "study", "stop", study_id, **at)).out == f"{study_id}: succeeded\n"
        watched = await rlp(tmp_path, "study", "watch", study_id, "--json", **at)
        assert watched.lines[-2]["type"] == "study.succeeded"
        wrong = await rlp(
            tmp_path, "study", "create", "--env", "CartPole-v1", "-S", "gama:0.9..1.0", "--trials", "2", **at
        )
        assert (wrong.code, "did you mean gamma" in wrong.err) == (exit_codes.USAGE, True)
