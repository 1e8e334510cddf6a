"""Trainings taken out: run folders as archives, and tables of metrics."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rlplatform.cli import exit_codes
from rlplatform.client import Client
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.events import TrainingEvaluated, TrainingRecovered, TrainingStarted
from rlplatform.training.models import EvaluationReport
from tests.api.command import rlp

pytestmark = pytest.mark.anyio
REPORT = EvaluationReport(
    episodes=10,
    episode_return_mean=42.0,
    episode_return_std=1.0,
    episode_return_min=40.0,
    episode_return_max=44.0,
    episode_length_mean=42.0,
)


async def _trained(it: Any, training: dict[str, Any], **request: Any) -> Any:
    """A training that lost its trainer after iteration 3, continued from iteration 2, and did 4 iterations."""
    async with it.client() as client:
        answer = await client.post("/v1/trainings", json=training | request)
    run = await it.store.get(answer.json()["id"])
    at: dict[str, Any] = {"stream": run.stream, "time": samples.checkpoint().created_at, "simulated": True}
    manifest = {"request": training, "engine": {"hyperparameters": {"gamma": 0.9}}}
    await it.commands.play(run.stream, TrainingStarted(**at, manifest=manifest))
    await it.commands.iterate(run, 1, 3)
    again = TrainingRecovered(
        **at, checkpoint_id=None, iteration=2, env_steps=512, redone_iterations=1, redone_env_steps=256
    )
    await it.commands.play(run.stream, again)
    await it.commands.iterate(run, 3, 4)
    await it.commands.play(run.stream, TrainingEvaluated(**at, iteration=4, env_steps=1024, report=REPORT))
    await it.commands.succeed(run)
    return await it.store.get(run.id)


async def test_a_table_has_each_iteration_once_with_the_evaluation_in_its_row(platform, training) -> None:
    async with platform() as it, it.client() as client:
        first = await _trained(it, training, name="=first", labels={"group": "a"})
        second = await _trained(it, training, seed=5, labels={"group": "a"})
        answer = await client.get("/v1/trainings:export", params={"run": f"{first.id},{second.id}"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8"), answer.text
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(row["training_id"], row["iteration"]) for row in rows] == [
            (run.id, str(number)) for run in (first, second) for number in (1, 2, 3, 4)
        ]
        assert [row["seed"] for row in rows[3:5]] == ["0", "5"]
        assert rows[0]["name"] == "'=first"
        assert [row["eval/episode_return_mean"] for row in rows[:4]] == ["", "", "", "42.0"]
        assert rows[2]["rollout/episode_return_mean"] == "30.0"

        answer = await client.get("/v1/trainings:export", params={"label": "group=a", "format": "parquet"})
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
        assert table.column("iteration").to_pylist() == [1, 2, 3, 4] * 2
        assert table.column("eval/episode_return_mean").to_pylist()[3] == 42.0
        assert table.column("name").to_pylist()[-1] == "=first"  # newest first, and no spreadsheet


@pytest.mark.parametrize(
    ("params", "field"),
    [({}, "run"), ({"run": "train_1", "env": "x"}, "env"), ({"format": "xls", "env": "x"}, "format")],
)
async def test_a_table_of_nothing_in_particular_is_refused(platform, params: dict[str, str], field: str) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.get("/v1/trainings:export", params=params)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_run_folder_is_one_archive_of_the_same_bytes(platform, training, tmp_path: Path) -> None:
    checkpoints = MemoryCheckpoints()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "policy.bin").write_bytes(b"weights")
    async with platform(checkpoints=checkpoints) as it, it.client() as client:
        run = await _trained(it, training)
        saved = checkpoints.commit(samples.checkpoint(run.id), tmp_path / "files")
        answer = await client.get(f"/v1/trainings/{run.id}/files")
        assert answer.status_code == 200, answer.text
        tag = answer.headers["etag"]
        assert tag == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            names = {name.removeprefix(f"{run.id}/") for name in tar.getnames()}
            events = tar.extractfile(f"{run.id}/events.ndjson")
            assert events is not None
            assert len(events.read().splitlines()) == run.seq
            table = tar.extractfile(f"{run.id}/progress.csv")
            assert table is not None
            assert [row["iteration"] for row in csv.DictReader(io.TextIOWrapper(table))] == ["1", "2", "3", "4"]
        assert {"training.json", "manifest.json", "config.yml", "result.json"} <= names
        assert f"checkpoints/{saved.iteration:06d}_{saved.id}/policy.bin" in names
        assert any(name.startswith("events.out.tfevents.") for name in names)

        part = await client.get(f"/v1/trainings/{run.id}/files", headers={"Range": "bytes=100-199", "If-Range": tag})
        assert (part.status_code, part.content) == (206, answer.content[100:200])
        same = await client.get(f"/v1/trainings/{run.id}/files", headers={"If-None-Match": tag})
        assert same.status_code == 304


async def test_an_interrupted_run_folder_is_continued(platform, training, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        run = await _trained(it, training)
        key = await it.key()
        target = tmp_path / "run.tar"

        def interrupted() -> int:
            def stop(received: int, total: int) -> None:
                raise KeyboardInterrupt

            with Client(url, key) as client, pytest.raises(KeyboardInterrupt):
                client.download_run(run.id, target, progress=stop)
            (part,) = tmp_path.glob("run.tar.*.part")
            with part.open("r+b") as file:
                file.truncate(700)  # what the disk has of it
            return 700

        def continued() -> list[int]:
            seen: list[int] = []
            with Client(url, key) as client:
                client.download_run(run.id, target, progress=lambda received, total: seen.append(total))
            return seen

        had = await asyncio.to_thread(interrupted)
        totals = await asyncio.to_thread(continued)
        assert had < totals[0] == target.stat().st_size
        assert not list(tmp_path.glob("*.part"))
        assert tarfile.is_tarfile(target)


async def test_rlp_downloads_a_run_folder_and_a_table(platform, training, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        run = await _trained(it, training, labels={"group": "a"})
        done = await rlp(tmp_path, "runs", "download", run.id[-8:], "--files", **at)
        assert (done.code, done.out.strip()) == (exit_codes.DONE, f"{run.id}.tar"), done.err
        assert tarfile.is_tarfile(tmp_path / f"{run.id}.tar")
        refused = await rlp(tmp_path, "runs", "download", run.id, **at)
        assert (refused.code, "give --files" in refused.err) == (exit_codes.USAGE, True)
        done = await rlp(tmp_path, "runs", "export", "--label", "group=a", "-o", "a.csv", **at)
        assert done.code == exit_codes.DONE, done.err
        assert len((tmp_path / "a.csv").read_text().splitlines()) == 5
