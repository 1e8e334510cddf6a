"""Vector environment of a user's environment: its copies are stepped in sandboxes, ``copies`` in each process.

A copy that fails ends its episode: the step is truncated with the last valid observation and reward 0. Time limits are
kept on this side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.environments.action_masks import with_mask
from rlplatform.environments.sandboxed.faults import Fault, FaultKind, FaultLog
from rlplatform.environments.sandboxed.guest.memory import FRAME, FRAME_BYTES, MALFORMED, OK, RESET, SKIP, STEP_IT
from rlplatform.environments.sandboxed.space_descriptions import array_of, leaves, space_of
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.sandboxed.worker import STEP_S, OpenSandbox, Worker
from rlplatform.environments.vector_env import Array, Step, TimeLimit, VectorEnv
from rlplatform.errors import InvalidRequest

COPIES = 64
"""Copies in one process: more save time, fewer are lost when one of them crashes."""
_RESEED = 1_000_003
MAX_FRAMES_PER_S = 120.0


class SandboxedVectorEnv(VectorEnv):
    """Copies of a user's environment, in NEXT_STEP mode."""

    backend = "sandbox"

    def __init__(
        self,
        open_sandbox: OpenSandbox,
        code: UserCode,
        config: Mapping[str, Any],
        seeds: Sequence[int],
        limit: int | None,
        faults: FaultLog,
        *,
        copies: int = COPIES,
        step_s: float = STEP_S,
        rendered: bool = False,
        mask: str | None = None,
    ) -> None:
        """Describe the environment; its processes start with the first reset. With ``rendered`` :meth:`frame` gives
        pictures, if the environment has any. ``mask`` is the key of an action mask in ``info``, which becomes a part of
        the observations."""
        super().__init__(len(seeds))
        assert code.spaces is not None
        self.single_observation_space = space_of(code.spaces["observation"])
        self.single_action_space = space_of(code.spaces["action"])
        if mask is not None:
            self.single_observation_space = with_mask(self.single_observation_space, self.single_action_space)
        self._mask = mask
        self.time_limit = TimeLimit.of(limit, code.max_episode_steps)
        self._code, self._faults = code, faults
        self._seeds = np.asarray(seeds, np.int64)
        self._parts = list(leaves(self.single_observation_space))
        self._obs = [_first(part, len(seeds)) for _, part in self._parts]
        self._ages = np.zeros(len(seeds), np.int64)
        self._lives = np.zeros(len(seeds), np.int64)
        self._reset_next = np.ones(len(seeds), np.bool_)
        self._seed_next = np.ones(len(seeds), np.bool_)
        self._retired = np.zeros(len(seeds), np.bool_)
        processes = -(-len(seeds) // copies)
        edges = np.linspace(0, len(seeds), processes + 1).astype(int)
        self._rows = [slice(int(begin), int(end)) for begin, end in pairwise(edges)]
        self._open, self._config, self._step_s, self._rendered = open_sandbox, config, step_s, rendered
        self._workers: list[Worker] = []

    def describe(self) -> dict[str, Any]:
        return super().describe() | {
            "entry": self._code.entry,
            "files_sha256": self._code.sha256,
            "image": self._code.image,
            "image_digest": self._code.image_digest,
            "processes": len(self._rows),
        }

    def reset(self) -> Any:
        """Reset all copies.

        Raises:
            EngineError: the environment cannot be started.
            SandboxUnavailable: there is no sandbox on this machine.
        """
        if not self._workers:
            self._start()
        self._reset_next[:] = True
        self._advance(None)
        return self._observations()

    def step(self, actions: Array) -> Step:
        rewards, terminated, truncated = self._advance(actions)
        return Step(self._observations(), rewards, terminated, truncated)

    def retire(self, place: int) -> None:
        """Leave one copy alone from now on. Its last results are repeated."""
        self._retired[place] = True

    @property
    def frames_per_s(self) -> float | None:
        if not self._rendered:
            return None
        if not self._workers:
            self._start()
        pace = float(self._workers[0].arrays["frames_per_s"][0])
        return min(pace, MAX_FRAMES_PER_S) if pace >= 1 else None

    def frame(self, place: int) -> Array | None:
        """Return a picture of one copy.

        Raises:
            InvalidRequest: its ``render`` failed.
        """
        if not self._rendered:
            return None
        worker, rows = next(
            (worker, rows) for worker, rows in zip(self._workers, self._rows, strict=True) if place < rows.stop
        )
        worker.arrays["drawn"][0] = place - rows.start
        worker.begin(FRAME)
        if not worker.finish(rows.stop - rows.start):
            raise InvalidRequest(f"{self._code.label} cannot be drawn: its process ended in render()", field="id")
        if int(worker.arrays["status"][place - rows.start]) != OK:
            raise InvalidRequest(f"{self._code.label} cannot be drawn: {worker.message()}", field="id")
        height, width = (int(side) for side in worker.arrays["size"].copy())
        if height < 1 or width < 1 or 3 * height * width > FRAME_BYTES:
            return None
        picture: Array = worker.arrays["frame"][: 3 * height * width].copy().reshape(height, width, 3)
        return picture

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _start(self) -> None:
        try:
            for rows in self._rows:
                plan = self._plan(rows.stop - rows.start)
                self._workers.append(Worker(self._open, self._code, plan, self._faults, step_s=self._step_s))
        except BaseException:
            self.close()
            raise

    def _plan(self, copies: int) -> dict[str, Any]:
        return {
            "mode": "environment",
            "entry": self._code.entry,
            "config": dict(self._config),
            "copies": copies,
            "spaces": self._code.spaces,
            "action": array_of(self.single_action_space),
            "leaves": [{"path": list(path), **array_of(part)} for path, part in self._parts],
            "rendered": self._rendered,
            "mask": self._mask,
        }

    def _advance(self, actions: Array | None) -> tuple[Array, Array, Array]:
        """Reset the copies whose episodes have ended, again until each could be, and step the others."""
        resetting = self._reset_next & ~self._retired
        codes = np.where(self._retired, SKIP, np.where(resetting, RESET, STEP_IT))
        rewards, terminated, truncated, failed = self._command(codes, actions)
        truncated |= failed & ~resetting
        self._ages += 1
        self._ages[resetting] = 0
        while (again := failed & resetting).any():
            *_, failed = self._command(np.where(again, RESET, SKIP), None)
            failed &= again
        assert self.time_limit is not None
        truncated |= (self._ages >= self.time_limit.steps) & ~terminated & ~resetting
        self._reset_next = (terminated | truncated) & ~resetting
        return rewards, terminated & ~resetting, truncated & ~resetting

    def _command(self, codes: Array, actions: Array | None) -> tuple[Array, Array, Array, Array]:
        """Have each copy do what its code says; return rewards, terminated, truncated, and which copies failed."""
        seeds = np.where(self._seed_next, self._seeds + _RESEED * self._lives, -1)
        asked = [
            (worker, rows)
            for worker, rows in zip(self._workers, self._rows, strict=True)
            if (codes[rows] != SKIP).any()
        ]
        for worker, rows in asked:
            arrays = worker.arrays
            arrays["reset"][:] = codes[rows]
            arrays["seeds"][:] = seeds[rows]
            if actions is not None:
                arrays["actions"][:] = actions[rows]
            worker.begin()
        rewards, failed = np.zeros(self.num_envs), np.zeros(self.num_envs, np.bool_)
        terminated, truncated = failed.copy(), failed.copy()
        for worker, rows in asked:
            if worker.finish(rows.stop - rows.start):
                failed[rows] = self._take(worker, rows, codes[rows] != SKIP, rewards, terminated, truncated)
            else:
                failed[rows] = True
        was_reset = codes == RESET
        self._seed_next[was_reset & ~failed] = False
        self._seed_next |= failed
        self._lives += failed
        return rewards, terminated, truncated, failed

    def _take(
        self, worker: Worker, rows: slice, asked: Array, rewards: Array, terminated: Array, truncated: Array
    ) -> Array:
        """Copy what the process wrote and check the copy; return which copies failed."""
        arrays = worker.arrays
        status = arrays["status"].copy()
        failed: Array = (status != OK) & asked
        if failed.any():
            for code in np.unique(status[failed]):
                kind: FaultKind = "malformed" if code == MALFORMED else "exception"
                self._note(kind, int(((status == code) & asked).sum()), worker.message())
        got_rewards = arrays["rewards"].copy()
        wrong = ~np.isfinite(got_rewards) & asked
        values = [arrays[f"obs{i}"].copy() for i in range(len(self._parts))]
        told = "the reward is not finite"
        for (path, part), value in zip(self._parts, values, strict=True):
            bad = _invalid(part, value) & asked
            if bad.any() and not wrong.any():
                where = f"the part {'.'.join(map(str, path))} of an observation" if path else "an observation"
                told = f"{where} {'is outside its space' if not isinstance(part, spaces.Box) else 'is not finite'}"
            wrong |= bad
        wrong &= ~failed
        if wrong.any():
            self._note("invalid", int(wrong.sum()), told)
            failed |= wrong
        valid = ~failed & asked
        for kept, value in zip(self._obs, values, strict=True):
            if valid.all():
                kept[rows] = value
            else:
                kept[rows][valid] = value[valid]
        rewards[rows] = np.where(valid, got_rewards, 0.0)
        terminated[rows] = (arrays["terminated"] != 0) & valid
        truncated[rows] = (arrays["truncated"] != 0) & valid
        return failed

    def _note(self, kind: FaultKind, count: int, message: str) -> None:
        self._faults.add(Fault(self._code.label, kind, count, message))

    def _observations(self) -> Any:
        if len(self._parts) == 1 and self._parts[0][0] == ():
            return self._obs[0].copy()
        found: dict[Any, Any] = {}
        for (path, _), value in zip(self._parts, self._obs, strict=True):
            inner = found
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = value.copy()
        return found


def _first(part: spaces.Space[Any], copies: int) -> Array:
    """Return observations to show before there is any: zeros, or the first values."""
    described = array_of(part)
    value = np.zeros((copies, *described["shape"]), described["dtype"])
    if isinstance(part, spaces.Discrete | spaces.MultiDiscrete):
        value[:] = part.start
    return value


def _invalid(part: spaces.Space[Any], value: Array) -> Array:
    """Return which rows of ``value`` cannot be used."""
    rows: Array = value.reshape(len(value), -1)
    if isinstance(part, spaces.Discrete):
        return _outside(rows, int(part.start), int(part.start) + int(part.n))
    if isinstance(part, spaces.MultiDiscrete):
        start, nvec = np.asarray(part.start, np.int64).ravel(), np.asarray(part.nvec, np.int64).ravel()
        return _outside(rows, start, start + nvec)
    if isinstance(part, spaces.MultiBinary):
        return _outside(rows, 0, 2)
    if rows.dtype.kind != "f":
        return np.zeros(len(rows), np.bool_)
    return np.asarray(~np.isfinite(rows).all(axis=1))


def _outside(rows: Array, low: Any, end: Any) -> Array:
    return np.asarray(((rows < low) | (rows >= end)).any(axis=1))
