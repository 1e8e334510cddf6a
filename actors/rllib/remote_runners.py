"""The env runners in actors of their own: asked for rollouts all at once, and waited for, but not for ever."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayTaskError
from ray.rllib.env.env_runner_group import EnvRunnerGroup

from actors.rllib.rollout import Rollout
from rlplatform.environments.faults import describe
from rlplatform.environments.pulse import Pulse, silent
from rlplatform.errors import EngineError, PlatformError, Unavailable

log = logging.getLogger(__name__)

_TAG = "rollout"
_PATIENCE = 20.0
"""How many times as long as the slowest before, and at least 5 s, stragglers are waited for once one has answered."""
FAULTS = 3
"""After so many errors of the environment (or of ours) without a rollout in between, it is no use to try again."""


class RemoteRunners:
    """Of env runners that fail or hang, nothing is taken; the others go on without them."""

    def __init__(self, group: EnvRunnerGroup, timeout_s: float) -> None:
        """``timeout_s``: how long to wait for the first answer."""
        self._group = group
        self._manager = group._worker_manager
        self.timeout_s = timeout_s
        self._pending: set[int] = set()
        self._slowest = 1.0
        self._faults = 0

    def ask(self, **kwargs: Any) -> None:
        """Ask each healthy env runner that has nothing to do for a rollout; ``VectorEnvRunner.rollout`` takes these."""
        idle = [runner for runner in self._manager.healthy_actor_ids() if runner not in self._pending]
        if idle:
            self._manager.foreach_actor_async("rollout", tag=_TAG, remote_actor_ids=idle, kwargs=kwargs)
            self._pending |= set(idle)

    def collect(self, ask: Callable[[], None], pulse: Pulse = silent) -> list[Rollout]:
        """The rollouts of all env runners that were asked; at least one. ``ask`` asks those that come back.

        ``pulse`` is called about once a second while they are waited for.

        :raises Unavailable: none has answered in time.
        :raises EngineError: they do nothing but raise, as a broken environment makes them.
        """
        began = time.monotonic()
        rollouts: list[Rollout] = []
        while True:
            patience = self.timeout_s if not rollouts else max(5.0, _PATIENCE * self._slowest)
            left = patience - (time.monotonic() - began)
            for answer in self._manager.fetch_ready_async_reqs(tags=_TAG, timeout_seconds=min(1.0, max(0.0, left))):
                self._pending.discard(answer.actor_id)
                self._take(answer, rollouts)
            pulse(0)
            self._pending &= set(self._manager.healthy_actor_ids())
            if rollouts and not self._pending:
                self._slowest = max(time.monotonic() - began, 0.9 * self._slowest)
                return rollouts
            if left <= 0:
                if rollouts:
                    log.warning("going on without env runners %s, which do not answer", sorted(self._pending))
                    return rollouts
                raise Unavailable(f"no env runner has answered for {patience:g} s")
            if not self._pending:
                self.restore()
                ask()
                time.sleep(0.1)

    def _take(self, answer: Any, rollouts: list[Rollout]) -> None:
        found = answer.get()
        if answer.ok:
            self._faults = 0
            rollouts.append(found)
        elif isinstance(found, RayTaskError):
            self._faults += 1
            cause = found.cause if isinstance(found.cause, PlatformError) else describe(found.cause)
            log.warning("env runner %s failed and begins anew: %s", answer.actor_id, cause)
            if self._faults >= FAULTS:
                raise EngineError(f"the env runners fail again and again, last with {cause}")

    def drain(self, ask: Callable[[], None]) -> None:
        """Wait for what is under way and throw it away."""
        while self._pending:
            self.collect(ask)

    def restore(self) -> list[int]:
        """Take env runners that Ray has restarted back into service; says which."""
        return list(self._group.probe_unhealthy_env_runners())
