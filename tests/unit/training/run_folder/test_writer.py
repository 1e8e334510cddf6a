"""The run folder says what the event stream says."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rlplatform.errors import CapacityExhausted
from rlplatform.settings import Settings
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.engines import ScriptedEngine
from rlplatform.training.events import TrainingIterationCompleted
from rlplatform.training.manifest import RunManifest
from rlplatform.training.models import Progress, TrainingRequest
from rlplatform.training.run_folder.writer import RunFolder
from rlplatform.training.session import TrainingSession

RUN = "train_01jd0000000000000000000000"


@pytest.fixture
def stream(tmp_path: Path) -> tuple[list[Any], MemoryCheckpoints]:
    """Return the events of a training that crashed at its sixth iteration and was recovered from its fourth."""
    request = TrainingRequest.model_validate(
        {
            "env": "CartPole-v1",
            "stop": {"iterations": 8},
            "evaluation": {"every_iterations": 3, "episodes": 5},
            "checkpoint": {"every_iterations": 4, "keep_last": 1, "keep_best": False},
        }
    )
    log: list[Any] = []
    checkpoints = MemoryCheckpoints()

    def session(engine: ScriptedEngine) -> TrainingSession:
        manifest = RunManifest.of(RUN, request, engine).model_dump(mode="json")
        return TrainingSession(
            RUN, request, engine, checkpoints, FakeClock(), tmp_path / "scratch", log.append, manifest=manifest
        )

    with pytest.raises(CapacityExhausted):
        session(ScriptedEngine(failures={7: CapacityExhausted("gone")})).run()
    recovered = session(ScriptedEngine(returns=lambda iteration: 100.0 + iteration))
    recovered.recover(Progress(iteration=6, env_steps=600))
    recovered.run()
    return log, checkpoints


def write_all(folder: RunFolder, log: list[Any]) -> None:
    for event in log:
        folder.write(event)
    folder.close()


def test_a_row_an_iteration_once(stream: Any, tmp_path: Path) -> None:
    write_all(RunFolder(tmp_path / "run"), stream[0])
    with (tmp_path / "run" / "progress.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["iteration"]) for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [float(row["rollout/episode_return_mean"]) for row in rows] == [1, 2, 3, 4, 105, 106, 107, 108]
    assert [row["eval/episode_return_mean"] for row in rows if row["eval/episode_return_mean"]] == ["3.0", "6.0", "8.0"]
    results = [json.loads(line) for line in (tmp_path / "run" / "result.json").read_text().splitlines()]
    assert [result["iteration"] for result in results] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [result["env_steps"] for result in results] == [100 * iteration for iteration in range(1, 9)]


def test_config_and_manifest(stream: Any, tmp_path: Path) -> None:
    write_all(RunFolder(tmp_path / "run"), stream[0])
    config = yaml.safe_load((tmp_path / "run" / "config.yml").read_text())
    assert config["env"] == "CartPole-v1"
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["training_id"] == RUN


def test_tensorboard_scalars_over_environment_steps(stream: Any, tmp_path: Path) -> None:
    write_all(RunFolder(tmp_path / "run"), stream[0])
    files = list((tmp_path / "run").glob("events.out.tfevents.*"))
    assert files
    assert any(b"rollout/episode_return_mean" in file.read_bytes() for file in files)


def test_copies_the_checkpoints_that_are_kept(stream: Any, tmp_path: Path) -> None:
    log, checkpoints = stream
    write_all(RunFolder(tmp_path / "run", checkpoints), log)
    copies = list((tmp_path / "run" / "checkpoints").iterdir())
    assert [copy.name for copy in copies] == [f"000008_{checkpoints.list(RUN)[-1].id}"]
    assert (copies[0] / "session.json").exists()


def test_can_be_written_while_the_training_runs(stream: Any, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    seen: list[int] = []
    check: Callable[[], int] = lambda: len((tmp_path / "run" / "result.json").read_text().splitlines())  # noqa: E731
    for event in stream[0]:
        folder.write(event)
        folder.flush()
        if isinstance(event, TrainingIterationCompleted):
            seen.append(check())
    folder.close()
    folder.close()
    assert seen == [1, 2, 3, 4, 5, 6, 5, 6, 7, 8]


def read_monitor(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Read ``monitor.csv`` as Stable-Baselines3's ``load_results`` does: a line of JSON after ``#``, then a table."""
    with (folder / "monitor.csv").open() as file:
        head = file.readline()
        assert head[0] == "#"
        return json.loads(head[1:]), list(csv.DictReader(file))


def write_with_episodes(folder: RunFolder, log: list[Any]) -> None:
    for event in log:
        iteration = getattr(event, "iteration", 0)
        folder.write(event, [(float(iteration), 10), (iteration + 0.5, 20)])
    folder.close()


def test_a_row_of_the_monitor_file_for_each_episode(stream: Any, tmp_path: Path) -> None:
    write_with_episodes(RunFolder(tmp_path / "run"), stream[0])
    head, rows = read_monitor(tmp_path / "run")
    assert head["env_id"] == "CartPole-v1"
    assert [float(row["r"]) for row in rows] == [number + part for number in range(1, 9) for part in (0, 0.5)]
    assert [int(row["l"]) for row in rows] == [10, 20] * 8
    times = [float(row["t"]) for row in rows]
    assert times == sorted(times)
    assert times[0] >= 0


def test_a_monitor_file_is_continued_by_another_writer_and_loses_what_is_done_again(
    stream: Any, tmp_path: Path
) -> None:
    log = stream[0]
    crash = next(index for index, event in enumerate(log) if event.type == "training.recovered")
    write_with_episodes(RunFolder(tmp_path / "run"), log[:crash])
    with (tmp_path / "run" / "monitor.csv").open("a") as file:
        file.write("6.5,2")  # the writer died here
    before, _ = read_monitor(tmp_path / "run")
    write_with_episodes(RunFolder(tmp_path / "run"), log[crash:])
    head, rows = read_monitor(tmp_path / "run")
    assert head == before
    assert [int(row["iteration"]) for row in rows] == [number for number in range(1, 9) for _ in range(2)]


def test_where_it_is() -> None:
    assert Settings.model_validate({"state_dir": "state"}).run_folder(RUN) == Path("state/runs") / RUN
    assert Settings.model_validate({"training": {"run_dir": "/runs"}}).run_folder(RUN) == Path("/runs") / RUN
    assert Settings.model_validate({"training": {"run_dir": ""}}).run_folder(RUN) is None
