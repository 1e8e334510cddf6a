"""Pictures of a training's newest policy are drawn when they are asked for, and shared."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from gymnasium import make

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.policy import PPOPolicy, policy_folder
from rlplatform.clock import SystemClock
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.environments.options import DEFAULT_OPTIONS
from rlplatform.errors import Conflict, EngineError, NotReady, TooManyRequests
from rlplatform.ids import Kind, new_id
from rlplatform.playing import watching
from rlplatform.playing.ports import WatchedTraining
from rlplatform.playing.process import Worker
from rlplatform.playing.watching import WatchedTrainings
from rlplatform.settings import EpisodeSettings
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.models import CheckpointInfo

pytestmark = pytest.mark.anyio
SAID = {
    "episode": 1,
    "step": 2,
    "episode_return": 2.0,
    "reward": 1.0,
    "action": [0.0],
    "observation": [],
    "over": False,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class FakeWorker:
    """A worker that answers while ``go`` is set, and counts."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.started: list[str] = []
        self.folders: list[Path] = []
        self.asked: list[str] = []
        self.ended = 0
        self.problem: Exception | None = None

    def __call__(self, name: str, job: Mapping[str, Any], folder: Path, _: EpisodeSettings) -> Any:
        self.started.append(job["run_id"])
        self.folders.append(folder)
        return self

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        assert any(folder.joinpath(request["checkpoint"]).is_dir() for folder in self.folders)
        self.asked.append(request["checkpoint"])
        assert self.go.wait(5)
        if self.problem is not None:
            raise self.problem
        return SAID, b"picture"

    def end(self) -> None:
        self.ended += 1


def training(tenant: str = "lab", env: str = "CartPole-v1") -> WatchedTraining:
    return WatchedTraining(new_id(Kind.TRAINING), tenant, "ppo", env, {}, DEFAULT_OPTIONS.as_json())


def commit(checkpoints: MemoryCheckpoints, run_id: str, source: Path, iteration: int) -> str:
    info = CheckpointInfo(
        id=new_id(Kind.CHECKPOINT),
        training_id=run_id,
        iteration=iteration,
        env_steps=100 * iteration,
        size_bytes=0,
        manifest_sha256="",
        created_at=datetime.now(UTC),
    )
    return checkpoints.commit(info, source).id


async def no_code(env: str, run_id: str) -> dict[str, Any]:
    return {}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("of a checkpoint")
    return tmp_path


def trainings(checkpoints: MemoryCheckpoints, worker: Any, **settings: int) -> WatchedTrainings:
    return WatchedTrainings(checkpoints, EpisodeSettings(**settings), SystemClock(), no_code, worker)


async def test_viewers_of_a_training_share_its_pictures(source: Path) -> None:
    checkpoints, worker, it = MemoryCheckpoints(), FakeWorker(), training()
    commit(checkpoints, it.run_id, source, 1)
    watched = trainings(checkpoints, worker)
    worker.go.clear()
    asked = [asyncio.create_task(watched.frame(it, 0)) for _ in range(3)]
    await asyncio.sleep(0.05)
    asked[0].cancel()  # somebody leaves
    worker.go.set()
    assert [(await task).number for task in asked[1:]] == [1, 1]
    assert (await watched.frame(it, 0)).number == 1, "who is late gets the newest picture at once"
    assert (await watched.frame(it, 1)).number == 2
    assert (worker.started, len(worker.asked)) == ([it.run_id], 2)


async def test_nothing_is_drawn_while_nobody_asks_and_the_process_ends(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "IDLE_S", 0.1)
    checkpoints, worker, it = MemoryCheckpoints(), FakeWorker(), training()
    commit(checkpoints, it.run_id, source, 1)
    watched = trainings(checkpoints, worker)
    await watched.frame(it, 0)
    while len(watched):
        await asyncio.sleep(0.01)
    while not worker.ended:
        await asyncio.sleep(0.01)
    assert len(worker.asked) == 1
    while worker.folders[0].exists():
        await asyncio.sleep(0.01)


async def test_the_game_continues_with_the_newest_checkpoint(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.0)
    checkpoints, worker, it = MemoryCheckpoints(), FakeWorker(), training()
    watched = trainings(checkpoints, worker)
    with pytest.raises(NotReady, match="no checkpoint yet"):
        await watched.frame(it, 0)
    first = commit(checkpoints, it.run_id, source, 1)
    assert (await watched.frame(it, 0)).checkpoint_id == first
    second = commit(checkpoints, it.run_id, source, 2)
    frame = await watched.frame(it, 1)
    assert (frame.checkpoint_id, frame.iteration, frame.env_steps) == (second, 2, 200)
    assert [path.name for path in worker.folders[0].iterdir() if path.is_dir()] == [second]
    checkpoints.delete(it.run_id, first)
    checkpoints.delete(it.run_id, second)
    assert (await watched.frame(it, 2)).checkpoint_id == second, "a policy that plays stays, also without checkpoint"


async def test_a_tenant_watches_few_trainings_at_a_time(source: Path) -> None:
    checkpoints, worker = MemoryCheckpoints(), FakeWorker()
    watched = trainings(checkpoints, worker, watched=3, watched_per_tenant=2)
    mine, other = [training("lab") for _ in range(3)], [training("course") for _ in range(2)]
    for it in [*mine, *other]:
        commit(checkpoints, it.run_id, source, 1)
    await watched.frame(mine[0], 0)
    await watched.frame(mine[1], 0)
    with pytest.raises(TooManyRequests, match="2 trainings of this tenant"):
        await watched.frame(mine[2], 0)
    await watched.frame(other[0], 0)
    with pytest.raises(TooManyRequests, match="3 trainings are watched"):
        await watched.frame(other[1], 0)
    assert (await watched.frame(mine[0], 1)).number == 2


async def test_a_process_that_failed_is_replaced_when_somebody_asks_again(source: Path) -> None:
    checkpoints, worker, it = MemoryCheckpoints(), FakeWorker(), training()
    commit(checkpoints, it.run_id, source, 1)
    watched = trainings(checkpoints, worker)
    worker.problem = EngineError("the environment failed")
    with pytest.raises(EngineError, match="the environment failed"):
        await watched.frame(it, 0)
    worker.problem = None
    while len(watched):
        await asyncio.sleep(0.01)
    assert (await watched.frame(it, 0)).number == 1
    assert len(worker.started) == 2


@pytest.mark.parametrize(("env", "shape"), [("CartPole-v1", (400, 600, 3)), ("FrozenLake8x8-v1", None)])
async def test_a_process_plays_the_policy_and_draws_it(tmp_path: Path, env: str, shape: tuple[int, ...] | None) -> None:
    checkpoints, it = MemoryCheckpoints(), training(env=env)
    (tmp_path / "no policy").mkdir()
    (tmp_path / "no policy" / "file").touch()
    commit(checkpoints, it.run_id, tmp_path / "no policy", 1)
    watched = trainings(checkpoints, Worker)
    with pytest.raises(Conflict, match="holds no policy"):
        await watched.frame(it, 0)
    while len(watched):
        await asyncio.sleep(0.01)
    policy(env).save(policy_folder(tmp_path / "checkpoint"))
    commit(checkpoints, it.run_id, tmp_path / "checkpoint", 2)
    began = asyncio.get_running_loop().time()
    frames = [await watched.frame(it, number) for number in range(12)]
    assert asyncio.get_running_loop().time() - began > 1.0, "at most 10 a second"
    assert [frame.number for frame in frames] == list(range(1, 13))
    assert frames[-1].step > 0 or frames[-1].episode > 1
    if shape is None:
        assert frames[-1].picture is None
        assert len(frames[-1].observation) == 1
    else:
        pictures = [decoded(frame.picture) for frame in frames]
        assert pictures[0].shape == shape
        assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 100, "the cart moves"


def policy(env: str) -> PPOPolicy:
    made, hyperparameters = make(env), Hyperparameters.of({})
    encoder, head = ObservationEncoder.of(made.observation_space), ActionHead.of(made.action_space)
    network = ActorCritic(encoder, head, hyperparameters.architecture(image=False), seed=1)
    return PPOPolicy(network, hyperparameters, made.observation_space, made.action_space)


def decoded(content: bytes | None) -> np.ndarray:
    with av.open(io.BytesIO(content or b""), format="mjpeg") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")
