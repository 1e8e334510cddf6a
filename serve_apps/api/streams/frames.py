"""Pictures of a training's newest policy, for one connection: one at a time, each when it is asked for."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from rlplatform.access.principals import Principal
from rlplatform.clock import Clock
from rlplatform.environments.options import EnvOptions
from rlplatform.errors import Conflict, Unavailable
from rlplatform.playing.ports import FRAMES_PER_S, EpisodeService, WatchedTraining
from rlplatform.training.record import TrainingRun
from serve_apps.api.live_messages import LiveFrame, LiveWatch

REFUSED_S = 0.5
"""Time after a refused request until the next one is accepted."""

FindTraining = Callable[[str, Principal], Awaitable[TrainingRun]]
"""Finds a training that the principal sees."""


class Frames:
    """Pictures for one connection."""

    def __init__(self, player: EpisodeService | None, clock: Clock, find: FindTraining) -> None:
        self._player = player
        self._clock = clock
        self._find_training = find
        self._due = 0.0
        self._watched: tuple[str, WatchedTraining] | None = None

    async def next(self, message: LiveWatch, principal: Principal) -> LiveFrame:
        """Return the picture that ``message`` asks for.

        Raises:
            NotFound: there is no such training, or the principal may not see it.
            Conflict: the training is simulated.
            PlatformError: there is no picture now; the message says why.
        """
        if self._player is None:
            raise Unavailable("this deployment draws and plays no episodes")
        training = await self._find(message.training, principal)
        await self._clock.sleep(max(0.0, self._due - self._clock.monotonic()))
        frame = await self._player.frame(training, message.after)
        self._due = self._clock.monotonic() + 1 / FRAMES_PER_S
        told: dict[str, Any] = frame.model_dump(exclude={"picture"})
        picture = base64.b64encode(frame.picture).decode() if frame.picture else None
        return LiveFrame(training=message.training, picture=picture, **told)

    async def _find(self, training_id: str, principal: Principal) -> WatchedTraining:
        if self._watched is not None and self._watched[0] == training_id:
            return self._watched[1]
        run = await self._find_training(training_id, principal)
        if run.simulated:
            raise Conflict("a simulated training has no policy to watch")
        asked = run.document.request
        options = EnvOptions.of(asked).as_json()
        training = WatchedTraining(run.id, run.tenant, asked.algorithm, asked.env, asked.env_config, options)
        self._watched = training_id, training
        return training


class Pending:
    """The picture that a connection waits for, at most one."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Any) -> None:
        """Run ``work``, a coroutine.

        Raises:
            Conflict: a picture is still on its way.
        """
        if self._task is not None and not self._task.done():
            work.close()
            raise Conflict("a picture is on its way; ask for the next one after it")
        self._task = asyncio.get_running_loop().create_task(work)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return the task that is under way, if there is one."""
        return [] if self._task is None or self._task.done() else [self._task]
