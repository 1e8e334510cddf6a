"""``/v1/trainings``: steering, metrics, checkpoints."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rlplatform.clock import SystemClock
from rlplatform.evaluation.models import Verdict
from rlplatform.storage import open_checkpoints
from rlplatform.testing import samples
from rlplatform.testing.clock import FakeClock
from rlplatform.training.events import TrainingRecovered, TrainingStarting
from rlplatform.training.record import TrainingRun

pytestmark = pytest.mark.anyio
RETURN = "rollout/episode_return_mean"


async def test_steering(platform, training) -> None:
    async with platform() as it, it.client() as client:
        path = (await client.post("/v1/trainings", json=training)).headers["location"]
        for command, desired in (("pause", "pause"), ("pause", "pause"), ("resume", "run"), ("stop", "stop")):
            assert (await client.post(f"{path}/{command}")).status_code == 202
            assert (await it.store.find("training"))[0].desired == desired
        await it.commands.succeed((await it.store.find("training"))[0])
        refused = await client.post(f"{path}/resume")
        assert (refused.status_code, refused.json()["state"]) == (409, "succeeded")
        assert (await client.post(f"{path}/stop")).status_code == 202
        assert (await client.post(f"{path}/fly")).status_code == 404


async def test_a_check_starts_nothing_and_says_what_would_be_trained(platform, training) -> None:
    async with platform() as it, it.client() as client:
        request = {**training, "engine": "rllib", "stop": {"env_steps": 100_001}}
        answer = await client.post("/v1/trainings:check", json=request)
        assert answer.status_code == 200, answer.text
        checked = answer.json()
        each = checked["env_steps_per_rollout"]
        assert each == checked["hyperparameters"]["n_steps"] * checked["num_envs"]
        assert checked["env_steps_per_iteration"] == 2048, "an iteration bundles short rollouts"
        assert 100_001 <= checked["env_steps"] < 100_001 + each
        refused = await client.post("/v1/trainings:check", json={**request, "hyperparameters": {"gamma": 1.5}})
        assert (refused.status_code, refused.json()["field"]) == (422, "hyperparameters.gamma")
        assert await it.store.find("training") == []
        reader = await it.key(scopes=["read"])
        forbidden = await client.post(
            "/v1/trainings:check", json=request, headers={"Authorization": f"Bearer {reader}"}
        )
        assert forbidden.status_code == 403


async def started(it: Any, client: Any, training: dict[str, Any]) -> TrainingRun:
    run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
    assert isinstance(run, TrainingRun)
    return run


@pytest.mark.parametrize(("iterations", "max_points"), [(1, 2), (5, 10), (100, 10), (1000, 7), (1000, 2)])
async def test_metrics_are_thinned_evenly_and_keep_the_last(
    platform, training, iterations: int, max_points: int
) -> None:
    async with platform() as it, it.client() as client:
        run = await started(it, client, training)
        await it.commands.iterate(run, 1, iterations)
        answer = await client.get(f"/v1/trainings/{run.id}/metrics?max_points={max_points}")
        series = answer.json()
        points = series["iteration"]
        assert len(points) <= max_points
        assert (points[0], points[-1]) == (1, iterations)
        assert {later - sooner for sooner, later in pairwise(points[:-1])} <= {series["stride"]}
        assert len(points) > max_points // 4 or len(points) == iterations
        assert series["env_steps"] == [256 * point for point in points]
        assert series["metrics"] == {RETURN: [min(500.0, 10.0 * point) for point in points]}
        assert series["simulated"] is True


async def test_metrics_by_name(platform, training) -> None:
    async with platform() as it, it.client() as client:
        run = await started(it, client, training)
        path = f"/v1/trainings/{run.id}/metrics"
        assert (await client.get(f"{path}?names={RETURN}")).json()["metrics"] == {RETURN: []}
        await it.commands.iterate(run, 1, 3)
        assert (await client.get(f"{path}?names={RETURN}")).json()["metrics"] == {RETURN: [10, 20, 30]}
        wrong = await client.get(f"{path}?names=rollout/episode_retrun_mean")
        assert (wrong.status_code, wrong.json()["did_you_mean"]) == (422, [RETURN])


async def test_iterations_that_a_recovery_does_again_are_there_once(platform, training) -> None:
    async with platform() as it, it.client() as client:
        run = await started(it, client, training)
        await it.commands.iterate(run, 1, 10)
        recovered = TrainingRecovered(
            stream=run.stream,
            time=SystemClock().now(),
            checkpoint_id=None,
            iteration=4,
            env_steps=4 * 256,
            redone_iterations=6,
            redone_env_steps=6 * 256,
        )
        await it.commands.play(run.stream, recovered)
        await it.commands.iterate(run, 5, 12)
        series = (await client.get(f"/v1/trainings/{run.id}/metrics")).json()
        assert series["iteration"] == list(range(1, 13))


async def test_usage_is_of_the_tenant_and_of_today(platform, training, evaluation) -> None:
    clock = FakeClock(datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    async with platform(clock=clock) as it, it.client() as client, it.client(await it.key("other")) as other:
        await started(it, client, training)
        await clock.advance(3700)
        run = await started(it, client, training)
        await it.commands.play(run.stream, TrainingStarting(stream=run.stream, time=clock.now(), epoch=1))
        await it.commands.iterate(run, 1, 4)
        await client.post("/v1/evaluations", json=evaluation)
        await it.commands.finish((await it.store.find("evaluation"))[0], [Verdict.ACCEPTED])
        await client.post("/v1/evaluations", json=evaluation)
        await other.post("/v1/evaluations", json=evaluation)
        usage = (await client.get("/v1/usage")).json()
        stored_bytes = usage.pop("stored_bytes")
        assert stored_bytes > 4000
        assert {row["quota"]: row["used"] for row in usage.pop("quotas")} == {
            "events_per_day": 11,
            "stored_bytes": stored_bytes,
            "concurrent_evaluations": 1,
            "concurrent_trainings": 2,
            "concurrent_studies": 0,
            "sandbox_cpu_s_per_day": 0.0,
            "env_steps_per_day": 1024,
            "policies": 0,
            "file_bytes": 0,
        }
        assert usage == {
            "tenant": "school",
            "since": "2026-03-02T00:00:00Z",
            "queued_evaluations": 1,
            "running_evaluations": 0,
            "queued_trainings": 1,
            "active_trainings": 1,
            "evaluations_today": 2,
            "sandbox_cpu_time_s_today": 0.0,
            "trainings_today": 1,
            "env_steps_today": 1024,
            "events_today": 11,
            "checkpoint_bytes": None,
            "policies": 0,
            "file_bytes": 0,
        }
        assert (await other.get("/v1/usage")).json()["evaluations_today"] == 1


async def test_checkpoints_are_listed_and_downloaded(platform, training, tmp_path: Path) -> None:
    store = open_checkpoints(str(tmp_path / "store"))
    async with platform(checkpoints=store) as it, it.client() as client, it.client(await it.key("other")) as other:
        run = await started(it, client, training)
        source = tmp_path / "source"
        source.mkdir()
        (source / "weights.bin").write_bytes(b"\x00" * 1000)
        info = store.commit(
            samples.checkpoint(run.id, 1, episode_return_mean=None),
            source,
        )
        listed = (await client.get(f"/v1/trainings/{run.id}/checkpoints")).json()["items"]
        assert listed == [info.model_dump(mode="json")]
        answer = await client.get(f"/v1/checkpoints/{info.id}/download")
        assert answer.headers["content-type"] == "application/x-tar"
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            member = archive.extractfile(f"{info.id}/weights.bin")
            assert member is not None
            assert member.read() == b"\x00" * 1000
        assert (await other.get(f"/v1/checkpoints/{info.id}/download")).status_code == 404
        assert (await client.get("/v1/checkpoints/nonsense/download")).status_code == 404
