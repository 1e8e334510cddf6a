"""The contract of an environment: the checks that it must pass before it is trained on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .spaces import describe
from .user_code import load, traced

_SEED = 20_24
_SEEDS = 24  # an environment with two starting states would pass each by chance half of the time
_STEPS = 500
_END_STEPS = 3000
_RATE_S = 0.5


def check(name: str, entry: str, config: dict[str, Any]) -> dict[str, Any]:
    """Carry out one check of the contract: ``problem`` says what is wrong, or is null; further facts beside it."""
    try:
        facts: dict[str, Any] = {"problem": None, **CHECKS[name](load(entry), config)}
    except _Problem as problem:
        return {"problem": str(problem)}
    except Exception as error:
        return {"problem": traced(error)}
    return facts


class _Problem(Exception):
    """The contract is broken."""


def _check_spaces(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    env = make(**config)
    for name in ("reset", "step", "observation_space", "action_space"):
        if not hasattr(env, name):
            raise _Problem(
                f"it has no {name}; an environment has reset, step, observation_space and action_space, "
                "as gymnasium.Env says"
            )
    try:
        spaces = {"observation": describe(env.observation_space), "action": describe(env.action_space)}
    except ValueError as error:
        raise _Problem(str(error)) from None
    if spaces["action"]["kind"] in ("dict", "tuple"):
        raise _Problem(
            f"its actions are {env.action_space}; Box, Discrete, MultiDiscrete and MultiBinary actions can be trained"
        )
    obs, _ = _first(env, _SEED)
    _within(env, obs, "reset()")
    for _ in range(20):
        obs, *_, over = _next(env, env.action_space.sample())
        _within(env, obs, "step()")
        if over:
            _first(env)
    limit = getattr(getattr(env, "spec", None), "max_episode_steps", None)
    return {"spaces": spaces, "max_episode_steps": int(limit) if limit else None}


def _check_seeding(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    env = make(**config)
    for seed in range(_SEED, _SEED + _SEEDS):
        first, again = _first(env, seed)[0], _first(env, seed)[0]
        if not _same(first, again):
            raise _Problem(
                f"reset(seed={seed}) gave {_short(first)}, then {_short(again)}; equal seeds give equal episodes: "
                "call super().reset(seed=seed) and draw from self.np_random alone"
            )
    return {}


def _check_determinism(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    one, other = make(**config), make(**config)
    _compare(
        one,
        other,
        lambda: None,
        "two copies with equal seeds and actions differ: draw random numbers from self.np_random alone, and let no "
        "result depend on time, on sets or on what ran before",
    )
    return {}


def _check_copies(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    alone, beside, neighbour = make(**config), make(**config), make(**config)
    neighbour.action_space.seed(_SEED + 1)
    _first(neighbour, _SEED + 1)

    def disturb() -> None:
        if _next(neighbour, neighbour.action_space.sample())[-1]:
            _first(neighbour)

    _compare(
        alone,
        beside,
        disturb,
        "a copy behaves differently while another one is stepped beside it: copies share a process, so keep all state "
        "in self, not in the class or the module",
    )
    return {}


def _check_endings(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    env = make(**config)
    env.action_space.seed(_SEED)
    _first(env, _SEED)
    began, lengths, length = time.monotonic(), [], 0
    for _ in range(_END_STEPS):
        *_, terminated, truncated, over = _next(env, env.action_space.sample())
        for name, value in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(value, bool | np.bool_):
                raise _Problem(f"step() returned {name} = {value!r} ({type(value).__name__}); it is True or False")
        length += 1
        if over:
            lengths.append(length)
            length = 0
            _first(env)
        if time.monotonic() - began > _RATE_S * 4:
            break
    if not lengths:
        return {
            "note": f"no episode ended within {length} random steps; trainings truncate after max_episode_steps, "
            "10,000 unless said otherwise",
            "episodes": 0,
        }
    return {"episodes": len(lengths), "mean_length": float(np.mean(lengths))}


def _check_rewards(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    env = make(**config)
    env.action_space.seed(_SEED)
    _first(env, _SEED)
    rewards = []
    for _ in range(_STEPS):
        obs, reward, *_, over = _next(env, env.action_space.sample())
        try:
            value = float(reward)
        except (TypeError, ValueError):
            raise _Problem(f"step() returned the reward {_short(reward)}; it is a number") from None
        if not np.isfinite(value):
            raise _Problem(f"step() returned the reward {value}; it must be finite")
        if not _is_finite(obs):
            raise _Problem(f"step() returned the observation {_short(obs)}; it must be finite")
        rewards.append(value)
        if over:
            _first(env)
    return {"reward_min": min(rewards), "reward_max": max(rewards), "reward_mean": float(np.mean(rewards))}


def _check_step_rate(make: Any, config: dict[str, Any]) -> dict[str, Any]:
    env = make(**config)
    env.action_space.seed(_SEED)
    _first(env, _SEED)
    actions = [env.action_space.sample() for _ in range(64)]
    steps, began = 0, time.monotonic()
    while (spent := time.monotonic() - began) < _RATE_S:
        if _next(env, actions[steps % 64])[-1]:
            _first(env)
        steps += 1
    rate = steps / spent
    return {
        "steps_per_s": round(rate, 1),
        **({"note": f"{rate:.0f} steps a second of one copy: training will be slow"} if rate < 1000 else {}),
    }


CHECKS: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "spaces": _check_spaces,
    "seeding": _check_seeding,
    "determinism": _check_determinism,
    "copies": _check_copies,
    "endings": _check_endings,
    "rewards": _check_rewards,
    "step_rate": _check_step_rate,
}


def _compare(one: Any, other: Any, between: Callable[[], None], advice: str) -> None:
    one.action_space.seed(_SEED)
    first, second = _first(one, _SEED)[0], _first(other, _SEED)[0]
    if not _same(first, second):
        raise _Problem(f"reset: {_short(first)} against {_short(second)}: {advice}")
    for number in range(_STEPS):
        action = one.action_space.sample()
        ours = _next(one, action)
        between()
        theirs = _next(other, action)
        if not all(_same(a, b) for a, b in zip(ours, theirs, strict=True)):
            raise _Problem(f"step {number + 1}: {_short(ours[:4])} against {_short(theirs[:4])}: {advice}")
        if ours[-1]:
            first, second = _first(one)[0], _first(other)[0]
            if not _same(first, second):
                raise _Problem(f"reset after step {number + 1}: {_short(first)} against {_short(second)}: {advice}")


def _first(env: Any, seed: int | None = None) -> tuple[Any, Any]:
    try:
        result = env.reset(seed=seed)
    except TypeError as error:
        raise _Problem(f"reset(seed=…) failed: {traced(error)}; it takes the keywords seed and options") from None
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], dict):
        raise _Problem(f"reset() returned {_short(result)}; it returns an observation and a dict")
    return result


def _next(env: Any, action: Any) -> tuple[Any, Any, Any, Any, bool]:
    """Take a step; return observation, reward, terminated, truncated, and True if the episode has ended."""
    result = env.step(action)
    if not isinstance(result, tuple) or len(result) != 5:
        raise _Problem(
            f"step() returned {_short(result)}; it returns observation, reward, terminated, truncated and a dict"
        )
    obs, reward, terminated, truncated, info = result
    if not isinstance(info, dict):
        raise _Problem(f"step() returned info = {_short(info)}; it is a dict")
    return obs, reward, terminated, truncated, bool(terminated) or bool(truncated)


def _within(env: Any, obs: Any, what: str) -> None:
    if not env.observation_space.contains(obs):
        dtype = (
            f" of dtype {obs.dtype} and shape {obs.shape}"
            if isinstance(obs, np.ndarray)
            else f" ({type(obs).__name__})"
        )
        raise _Problem(
            f"{what} returned {_short(obs)}{dtype}, which is not in its observation_space {env.observation_space}"
        )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
        )
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f"))


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, tuple):
        return all(map(_is_finite, value))
    return bool(np.isfinite(np.asarray(value, np.float64)).all())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
