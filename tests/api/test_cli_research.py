"""A researcher's day with ``rlp``: continue, clone."""

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
