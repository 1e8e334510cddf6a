"""Typed handles of actors, which implement the actors' ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from ray.actor import ActorHandle

from actors.options import SUPERVISOR, task_name
from actors.rpc.named_actor import NamedActor
from actors.rpc.ray_calls import call, kill, result, submit_named
from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.health import PlatformStatus
from rlplatform.load import NodeLoad, PlatformLoad
from rlplatform.runs.ports import Idempotency
from rlplatform.sandbox.models import ImageInfo, PoolStatus
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.studies.models import StudyRequest
from rlplatform.studies.record import StudyRun
from rlplatform.training.models import TrainingCheck, TrainingRequest
from rlplatform.training.record import TrainingRun

CLOSE_S = 10.0


class SupervisorHandle:
    """The ``Commands`` port, implemented by calls of the supervisor actor."""

    def __init__(self) -> None:
        self._call = NamedActor(str(SUPERVISOR["name"])).call

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        return await self._call("submit_evaluation", request, principal, idempotency)

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        return await self._call("cancel_evaluation", run_id, principal)

    async def check_evaluation(self, request: EvaluationRequest, principal: Principal) -> None:
        await self._call("check_evaluation", request, principal)

    async def judge_waiting(self, work_id: str | None = None) -> None:
        await self._call("judge_waiting", work_id)

    async def compare_waiting(self) -> None:
        await self._call("compare_waiting")

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        return await self._call("start_training", request, principal, idempotency)

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        return await self._call("check_training", request, principal)

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        return await self._call("command_training", run_id, command, principal)

    async def start_study(
        self, request: StudyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[StudyRun, bool]:
        return await self._call("start_study", request, principal, idempotency)

    async def command_study(self, run_id: str, command: str, principal: Principal) -> StudyRun:
        return await self._call("command_study", run_id, command, principal)

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        await self._call("delete_checkpoint", checkpoint_id, principal)

    async def delete_run(self, run_id: str, principal: Principal) -> None:
        await self._call("delete_run", run_id, principal)

    async def status(self) -> PlatformStatus:
        return await self._call("status")

    async def load(self) -> PlatformLoad:
        return await self._call("load")

    async def drain_node(self, node: str, within_s: float) -> NodeLoad:
        """Begin to drain a node (see ``Supervisor``)."""
        return await self._call("drain_node", node, within_s)

    async def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        return await self._call("places", run_ids)

    async def images(self) -> list[ImageInfo]:
        return await self._call("images")

    async def drain(self) -> None:
        await self._call("drain")


class EvaluatorHandle:
    """A ``RemoteEvaluator`` over Ray."""

    def __init__(self, name: str, slots: int, actor: ActorHandle) -> None:
        self.leaving = False
        self.name = name
        self.slots = slots
        self._actor = actor

    async def status(self) -> PoolStatus:
        return await call(self._actor, "status")

    async def active(self) -> list[str]:
        return await call(self._actor, "active")

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        name = task_name("evaluate", run.id, run.tenant)
        await result(submit_named(name, self._actor, "evaluate", run, attempt, epoch), "evaluate")

    async def cancel(self, run_id: str) -> None:
        await call(self._actor, "cancel", run_id)

    async def end(self) -> None:
        await kill(self._actor)

    async def close(self) -> None:
        """Remove the evaluator's containers and end it, even if it does not answer within ``CLOSE_S`` seconds."""
        with suppress(PlatformError, TimeoutError):
            await asyncio.wait_for(call(self._actor, "close"), CLOSE_S)
        await kill(self._actor)


class TrainerHandle:
    """A ``RemoteTrainer`` over Ray.

    A call of ``run`` is always pending, so that the trainer's end is noticed at once. ``task`` names it in Ray's
    dashboard: the name of a warm trainer does not say which training it has adopted.
    """

    def __init__(self, actor: ActorHandle, task: str) -> None:
        self._actor = actor
        self._over = submit_named(task, actor, "run")

    async def wait(self) -> None:
        await result(self._over, "the training session")

    async def command(self, command: str, *details: str) -> None:
        await call(self._actor, "command", command, *details)

    async def release(self) -> None:
        await kill(self._actor)
