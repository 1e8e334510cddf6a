"""A researcher's day with ``rlp``: continue, clone, compare, plot; tables of a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rlplatform.cli import exit_codes
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from tests.api.command import rlp

pytestmark = pytest.mark.anyio


async def _trained(it: Any, request: dict[str, Any], iterations: int = 4) -> Any:
    """A finished training."""
    async with it.client() as client:
        answer = await client.post("/v1/trainings", json=request)
    assert answer.status_code == 202, answer.text
    run = await it.store.get(answer.json()["id"])
    await it.commands.iterate(run, 1, iterations)
    await it.commands.succeed(run)
    return run


async def _newest(it: Any) -> Any:
    return await it.store.get((await it.store.find("training"))[0].id)


async def test_a_clone_is_the_training_with_other_settings(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        run = await _trained(it, {**training, "name": "first", "labels": {"group": "a"}})
        call = ["runs", "clone", run.id[-8:], "--set", "lr=0.001", "--set", "seed=5", "--set", "stop.env_steps=99"]
        done = await rlp(tmp_path, *call, "--label", "try=2", "--detach", **at)
        assert done.code == exit_codes.DONE, done.err
        document = (await _newest(it)).document
        assert document.id == done.out.strip() != run.id
        request = document.request
        assert (request.env, request.engine, request.seed) == ("CartPole-v1", "simulated", 5)
        assert (request.hyperparameters, request.stop.env_steps) == ({"learning_rate": 0.001}, 99)
        assert (document.name, document.labels) == (None, {"group": "a", "try": "2"})
        assert f"{url}/#/trainings/{document.id}" in done.err


async def test_a_training_is_continued_with_its_settings(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    checkpoints = MemoryCheckpoints()
    async with platform(checkpoints=checkpoints) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        run = await _trained(it, {**training, "seed": 7, "hyperparameters": {"gamma": 0.9, "n_epochs": 3}})
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "policy.bin").write_bytes(b"weights")
        saved = checkpoints.commit(samples.checkpoint(run.id), tmp_path / "files")
        done = await rlp(tmp_path, "train", "--from", run.id, "-H", "gamma:0.5", "--detach", **at)
        assert done.code == exit_codes.DONE, done.err
        request = (await _newest(it)).document.request
        assert (request.resume_from, request.stop.env_steps) == (saved.id, saved.env_steps + 10_000)
        assert (request.seed, request.hyperparameters) == (7, {"gamma": 0.5, "n_epochs": 3})
        done = await rlp(tmp_path, "train", "--from", run.id, "--more-env-steps", "50", "--detach", **at)
        assert (await _newest(it)).document.request.stop.env_steps == saved.env_steps + 50


async def test_a_training_needs_an_environment_or_an_origin(tmp_path: Path) -> None:
    done = await rlp(tmp_path, "train", "--env-steps", "10", RLP_URL="http://127.0.0.1:1", RLP_API_KEY="k")
    assert (done.code, "give --env, or --from" in done.err) == (exit_codes.USAGE, True)


async def test_trainings_are_compared_and_plotted(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(), "COLUMNS": "80"}
        runs = [
            await _trained(it, {**training, "seed": seed, "hyperparameters": {"gamma": gamma}}, iterations=10 * number)
            for number, (gamma, seed) in enumerate([(0.9, 0), (0.9, 1), (0.5, 0)], 1)
        ]
        ids = [run.id[-8:] for run in runs]
        done = await rlp(tmp_path, "runs", "compare", *ids, **at)
        assert done.code == exit_codes.DONE, done.err
        assert all(len(line) <= 80 for line in done.out.splitlines())
        words = done.out.split()
        assert all(f"…{run.id[-8:]}" in words for run in runs)
        assert "[100.0," in words  # two runs of one group, with an interval
        assert "2,560" in words  # environment steps in a second: 256 in 0.1 s
        assert [line.split() for line in done.out.splitlines() if line.startswith("gamma")] == [["gamma", "0.5", "0.9"]]
        assert f"{url}/#/compare?id={runs[2].id}" in done.err.replace("\n", "")

        done = await rlp(tmp_path, "runs", "plot", *ids, "--height", "6", **at)
        lines = done.out.splitlines()
        assert lines[0] == "rollout/episode_return_mean"
        assert all(len(line) <= 80 for line in lines)
        assert [line.strip()[0] for line in lines[-3:]] == ["A", "B", "C"]
        assert "7680 steps" in done.out

        refused = await rlp(tmp_path, "runs", "plot", **at)
        assert (refused.code, "give ids of trainings, or --label" in refused.err) == (exit_codes.USAGE, True)


async def test_a_list_fits_eighty_columns_with_ids_cut_to_their_end(
    platform, tmp_path: Path, training: dict[str, Any]
) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        run = await _trained(it, {**training, "name": "a rather long name of a run", "hyperparameters": {"gamma": 0.9}})
        done = await rlp(tmp_path, "runs", "ls", **at, COLUMNS="80")
        assert all(len(line) <= 80 for line in done.out.splitlines())
        short = done.out.splitlines()[1].split()[0]
        assert short == f"…{run.id[-8:]}"
        shown = await rlp(tmp_path, "runs", "show", short, **at)
        assert run.id in shown.out
        assert run.id in (await rlp(tmp_path, "runs", "ls", **at)).out
