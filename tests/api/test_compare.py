"""Trainings are compared: grouped by everything but the seed, with intervals, differences and bad input."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import scipy.stats

from rlplatform.access.principals import Scope
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.training.events import TrainingEvaluated, TrainingIterationCompleted, TrainingRecovered
from rlplatform.training.models import EvaluationReport

pytestmark = pytest.mark.anyio


async def play(it: Any, run_id: str, scale: float, points: int = 20, evaluated: float | None = None) -> None:
    run = await it.store.get(run_id)
    at: dict[str, Any] = {"stream": run.stream, "time": it.commands._clock.now()}
    for number in range(1, points + 1):
        await it.commands.play(
            run.stream,
            TrainingIterationCompleted(
                **at,
                iteration=number,
                env_steps=100 * number,
                episodes=number,
                train_wall_s=number / 4,
                metrics={"rollout/episode_return_mean": scale * number, "time/fps": 1000.0},
            ),
        )
    if evaluated is not None:
        report = EvaluationReport(
            episodes=10,
            episode_return_mean=evaluated,
            episode_return_std=2.0,
            episode_return_min=0.0,
            episode_return_max=9.0,
            episode_length_mean=5.0,
        )
        told = TrainingEvaluated(**at, iteration=points, env_steps=100 * points, report=report)
        await it.commands.play(run.stream, told)
    await it.commands.succeed(await it.store.get(run_id))


async def started(client: Any, training: dict[str, Any], **more: Any) -> str:
    answer = await client.post("/v1/trainings", json={**training, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_seeds_are_one_group_with_an_interval_and_settings_tell_groups_apart(
    platform, training: dict[str, Any]
) -> None:
    async with platform() as it, it.client() as client:
        slow = {"hyperparameters": {"learning_rate": 0.0001}, "labels": {"study": "lr"}}
        low = [await started(client, training, **slow, seed=seed, name=f"s{seed}") for seed in (3, 1, 2, 4)]
        high = await started(client, training, labels={"study": "lr"}, notes="the default")
        for number, run_id in enumerate(low):
            await play(it, run_id, number + 1.0, evaluated=10.0 * number)
        await play(it, high, 9.0, points=40, evaluated=99.0)
        answer = await client.get("/v1/compare", params={"label": "study=lr"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found == (await client.get("/v1/compare", params={"run": ",".join([*low[::-1], high])})).json() | {
            "groups": found["groups"]
        }
        best, group = found["groups"]
        assert [run["id"] for run in best["runs"]] == [high], "the best evaluation comes first"
        assert [run["seed"] for run in group["runs"]] == [1, 2, 3, 4]
        assert group["title"] == "learning_rate 0.0001"
        assert group["runs"][0]["evaluations"] == [{"x": 2000, "mean": 10.0, "std": 2.0, "episodes": 10}]
        lasts = [20.0 * (number + 1) for number in range(4)]
        assert group["final"]["iqm"] == pytest.approx(scipy.stats.trim_mean(lasts, 0.25))
        assert group["final"]["low"] < group["final"]["iqm"] < group["final"]["high"]
        assert group["evaluation"]["iqm"] == pytest.approx(15.0)
        assert best["evaluation"] == {"iqm": 99.0, "low": 99.0, "high": 99.0, "mean": 99.0, "runs": 1}
        band = group["band"]
        assert (band["x"][0], band["x"][-1], set(band["runs"])) == (100.0, 2000.0, {4})
        assert band["iqm"][-1] == pytest.approx(group["final"]["iqm"])
        rate = found["settings"][0]
        assert (rate["name"], rate["differs"], rate["given"]) == ("hyperparameters.learning_rate", True, [False, True])
        assert [row["name"] for row in found["settings"] if row["differs"]] == ["hyperparameters.learning_rate"]
        assert found["metrics"] == ["rollout/episode_return_mean", "time/fps"]


async def test_the_axis_may_be_time_and_curves_are_thinned(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        run_id = await started(client, training)
        await play(it, run_id, 1.0, points=300, evaluated=5.0)
        params = {"run": run_id, "x": "train_wall_s", "max_points": 50}
        (run,) = (await client.get("/v1/compare", params=params)).json()["groups"][0]["runs"]
        assert len(run["x"]) <= 50
        assert (run["x"][-1], run["y"][-1]) == (75.0, 300.0)
        assert run["evaluations"][0]["x"] == 75.0


async def test_what_a_recovery_repeats_is_there_once(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        run_id = await started(client, training)
        run = await it.store.get(run_id)
        await it.commands.iterate(run, 1, 6)
        at: dict[str, Any] = {"stream": run.stream, "time": it.commands._clock.now()}
        recovered = TrainingRecovered(
            **at, iteration=3, env_steps=768, checkpoint_id=None, redone_iterations=3, redone_env_steps=768
        )
        await it.commands.play(run.stream, recovered)
        await it.commands.iterate(run, 4, 5)
        (found,) = (await client.get("/v1/compare", params={"run": run_id})).json()["groups"][0]["runs"]
        assert found["x"] == [256.0 * number for number in range(1, 6)]


@pytest.mark.parametrize(
    ("params", "status", "field"),
    [
        ({}, 422, "run"),
        ({"run": "train_00000000000000000000000000"}, 404, None),
        ({"run": "eval_00000000000000000000000000"}, 404, None),
        ({"run": "train_00000000000000000000000000", "env": "CartPole-v1"}, 422, "env"),
        ({"run": ",".join(["train_00000000000000000000000000"] * 101)}, 422, "run"),
        ({"env": "CartPole-v1", "metric": "rollout/episode_return_maen"}, 422, "metric"),
        ({"env": "CartPole-v1", "x": "wall"}, 422, "x"),
        ({"env": "CartPole-v1", "sort": "name"}, 422, "sort"),
    ],
)
async def test_a_wrong_comparison_says_what_is_wrong(
    platform, training: dict[str, Any], params: dict[str, Any], status: int, field: str | None
) -> None:
    async with platform() as it, it.client() as client:
        await play(it, await started(client, training), 1.0)
        answer = await client.get("/v1/compare", params=params)
        assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
        if field == "metric":
            assert answer.json()["did_you_mean"][0] == "rollout/episode_return_mean"


async def test_nobody_compares_what_others_alone_may_see(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        run_id = await started(client, training)
        async with it.client(await it.key(scopes=[Scope.TRAIN])) as other:
            assert (await other.get("/v1/compare", params={"run": run_id})).status_code == 404
            assert (await other.get("/v1/compare", params={"env": "CartPole-v1"})).json()["groups"] == []


async def test_the_client_compares(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url, it.client() as client:
        ids = [await started(client, training, seed=seed) for seed in range(3)]
        for run_id in ids:
            await play(it, run_id, 2.0)

        def compared() -> None:
            with Client(url, client.headers["authorization"].removeprefix("Bearer ")) as blocking:
                (group,) = blocking.compare(*ids).groups
                assert group.final is not None
                assert (group.final.iqm, group.final.runs) == (40.0, 3)
                assert len(blocking.compare(env="CartPole-v1", x="train_wall_s").groups[0].runs) == 3
                with pytest.raises(InvalidRequest, match="name trainings"):
                    blocking.compare()

        await asyncio.to_thread(compared)
