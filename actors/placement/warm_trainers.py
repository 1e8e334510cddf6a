"""Warm trainers, in which an engine has already run or soon will.

A session that gets one starts training seconds sooner.

A warm trainer serves one session, and is ended after it like any other. It runs outside of its session's placement
group, which reserves the CPU. Therefore only sessions without remote env runners, learners or GPUs get one, and only on
the node of their group.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from actors import options
from actors.rpc.ray_calls import call, find, in_thread, kill, living
from rlplatform.clock import Clock
from rlplatform.errors import PlatformError
from rlplatform.retries import with_timeout
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

REFILL_S = 15.0
ANSWER_S = 3.0


class TrainerLocation(NamedTuple):
    """Node of a warm trainer, and the training and epoch that it serves, if any."""

    node_id: str
    training_id: str | None = None
    epoch: int = 0


@dataclass
class _Member:
    actor: Any
    location: TrainerLocation | None = None


class WarmTrainerPool:
    """Pool that keeps ``size`` warm trainers; ``make`` starts one by name."""

    def __init__(self, size: int, make: Callable[[str], Any], clock: Clock) -> None:
        self._size = size
        self._make = make
        self._clock = clock
        self._members: dict[str, _Member] = {}
        self._not_before = 0.0

    @staticmethod
    def suits(request: TrainingRequest) -> bool:
        """Return True if a session needs only one actor and no GPU."""
        wanted = request.resources
        return not (wanted.num_env_runners or wanted.num_learners or wanted.num_gpus_per_learner)

    async def refill(self) -> None:
        """Start the missing trainers, but not shortly after an adoption, which needs the CPU."""
        await self.survey()
        idle = sum(not member.location or not member.location.training_id for member in self._members.values())
        if self._clock.monotonic() < self._not_before:
            return
        for _ in range(self._size - idle):
            name = f"{options.WARM_PREFIX}{uuid4().hex[:12]}"
            self._members[name] = _Member(await in_thread(self._make, name))

    async def adopt(self, node_id: str, run: TrainingRun, epoch: int) -> Any | None:
        """Give ``run`` to a trainer on the node, warm or not yet.

        Two trainers that start at once delay each other. A trainer whose process is just starting is therefore waited
        for.

        Returns:
            The actor of the trainer; None if no trainer answers.
        """
        silent = [member for member in self._members.values() if member.location is None]
        await asyncio.gather(*(self._ask(member, ANSWER_S) for member in silent))
        for name, member in self._members.items():
            if member.location == TrainerLocation(node_id):
                member.location = TrainerLocation(node_id, run.id, epoch)
                self._not_before = self._clock.monotonic() + REFILL_S
                try:
                    await with_timeout(self._clock, ANSWER_S, call(member.actor, "adopt", run, epoch))
                except (PlatformError, TimeoutError) as error:
                    log.warning("%s cannot be adopted: %s", name, error)
                    await kill(member.actor)
                    return None
                return member.actor
        return None

    async def find(self, training_id: str, epoch: int) -> Any | None:
        """Return the trainer that serves a training in an epoch; None if there is none."""
        await self.survey()
        for member in self._members.values():
            if member.location and member.location[1:] == (training_id, epoch):
                return member.actor
        return None

    async def owners(self) -> set[str]:
        """Return the ids of the trainings that a warm trainer serves."""
        await self.survey()
        found = (member.location for member in self._members.values())
        return {where.training_id for where in found if where and where.training_id}

    async def end(self, training_id: str | None = None) -> None:
        """End the trainers of a training, or all of them."""
        for member in list(self._members.values()):
            if training_id is None or (member.location and member.location.training_id == training_id):
                await kill(member.actor)

    async def survey(self) -> None:
        """Remove dead trainers, and ask trainers of an earlier supervisor for their node and session."""
        names = {name for name in await in_thread(living) if name.startswith(options.WARM_PREFIX)}
        self._members = {name: member for name, member in self._members.items() if name in names}
        for name in names - self._members.keys():
            if actor := await in_thread(find, name):
                self._members[name] = _Member(actor)
                await self._ask(self._members[name], ANSWER_S)
        silent = [member for member in self._members.values() if member.location is None]
        await asyncio.gather(*(self._ask(member, 0.1) for member in silent))

    async def _ask(self, member: _Member, patience_s: float) -> None:
        with suppress(PlatformError, TimeoutError):
            where = await with_timeout(self._clock, patience_s, call(member.actor, "location"))
            member.location = member.location or TrainerLocation(*where)
