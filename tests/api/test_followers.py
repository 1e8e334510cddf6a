"""``rlp export`` into other tools: killed at any moment and started again, it leaves no gap and no double."""

from __future__ import annotations

import asyncio
import signal
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rlplatform.cli import exit_codes
from rlplatform.cli.exports.follower import Cursor, Follower, Point, Sink
from rlplatform.cli.exports.to_tensorboard import TensorBoardSink
from rlplatform.clock import SystemClock
from rlplatform.runs.events import Event
from rlplatform.testing import samples
from rlplatform.training.events import TrainingEvaluated, TrainingIterationCompleted
from rlplatform.training.models import EvaluationReport, Training, TrainingState
from tests.api.command import rlp, start
from tests.tensorboard import scalars

RETURN = "rollout/episode_return_mean"


class Killed(BaseException):
    """The process is gone: nothing is closed or stored any more."""


def _training() -> Training:
    run = samples.training_run(SystemClock())
    return run.document.model_copy(update={"state": TrainingState.SUCCEEDED, "labels": {"group": "a"}})


def _events(training: Training, count: int = 12) -> list[Event]:
    """Iterations, of which 5 and 6 are repeated after a recovery, and evaluations of every fourth."""
    found: list[Event] = []
    for number in [*range(1, 7), *range(5, count + 1)]:
        at: dict[str, Any] = {"stream": f"trainings/{training.id}", "time": samples.checkpoint().created_at}
        at |= {"iteration": number, "env_steps": 100 * number, "seq": len(found) + 1}
        metrics = {RETURN: float(number)}
        found.append(TrainingIterationCompleted(**at, episodes=number, train_wall_s=0.1 * number, metrics=metrics))
        if number % 4 == 0:
            values = {name: float(number) for name in EvaluationReport.model_fields if name != "episodes"}
            report = EvaluationReport.model_validate({"episodes": 3, **values})
            found.append(TrainingEvaluated(**(at | {"seq": len(found) + 1}), report=report))
    return found


def _until(events: Sequence[Event], last: int) -> Iterator[Event]:
    for event in events:
        if event.seq > last:
            raise Killed
        yield event


def _copy(sink: Sink, training: Training, events: Sequence[Event], path: Path, last: int | None = None) -> None:
    """Run a follower to the end, or kill it after event ``last``."""
    follower = Follower(training, sink, path, commit_events=3)
    rest = [event for event in events if event.seq > follower.cursor.seq]
    try:
        follower.copy(rest if last is None else _until(rest, last))
    except Killed:
        return
    follower.close(training)


def test_tensorboard_has_every_point_once_however_often_the_follower_is_killed(tmp_path: Path) -> None:
    training = _training()
    events = _events(training)
    for last in range(len(events)):
        folder = tmp_path / str(last)
        folder.mkdir()
        for stop in (last, (last + len(events)) // 2, None):
            sink = TensorBoardSink(folder)
            _copy(sink, training, events, folder / "position.json", stop)
            sink._file.close()  # what the system had not written yet may be in the file, or not
        (file,) = folder.glob("events.out.tfevents.*")
        found = scalars(file)
        assert [step for tag, step, _ in found if tag == RETURN] == [100 * number for number in range(1, 13)]
        assert [step for tag, step, _ in found if tag == "eval/episode_return_mean"] == [400, 800, 1200]


class _Memory:
    """A sink of which everything stays that was logged, committed or not, as in MLflow."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.opened: list[Mapping[str, Any] | None] = []

    def open(self, training: Training, state: Mapping[str, Any] | None) -> None:
        self.opened.append(state)

    def log(self, point: Point) -> None:
        self.points.append(point)

    def commit(self) -> Mapping[str, Any]:
        return {"count": len(self.points)}

    def close(self, training: Training) -> Mapping[str, Any]:
        return self.commit()


def test_what_a_recovery_repeats_is_copied_once(tmp_path: Path) -> None:
    sink, training = _Memory(), _training()
    _copy(sink, training, _events(training), tmp_path / "position.json")
    steps = [point.step for point in sink.points if RETURN in point.values]
    assert steps == [100 * number for number in range(1, 13)]
    assert Cursor.load(tmp_path / "position.json", training.id).seq == len(_events(training))


def test_mlflow_has_every_value_once_however_often_the_follower_is_killed(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow is an optional package")
    from rlplatform.cli.exports.to_mlflow import MlflowSink

    training = _training()
    events = _events(training)
    place = (tmp_path / "mlruns").as_uri()
    for last in (2, 8, None):
        _copy(MlflowSink(place, "course"), training, events, tmp_path / "position.json", last)
        if last == 2:
            (tmp_path / "position.json").unlink(missing_ok=True)  # killed before it was stored for the first time
    client = mlflow.MlflowClient(tracking_uri=place)
    (run,) = client.search_runs([client.get_experiment_by_name("course").experiment_id])
    counts = Counter(metric.step for metric in client.get_metric_history(run.info.run_id, RETURN))
    assert counts == Counter(100 * number for number in range(1, 13))
    assert (run.info.status, run.data.tags["label.group"]) == ("FINISHED", "a")
    assert run.data.params["env"] == training.request.env


def test_mlflow_gets_the_settings_once_they_are_known_for_good(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow is an optional package")
    from rlplatform.cli.exports.to_mlflow import MlflowSink

    training = _training()
    request = training.request.model_copy(update={"hyperparameters": {"gamma": 1}})
    queued = training.model_copy(update={"request": request, "state": TrainingState.QUEUED, "manifest": None})
    manifest = {"engine": {"hyperparameters": {"gamma": 1.0, "n_steps": 64}}}
    running = queued.model_copy(update={"state": TrainingState.RUNNING, "manifest": manifest})
    place = (tmp_path / "mlruns").as_uri()
    for document in (queued, running, running.model_copy(update={"state": TrainingState.SUCCEEDED})):
        _copy(MlflowSink(place, "course"), document, [], tmp_path / "position.json")
    client = mlflow.MlflowClient(tracking_uri=place)
    (run,) = client.search_runs([client.get_experiment_by_name("course").experiment_id])
    assert (run.data.params["gamma"], run.data.params["n_steps"], run.info.status) == ("1.0", "64", "FINISHED")


def test_the_position_is_stored_while_a_slow_training_goes_on(tmp_path: Path) -> None:
    training = _training()
    events = _events(training)
    sink = TensorBoardSink(tmp_path)
    follower = Follower(training, sink, tmp_path / "position.json", commit_s=0)
    with pytest.raises(Killed):
        follower.copy(_until(events, 4))
    sink._file.close()
    assert Cursor.load(tmp_path / "position.json", training.id).seq == 4


def _records(path: Path) -> Iterator[bytes]:
    """The records of an offline file of W&B: 7 bytes of header, then LevelDB's log format in blocks of 32 KiB."""
    data, at, record = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (rest := 32768 - at % 32768) < 7:
            at += rest
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        record += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or its last part
            yield record
            record = b""


@pytest.mark.timeout(300)
def test_wandb_folders_have_every_row_once_however_often_the_follower_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="Weights & Biases is an optional package")
    from wandb.proto import wandb_internal_pb2

    from rlplatform.cli.exports.to_wandb import WandbSink

    training = _training()
    events = _events(training)
    half = [event for event in events if event.seq <= 9]
    left = tmp_path / "part-1" / "wandb" / "offline-run-of-a-killed-follower"
    left.mkdir(parents=True)
    for part in (half, events):
        _copy(WandbSink(tmp_path, "course"), training, part, tmp_path / "position.json")
    assert not left.exists()
    steps = []
    for path in sorted(tmp_path.glob("part-*/wandb/offline-run-*/*.wandb")):
        for data in _records(path):
            record = wandb_internal_pb2.Record.FromString(data)
            if record.WhichOneof("record_type") == "history":
                steps.append(record.history.step.num)
    assert steps == [100 * number for number in range(1, 13)]


@pytest.mark.anyio
async def test_a_follower_that_is_killed_while_the_training_runs_goes_on_where_it_was(
    platform, tmp_path: Path, training: dict[str, Any]
) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        async with it.client() as client:
            run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        await it.commands.iterate(run, 1, 450)
        process = await start(tmp_path, "export", run.id, "--to", "tensorboard", "-o", "out", **at)
        position = tmp_path / "out" / "tensorboard" / run.id / "position.json"
        async with asyncio.timeout(60):
            while not position.exists():
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        stored = Cursor.load(position, run.id).seq
        assert 0 < stored <= 451
        await it.commands.iterate(run, 451, 500)
        await it.commands.succeed(run)
        done = await rlp(tmp_path, "export", run.id, "--to", "tensorboard", "-o", "out", "--json", **at)
        assert done.code == exit_codes.DONE, done.err
        assert done.lines[-1]["seq"] == 502
        (file,) = position.parent.glob("events.out.tfevents.*")
        assert [step for _, step, _ in scalars(file)] == [256 * number for number in range(1, 501)]
