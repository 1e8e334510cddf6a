"""The platform in one process, for the browser's tests: the real API, supervisor, evaluator, judge, trainer and
session, over the store in memory. What Ray places is called directly, and no program runs: the sandbox is a script.

``python -m tests.e2e.local`` serves it until Ctrl-C, to work on the page (``RLP_API=… npm run dev``).
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actors.evaluation.evaluator import Evaluator
from actors.studies.owner import StudyOwner
from actors.supervisor import Supervisor
from actors.training.trainer import Trainer
from rlplatform.access.api_keys import ApiKeyService
from rlplatform.access.principals import Scope
from rlplatform.clock import SystemClock
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import Conflict, Unavailable
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.load import NodeLoad
from rlplatform.playing.service import LocalEpisodeService
from rlplatform.sandbox.models import Execution, ImageInfo, Outcome, OutcomeKind, PoolStatus, Program, Usage
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_store
from rlplatform.store import Store
from rlplatform.testing.episodes import local_episodes
from rlplatform.testing.files import MemoryFiles
from rlplatform.testing.policies import FakePolicies, MemoryPolicyFiles
from rlplatform.testing.sandboxes import Printing, ScriptedPool
from rlplatform.training.environment_catalog import describe_environment
from rlplatform.training.models import EvaluationReport, TrainingRequest
from rlplatform.training.policy_evaluation import evaluate_policy
from rlplatform.training.ports import CheckpointStore, TrainingCommands
from rlplatform.training.record import TrainingRun
from rlplatform.training.simulated_engine import SimulatedEngine
from serve_apps.api.app import create_app
from serve_apps.api.services import Services
from tests.serving import on_loopback

TEST_S = 0.4


class Local(NamedTuple):
    url: str
    key: str
    learner: str


def script(program: Program, execution: Execution) -> Outcome | Printing:
    """Return the script of a program that doubles a number, or of such a function.

    ``while True`` in it loops, and without ``* 2`` it triples. With ``count`` in it, it prints numbers until it is
    cancelled; ``raise`` fails at its line; text that is not Python does not compile.
    """
    source = program.files[program.entry]
    try:
        compile(source, program.entry, "exec")
    except SyntaxError as error:
        fault = f"{program.entry}, line {error.lineno}: SyntaxError: {error.msg}"
        return Outcome(OutcomeKind.COMPILE_FAILED, Usage(0.01, 0.01, 9 << 20), exit_code=1, detail=fault)
    if b"count" in source:
        return counting()
    time.sleep(TEST_S)
    if b"while True" in source:
        return Outcome(OutcomeKind.CPU_TIME_EXCEEDED, Usage(2.0, 2.01, 9 << 20), signal="SIGKILL")
    if b"raise" in source:
        line = source[: source.index(b"raise")].count(b"\n") + 1
        frames = f'Traceback (most recent call last):\n  File "main.py", line {line}, in <module>\nValueError: no\n'
        return Outcome(OutcomeKind.EXITED, Usage(0.01, 0.01, 9 << 20), exit_code=1, stderr=frames.encode())
    factor = 2 if b"* 2" in source else 3
    if execution.call is not None:
        value = str(factor * (execution.call.args or [0])[0]).encode()
        return Outcome(OutcomeKind.EXITED, Usage(0.0121, 0.0154, 9 << 20), exit_code=0, returned=value)
    number = int(execution.stdin or b"0") * factor
    return Outcome(OutcomeKind.EXITED, Usage(0.0121, 0.0154, 9 << 20), exit_code=0, stdout=f"{number}\n".encode())


def counting() -> Printing:
    for number in itertools.count(1):
        yield f"{number}\n".encode()
        time.sleep(0.05)
    raise AssertionError("it counts for ever")


def environments() -> Sequence[EnvironmentInfo]:
    """A few: to make every one takes seconds."""
    return [describe_environment(env) for env in ("Acrobot-v1", "Blackjack-v1", "CartPole-v1", "Pendulum-v1")]


class Direct:
    """The ``Commands`` port on a supervisor in the same process."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._supervisor, name)

    async def images(self) -> list[ImageInfo]:
        return self._supervisor.images()

    async def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        return self._supervisor.places(run_ids)


class RemoteEvaluator:
    name, slots, leaving = "local", 2, False

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    async def status(self) -> PoolStatus:
        return await self._evaluator.status()

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        await self._evaluator.evaluate(run, attempt, epoch)

    async def active(self) -> list[str]:
        return self._evaluator.active()

    async def cancel(self, run_id: str) -> None:
        await self._evaluator.cancel(run_id)

    async def end(self) -> None:
        await self._evaluator.close()


class RemoteTrainer:
    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._released = asyncio.Event()

    async def wait(self) -> None:
        run = asyncio.ensure_future(self._trainer.run())
        released = asyncio.ensure_future(self._released.wait())
        await asyncio.wait((run, released), return_when=asyncio.FIRST_COMPLETED)
        released.cancel()
        if not run.done():
            raise Unavailable("the trainer was ended")
        await run

    async def command(self, *command: str) -> None:
        self._trainer.command(*command)

    async def release(self) -> None:
        self._released.set()


class PlayingEngine(SimulatedEngine):
    """The simulated engine with recorded evaluations, of a policy that always does the same. A learning rate that a
    request sets lowers the return by its distance from 0.001, so that the trials of a study differ."""

    def __init__(self, request: TrainingRequest) -> None:
        super().__init__(request)
        rate = request.hyperparameters.get("learning_rate", 0.001)
        self._loss = 60 * abs(math.log10(float(rate)) + 3) if isinstance(rate, int | float) else 0.0

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        if recorder is not None:
            evaluate_policy(lambda obs: np.zeros(len(obs), np.int64), "CartPole-v1", {}, 5, seed, recorder=recorder)
        report = super().evaluate(episodes, seed)
        return report.model_copy(update={"episode_return_mean": report.episode_return_mean - self._loss})


class LocalLauncher:
    """The ``Launcher`` port without a cluster."""

    grows = brings_sandboxes = False

    def __init__(self, store: Store, checkpoints: CheckpointStore, episodes: EpisodeStore, scratch: Path) -> None:
        self._store, self._checkpoints, self._scratch = store, checkpoints, scratch
        self._episodes = episodes
        self._clock = SystemClock()
        self._evaluator = Evaluator(
            lambda: ScriptedPool(script, images=("scripted", "python-torch")), store, self._clock, slots=2
        )
        self._trainers: dict[str, RemoteTrainer] = {}
        self._owner: StudyOwner | None = None
        self._owning: asyncio.Task[None] | None = None

    def own_with(self, trainings: TrainingCommands) -> None:
        """Give the trials of studies to ``trainings``."""
        self._owner = StudyOwner(self._store, trainings, self._clock)

    async def own_studies(self) -> None:
        assert self._owner is not None
        if self._owning is None:
            self._owning = asyncio.create_task(self._owner.run())
        await self._owner.wake()

    async def evaluators(self) -> Sequence[RemoteEvaluator]:
        await self._evaluator.prepare()
        return [RemoteEvaluator(self._evaluator)]

    async def nodes(self) -> Sequence[NodeLoad]:
        return [NodeLoad(node="local", address="127.0.0.1", cpus=4, free_cpus=4)]

    async def drain(self, node_id: str, within_s: float) -> None:
        raise Conflict("the only node cannot be drained")

    async def leaving(self) -> set[str]:
        return set()

    async def capacity(self) -> int:
        return 4

    async def scale(self, evaluations: int) -> None:
        """There is no autoscaler."""

    async def check(self, request: TrainingRequest) -> None:
        """Everything fits."""

    async def launch(self, run: TrainingRun, epoch: int) -> RemoteTrainer:
        trainer = Trainer(
            run,
            epoch,
            self._store,
            self._checkpoints,
            PlayingEngine,
            self._clock,
            self._scratch,
            episodes=self._episodes,
        )
        link = self._trainers[run.id] = RemoteTrainer(trainer)
        return link

    async def find(self, run: TrainingRun) -> RemoteTrainer | None:
        return self._trainers.get(run.id)

    async def placed(self) -> set[str]:
        return set(self._trainers)

    async def free(self, training_id: str) -> None:
        if (trainer := self._trainers.pop(training_id, None)) is not None:
            await trainer.release()

    async def delete_run_folders(self, training_ids: Sequence[str]) -> None:
        """There are no run folders."""

    async def prepare(self) -> None:
        """A trainer is here at once."""

    async def close(self) -> None:
        if self._owning is not None:
            self._owning.cancel()
        await self._evaluator.close()


@asynccontextmanager
async def serving(
    *, port: int = 0, around: Callable[[Any], Any] = lambda app: app, store_url: str = "memory://", **api: Any
) -> AsyncIterator[Local]:
    """The platform on a loopback port, with ``around`` in front of it; ``api`` are fields of ``ApiSettings``."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"access": {"pepper": "pepper"}, "api": api})
        clock = SystemClock()
        store = await open_store(store_url, clock=clock)
        checkpoints = open_checkpoints(f"{folder}/checkpoints")
        episodes = local_episodes(Path(folder) / "episodes")
        launcher = LocalLauncher(store, checkpoints, episodes, Path(folder) / "scratch")
        supervisor = Supervisor(settings, store, checkpoints, launcher, clock)
        launcher.own_with(supervisor)
        reconciling = asyncio.create_task(supervisor.run())
        services = Services(
            store=store,
            commands=Direct(supervisor),
            clock=clock,
            checkpoints=checkpoints,
            files=MemoryFiles(),
            episodes=episodes,
            player=LocalEpisodeService(episodes, checkpoints, MemoryPolicyFiles(), settings.episodes),
            policies=FakePolicies(store, checkpoints, clock),
            environments=environments,
        )
        app = create_app(services, settings)
        keys = ApiKeyService(store, settings.access.pepper, clock)
        _, key = await keys.create(tenant="course", name="browser", scopes=[Scope.ADMIN])
        _, learner = await keys.create(tenant="course", name="learner", scopes=[Scope.EVALUATE])
        try:
            async with on_loopback(around(app), port=port, log_level="warning", timeout_graceful_shutdown=1) as address:
                yield Local(f"http://{address}", key, learner)
        finally:
            await supervisor.drain(grace_s=5)
            await reconciling
            await store.close()


async def main() -> None:
    async with serving(port=int(os.environ.get("PORT", "8000")), stream_max_life_s=3) as local:
        print(f"{local.url}/#key={local.key}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
