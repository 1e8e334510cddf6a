"""Typed handles: the actors, by the ports that they implement."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import ray
from numpy.typing import NDArray
from ray.actor import ActorHandle

from actors.calls import ask, call, find, first_line, in_thread, kill, result, submit
from actors.lines import Line
from actors.options import SUPERVISOR
from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.health import PlatformStatus
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import Acted
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency
from rlplatform.sandbox.models import PoolStatus
from rlplatform.scheduling.admission import Place
from rlplatform.training.models import TrainingCheck, TrainingRequest
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

CLOSE_S = 10.0
DETOUR_S = 10.0
POLICY_PATIENCE_S = 120.0


class NamedActor:
    """Actor of a name, called over its socket if it is on this node, else through Ray. It has a method ``line``.

    If the actor is gone, the next call looks it up again, because it may have been replaced or have restarted
    elsewhere. For one event loop at a time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._title = name.replace("_", " ")
        self._reaching: asyncio.Task[_Way] | None = None

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``actor.method(*args)`` and return its value.

        Raises:
            Unavailable: the actor is gone, or there is none; whether the call was carried out is unknown.
        """
        way = await asyncio.shield(self._way())
        return await way.call(method, *args, **kwargs)

    def _way(self) -> asyncio.Task[_Way]:
        """Return the way that all calls of this event loop share, for as long as it works."""
        loop = asyncio.get_running_loop()
        if self._reaching is None or self._reaching.get_loop() is not loop or _ended(self._reaching):
            self._reaching = loop.create_task(self._reach())
            self._reaching.add_done_callback(_ended)  # reads its exception: all who wait for it may be cancelled
        return self._reaching

    async def _reach(self) -> _Way:
        actor = await in_thread(find, self._name)
        if actor is None:
            raise Unavailable(f"the {self._title} is not running")
        try:
            address = await call(actor, "line")
        except Unavailable as error:
            log.warning("%s", error)
            raise Unavailable(f"the {self._title} is being started again") from None
        if address is not None and address.node == ray.get_runtime_context().get_node_id():
            try:
                return await Line.open(address)
            except OSError as error:
                log.warning("calls of the %s go through Ray for %g s: %s", self._title, DETOUR_S, error)
                return _ThroughRay(actor, DETOUR_S)
        return _ThroughRay(actor)


class _Way(Protocol):
    """Way to call an actor."""

    @property
    def gone(self) -> bool:
        """True if the way no longer leads anywhere."""

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any: ...


class _ThroughRay:
    """Way to an actor on another node or without a socket; for ``for_s`` to one whose socket should be there."""

    def __init__(self, actor: ActorHandle, for_s: float = math.inf) -> None:
        self._actor = actor
        self._until = asyncio.get_running_loop().time() + for_s
        self._refused = False

    @property
    def gone(self) -> bool:
        return self._refused or asyncio.get_running_loop().time() > self._until

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await call(self._actor, method, *args, **kwargs)
        except Unavailable:
            self._refused = True  # if only for something else that is gone
            raise


def _ended(reaching: asyncio.Task[_Way]) -> bool:
    """Return True if opening the way failed, or if the way no longer leads anywhere."""
    return reaching.done() and (reaching.cancelled() or reaching.exception() is not None or reaching.result().gone)


class SupervisorHandle:
    """The ``Commands`` port over the supervisor actor."""

    def __init__(self) -> None:
        self._call = NamedActor(str(SUPERVISOR["name"])).call

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        return await self._call("submit_evaluation", request, principal, idempotency)

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        return await self._call("cancel_evaluation", run_id, principal)

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        return await self._call("start_training", request, principal, idempotency)

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        return await self._call("check_training", request, principal)

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        return await self._call("command_training", run_id, command, principal)

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        await self._call("delete_checkpoint", checkpoint_id, principal)

    async def status(self) -> PlatformStatus:
        return await self._call("status")

    async def places(self, run_ids: Sequence[str]) -> list[Place | None]:
        return await self._call("places", run_ids)

    async def drain(self) -> None:
        await self._call("drain")


class EvaluatorHandle:
    """An ``EvaluatorLink`` over Ray."""

    def __init__(self, name: str, slots: int, actor: ActorHandle) -> None:
        self.name = name
        self.slots = slots
        self._actor = actor

    async def status(self) -> PoolStatus:
        return await call(self._actor, "status")

    async def active(self) -> list[str]:
        return await call(self._actor, "active")

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        await call(self._actor, "evaluate", run, attempt, epoch)

    async def cancel(self, run_id: str) -> None:
        await call(self._actor, "cancel", run_id)

    async def end(self) -> None:
        await kill(self._actor)

    async def close(self) -> None:
        """Remove its containers and end it, even if it does not answer within ``CLOSE_S``."""
        with suppress(PlatformError, TimeoutError):
            await asyncio.wait_for(call(self._actor, "close"), CLOSE_S)
        await kill(self._actor)


class TrainerHandle:
    """A ``TrainerLink`` over Ray.

    A call of ``run`` is pending all the time, so the trainer's end is noticed at once.
    """

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor
        self._over = submit(actor, "run")

    async def wait(self) -> None:
        await result(self._over, "the training session")

    async def command(self, command: str, *details: str) -> None:
        await call(self._actor, "command", command, *details)

    async def release(self) -> None:
        await kill(self._actor)


class PoliciesHandle:
    """The ``Policies`` port over the Serve deployment of policies."""

    def __init__(self, lookup: Callable[[], Any]) -> None:
        self._lookup = lookup
        self._deployment: Any = None

    async def _call(self, method: str, *args: Any) -> Any:
        from ray.serve.exceptions import RayServeException  # seconds, and here Serve runs already

        self._deployment = self._deployment or self._lookup()
        response = ask(self._deployment, method, *args)
        try:
            return await asyncio.wait_for(result(response, method), POLICY_PATIENCE_S)
        except TimeoutError:
            raise Unavailable(f"{method}: no replica for policies answered within {POLICY_PATIENCE_S:g} s") from None
        except RayServeException as error:
            raise Unavailable(f"{method}: {first_line(error)}") from None

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        return await self._call("publish", request, principal, idempotency)

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        return await self._call("delete", policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> Acted:
        acted = await self._call("act", (policy, observations, deterministic))
        if isinstance(acted, PlatformError):
            raise acted
        return acted

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await self._call("archive", policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self._call("onnx", policy)
