"""Driver inside the sandbox: steps copies of an environment, or computes rewards, at the host's commands."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .memory import DONE, FRAME, MALFORMED, MESSAGE_BYTES, OK, RAISED, SKIP, Arrays, views
from .pictures import drawable, picture_of
from .spaces import describe
from .user_code import Malformed, load, traced

PLAN = "rlp_plan.json"
MEMORY_FD = 4  # the protocol's


class _Work:
    """Base of copies of environments and of rewards: the arrays, and the place for one message."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self._told = False

    def begin(self) -> None:
        self.arrays["message"][0] = 0
        self._told = False

    def fail(self, place: int, error: BaseException) -> None:
        malformed = isinstance(error, Malformed)
        self.arrays["status"][place] = MALFORMED if malformed else RAISED
        if self._told:
            return
        self._told = True
        text = str(error) if malformed else traced(error)
        data = text.encode("utf-8", "replace")[-MESSAGE_BYTES + 1 :]
        message = self.arrays["message"]
        message[: len(data)] = np.frombuffer(data, np.uint8)
        message[len(data)] = 0


class Copies(_Work):
    """Copies of one environment."""

    def __init__(self, plan: Mapping[str, Any], arrays: Arrays) -> None:
        super().__init__(arrays)
        make, config = load(plan["entry"]), plan["config"]
        self._make = drawable(make, config) if plan.get("rendered") else lambda: make(**config)
        self._leaves = [
            (tuple(leaf["path"]), tuple(leaf["shape"]), arrays[f"obs{i}"]) for i, leaf in enumerate(plan["leaves"])
        ]
        self._simple = self._leaves[0] if plan["leaves"][0]["path"] == [] else None
        self._scalar_actions = plan["action"]["shape"] == []
        self._mask_key: str | None = plan.get("mask")
        self._envs: list[Any] = [self._make() for _ in range(plan["copies"])]
        described = {
            "observation": describe(self._envs[0].observation_space),
            "action": describe(self._envs[0].action_space),
        }
        if described != plan["spaces"]:
            raise SystemExit(f"its spaces are {described}, but those of its contract are {plan['spaces']}")
        self._steps = [env.step for env in self._envs]
        if plan.get("rendered"):
            metadata = getattr(self._envs[0], "metadata", None) or {}
            arrays["frames_per_s"][0] = float(metadata.get("render_fps") or 0)

    def __call__(self, command: bytes) -> None:
        if command == FRAME:
            self._draw(int(self.arrays["drawn"][0]))
            return
        arrays = self.arrays
        self.begin()
        reset = arrays["reset"].tolist()
        actions = arrays["actions"].tolist() if self._scalar_actions else arrays["actions"].copy()
        rewards, terminated, truncated = arrays["rewards"], arrays["terminated"], arrays["truncated"]
        arrays["status"][:] = OK
        put, steps = self._put, self._steps
        for place, step in enumerate(steps):
            try:
                if code := reset[place]:
                    if code == SKIP:
                        continue
                    rewards[place] = terminated[place] = truncated[place] = 0
                    put(place, self._seen(*self._reset(place), ended=False))
                    continue
                result = step(actions[place])
                if len(result) != 5:
                    raise Malformed(
                        f"step() returned {len(result)} values; it returns observation, reward, terminated, "
                        "truncated, info"
                    )
                rewards[place] = result[1]
                terminated[place] = bool(result[2])
                truncated[place] = bool(result[3])
                put(place, self._seen(result[0], result[4], ended=terminated[place] or truncated[place]))
            except BaseException as error:
                self._envs[place] = None
                self.fail(place, error)

    def _reset(self, place: int) -> tuple[Any, Any]:
        if self._envs[place] is None:
            env = self._envs[place] = self._make()
            self._steps[place] = env.step
        seed = int(self.arrays["seeds"][place])
        result = self._envs[place].reset(seed=seed if seed >= 0 else None)
        if not isinstance(result, tuple) or len(result) != 2:
            raise Malformed("reset() must return observation and info")
        return result

    def _seen(self, obs: Any, info: Any, *, ended: bool) -> Any:
        """Return ``obs``, with the mask that ``info`` has if it is asked for. The end of an episode needs none."""
        key = self._mask_key
        if key is None:
            return obs
        if key not in info:
            if not ended:
                raise Malformed(f"info has no {key!r}, the action mask")
            return {"action_mask": np.ones(self._leaves[0][1], np.int8), "observation": obs}
        parts = info[key] if isinstance(info[key], tuple | list) else [info[key]]
        mask = np.concatenate([np.ravel(np.asarray(part)) for part in parts]) != 0
        return {"action_mask": mask, "observation": obs}

    def _draw(self, place: int) -> None:
        arrays = self.arrays
        self.begin()
        arrays["status"][:] = OK
        arrays["size"][:] = 0
        try:
            picture = picture_of(self._envs[place])
            if picture is not None:
                arrays["frame"][: picture.size] = picture.ravel()
                arrays["size"][:] = picture.shape[:2]
        except BaseException as error:
            self.fail(place, error)

    def _put(self, place: int, obs: Any) -> None:
        if self._simple is not None:
            _, shape, view = self._simple
            value = np.asarray(obs)
            if value.shape != shape:
                raise Malformed(f"an observation has shape {value.shape}; its space says {shape}")
            view[place] = value
            return
        for path, shape, view in self._leaves:
            part = obs
            for key in path:
                part = part[key]
            value = np.asarray(part)
            if value.shape != shape:
                raise Malformed(f"the part {path} of an observation has shape {value.shape}; its space says {shape}")
            view[place] = value


class Rewards(_Work):
    """A reward function, called for each copy."""

    def __init__(self, plan: Mapping[str, Any], arrays: Arrays) -> None:
        super().__init__(arrays)
        self._function = load(plan["entry"])
        self._paths = [tuple(leaf["path"]) for leaf in plan["leaves"]]
        self._scalar_actions = plan["action"]["shape"] == []

    def __call__(self, command: bytes) -> None:  # noqa: ARG002
        arrays = self.arrays
        self.begin()
        function, rewards = self._function, arrays["rewards"]
        skip, own = arrays["reset"].tolist(), rewards.tolist()
        actions = arrays["actions"].tolist() if self._scalar_actions else arrays["actions"].copy()
        terminated, truncated = arrays["terminated"].tolist(), arrays["truncated"].tolist()
        obs, after = self._observations("obs"), self._observations("next")
        arrays["status"][:] = OK
        for place, passed in enumerate(skip):
            if passed:
                continue
            try:
                rewards[place] = function(
                    obs[place],
                    actions[place],
                    after[place],
                    own[place],
                    bool(terminated[place]),
                    bool(truncated[place]),
                )
            except BaseException as error:
                self.fail(place, error)

    def _observations(self, name: str) -> Any:
        if self._paths == [()]:
            return self.arrays[f"{name}0"].copy()
        rows: list[Any] = [{} for _ in range(len(self.arrays["reset"]))]
        for i, path in enumerate(self._paths):
            part = self.arrays[f"{name}{i}"].copy()
            for row, value in zip(rows, part, strict=True):
                for key in path[:-1]:
                    row = row.setdefault(key, {})
                row[path[-1]] = value
        return rows


def serve() -> None:
    """Answer commands until the host closes."""
    with open(PLAN, encoding="utf-8") as stream:
        plan = json.load(stream)
    answers = os.dup(1)
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    arrays = views(mmap.mmap(MEMORY_FD, 0), plan)
    try:
        work: Rewards | Copies = (Rewards if plan["mode"] == "reward" else Copies)(plan, arrays)
    except Exception as error:
        os.write(2, traced(error).encode("utf-8", "replace"))
        raise SystemExit(1) from None
    os.write(answers, DONE)
    while command := os.read(0, 1):
        work(command)
        os.write(answers, DONE)
