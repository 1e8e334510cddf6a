"""Trainings that play themselves, for tests of studies: the return is a function of the hyperparameters."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from rlplatform.access.principals import Principal
from rlplatform.clock import Clock
from rlplatform.errors import PlatformError
from rlplatform.runs.ports import Idempotency
from rlplatform.store import Store
from rlplatform.testing import samples
from rlplatform.testing.commands import FakeCommands
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvaluated,
    TrainingEvent,
    TrainingFailed,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingResumed,
    TrainingStarted,
    TrainingStarting,
    TrainingStopped,
    TrainingSucceeded,
)
from rlplatform.training.models import EvaluationReport, Progress, TrainingRequest
from rlplatform.training.record import TrainingRun
from rlplatform.training.request_checks import check_hyperparameters, planned

Returns = Callable[[TrainingRequest, int], float]
"""The return of a training of this request after so many environment steps."""


class PlayedTrainings(FakeCommands):
    """Plays each training that is started, an iteration at a time; it obeys pause, resume and stop.

    Args:
        returns: the return by request and environment steps.
        iteration_s: duration of an iteration.
    """

    def __init__(self, store: Store, clock: Clock, returns: Returns, *, iteration_s: float = 0.0) -> None:
        super().__init__(store, clock)
        self.refusals: list[PlatformError] = []
        """Errors that the next starts raise, in order."""
        self.failing: Callable[[TrainingRequest], bool] = lambda request: False  # noqa: ARG005
        """Tells which trainings fail after their first iteration."""
        self.started: Counter[str] = Counter()
        """Starts by idempotency key: of new trainings."""
        self.most_active = 0
        self._returns = returns
        self._iteration_s = iteration_s
        self._playing: dict[str, asyncio.Task[None]] = {}
        self._env_steps_of: dict[str, tuple[int, int]] = {}

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        if self.refusals:
            raise self.refusals.pop(0)
        check_hyperparameters(request)
        run, new = await super().start_training(request, principal, idempotency)
        if new:
            self.started[idempotency.key if idempotency is not None else run.id] += 1
            self._playing[run.id] = asyncio.get_running_loop().create_task(self._play(run))
            self.most_active = max(self.most_active, sum(not task.done() for task in self._playing.values()))
        return run, new

    async def close(self) -> None:
        """End what still plays."""
        for task in self._playing.values():
            task.cancel()
        await asyncio.gather(*self._playing.values(), return_exceptions=True)

    async def _play(self, run: TrainingRun) -> None:
        request = run.document.request
        checked = planned(request)
        whole, each = checked.env_steps_per_iteration or 2048, checked.env_steps_per_rollout or 2048
        env_steps, iteration = self._env_steps_of.get(request.resume_from or "", (0, 0))
        await self._emit(run, TrainingStarting, epoch=1)
        await self._emit(run, TrainingStarted, manifest={})
        while True:
            progress = Progress(iteration=iteration, env_steps=env_steps)
            desired = (await self._training(run.id)).desired
            if desired == "stop":
                await self._emit(run, TrainingStopped, stop_reason="stop_requested", progress=progress)
                return
            if desired == "pause":
                await self._emit(run, TrainingPaused, progress=progress)
                while (await self._training(run.id)).desired == "pause":
                    await asyncio.sleep(0.001)
                await self._emit(run, TrainingResumed, progress=progress)
                continue
            stop = request.stop
            if env_steps >= (stop.env_steps or 10**12) or iteration >= (stop.iterations or 10**9):
                break
            await asyncio.sleep(self._iteration_s)
            left = max(1, -(-((stop.env_steps or 10**12) - env_steps) // each)) * each
            env_steps, iteration = env_steps + min(whole, left), iteration + 1
            counters = {"iteration": iteration, "env_steps": env_steps}
            await self._emit(run, TrainingIterationCompleted, **counters, episodes=1, train_wall_s=1.0, metrics={})
            if self.failing(request):
                await self._emit(run, TrainingFailed, code="engine_error", reason="it broke", progress=progress)
                return
            if request.evaluation.every_iterations and iteration % request.evaluation.every_iterations == 0:
                await self._evaluate(run, iteration, env_steps)
        saved = samples.checkpoint(run.id, iteration, env_steps=env_steps)
        self._env_steps_of[saved.id] = env_steps, iteration
        await self._emit(run, TrainingCheckpointSaved, checkpoint=saved)
        await self._evaluate(run, iteration, env_steps)
        await self._emit(run, TrainingSucceeded, stop_reason="env_steps", progress=progress)

    async def _evaluate(self, run: TrainingRun, iteration: int, env_steps: int) -> None:
        mean = self._returns(run.document.request, env_steps)
        report = EvaluationReport(
            episodes=10,
            episode_return_mean=mean,
            episode_return_std=1.0,
            episode_return_min=mean,
            episode_return_max=mean,
            episode_length_mean=100.0,
        )
        await self._emit(run, TrainingEvaluated, iteration=iteration, env_steps=env_steps, report=report)

    async def _emit(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        await self.play(run.stream, event.model_validate({"stream": run.stream, "time": self._now(), **fields}))
