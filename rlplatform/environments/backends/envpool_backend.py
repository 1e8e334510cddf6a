"""EnvPool's vector environments, stepped in C++. Its Atari games are preprocessed as in Mnih et al. 2015."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from rlplatform.environments.backends.atari import PREPROCESSING, TRAINING
from rlplatform.environments.backends.flattening import Flattening
from rlplatform.environments.backends.refusal import refusal
from rlplatform.environments.backends.time_limit import LimitedVectorEnv
from rlplatform.environments.vector_env import Array, Backend, Step, TimeLimit, VectorEnv
from rlplatform.errors import InvalidRequest

_NO_LIMIT = 2**31 - 1  # EnvPool's ``max_episode_steps`` for episodes without a limit
_RANGES: dict[str, tuple[float, float]] = {
    "max_episode_steps": (1, _NO_LIMIT),
    "stack_num": (1, 16),
    "frame_stack": (1, 16),
    "frame_skip": (1, 64),
    "noop_max": (1, 1000),
    "repeat_action_probability": (0, 1),
}
ATARI_STEPS_PER_S = 15.0  # 60 frames, of which each step takes 4
_LIMIT_IGNORED = frozenset({"envpool.jumanji", "envpool.highway", "envpool.pgx"})
"""Families of which some environments ignore ``max_episode_steps``."""
_NOT_TAKEN = frozenset({"gym_reset_return_info", "reward_threshold"})


@functools.cache
def envpool_ids() -> frozenset[str]:
    """Return the ids of EnvPool's environments; empty if EnvPool is not installed."""
    try:
        import envpool
    except ImportError:
        return frozenset()
    return frozenset(envpool.list_all_envs())


class EnvPoolVectorEnv(VectorEnv):
    """An EnvPool environment: NEXT_STEP autoreset, stepped in C++ on ``threads`` threads. Its state cannot be saved."""

    backend: Backend = "envpool"
    pace: float | None = None
    """Steps that people are shown in a second; None: EnvPool does not say."""

    def __init__(self, env: Any, num_envs: int, time_limit: TimeLimit | None = None) -> None:
        super().__init__(num_envs)
        self._env = env
        self.time_limit = time_limit
        if env.metadata["autoreset_mode"] != AutoresetMode.NEXT_STEP:
            raise InvalidRequest("env: EnvPool is expected to reset on the next step", field="env")
        space = env.single_observation_space
        self.grid = isinstance(space, spaces.Dict) and {"image", "mission"} <= set(space.spaces)
        self.single_observation_space = _flat_grid(space) if self.grid else _with_true_bounds(space)
        self.single_action_space = env.single_action_space
        self._lives = "info:lives" in env._state_keys
        self._direct = None if self._lives else _direct(env)
        self._ids = np.arange(num_envs, dtype=np.int32)

    def reset(self) -> Any:
        obs, _ = self._env.reset()
        return self._told(obs)

    def step(self, actions: Array) -> Step:
        if self._direct is not None:
            places, dtype = self._direct
            self._env._send([self._ids, self._ids, actions.astype(dtype, order="C", copy=False)])
            state = self._env._recv()
            done, truncated, rewards, obs = (state[place] for place in places)
            return Step(obs, rewards, done & ~truncated, truncated)
        obs, rewards, terminated, truncated, info = self._env.step(actions)
        obs = self._told(obs)
        if not self._lives:
            return Step(obs, rewards, terminated, truncated)
        over = truncated | info["terminated"].astype(np.bool_)
        return Step(obs, rewards, terminated, truncated, scores=info["reward"], over=over)

    def reset_some(self, ids: NDArray[np.int32]) -> Any:
        """Begin an episode in the copies ``ids``, and return their observations."""
        obs, info = self._env.reset(ids)
        order = np.argsort(info["env_id"], kind="stable")
        return self._told(_rows(obs, order))

    def step_some(self, actions: Array, ids: NDArray[np.int32]) -> Step:
        """Take one step in the copies ``ids``, in their order."""
        obs, rewards, terminated, truncated, info = self._env.step(actions, ids)
        order = np.argsort(info["env_id"], kind="stable")
        columns = (array[order] for array in (rewards, terminated, truncated))
        step = Step(self._told(_rows(obs, order)), *columns)
        if not self._lives:
            return step
        over = step.truncated | info["terminated"].astype(np.bool_)[order]
        return step._replace(scores=info["reward"][order], over=over)

    @property
    def frames_per_s(self) -> float | None:
        return self.pace

    def frame(self, place: int) -> Array | None:
        if self._env.render_mode is None:
            return None
        try:
            return np.asarray(self._env.render(env_ids=place)[0])
        except RuntimeError as error:
            if "not implemented" in str(error):  # EnvPool draws most of its environments, not all
                return None
            raise

    def close(self) -> None:
        self._env.close()

    def _told(self, obs: Any) -> Any:
        """Convert observations to the form that :meth:`reset` and :meth:`step` return."""
        return self._flatten(obs) if self.grid else obs

    def _flatten(self, obs: Mapping[str, Array]) -> Array:
        image, mission = obs["image"], obs["mission"]
        return np.concatenate((image.reshape(len(image), -1), mission), axis=1, dtype=np.float32)


def make_envpool(
    env: str,
    seeds: Sequence[int],
    env_config: Mapping[str, Any],
    asked: int | None,
    training: bool,
    threads: int,
    *,
    rendered: bool = False,
) -> VectorEnv:
    """Make one copy for each seed, with episodes of at most ``asked`` steps, and with pictures if ``rendered``.

    Raises:
        InvalidRequest: the environment cannot be made with these options; names ``env`` or ``env_config``.
    """
    import envpool

    _check_options(env, env_config)
    options = dict(env_config)
    atari = _is_atari(env)
    if atari:  # evaluation plays whole games and reports their scores
        options = {"episodic_life": True, "reward_clip": True} | options if training else options
        options |= {} if training else {"episodic_life": False, "reward_clip": False}
    try:
        limit = TimeLimit.of(asked, _own_limit(env))
        if limit.source != "environment":
            options["max_episode_steps"] = limit.steps
        if rendered:
            options["render_mode"] = "rgb_array"
        made = envpool.make_gymnasium(
            env, num_envs=len(seeds), seed=[int(seed) for seed in seeds], num_threads=threads, **options
        )
    except Exception as error:
        raise refusal(env, env_config, error) from error
    found = EnvPoolVectorEnv(made, len(seeds), limit)
    found.pace = _pace(env, atari) if rendered else None
    found.wrappers = (PREPROCESSING, TRAINING) if atari else ("FlatObsWrapper",) if found.grid else ()
    trusted = limit.source == "environment" and _family(env) not in _LIMIT_IGNORED
    return found if trusted else LimitedVectorEnv(found, found, limit)


def _pace(env: str, atari: bool) -> float | None:
    """Return the pace that Gymnasium gives for its own environment of this id; None if there is none."""
    if atari:
        return ATARI_STEPS_PER_S
    try:
        creator = load_env_creator(str(gym.registry[env].entry_point))
    except Exception:
        return None
    pace = (getattr(creator, "metadata", None) or {}).get("render_fps")
    return float(pace) if pace else None


def _rows(obs: Any, order: NDArray[np.int64]) -> Any:
    """Return the rows ``order`` of observations, which may be nested in mappings."""
    return {key: _rows(part, order) for key, part in obs.items()} if isinstance(obs, Mapping) else obs[order]


def envpool_spaces(env: str) -> tuple[spaces.Space[Any], spaces.Space[Any], int]:
    """Return observation space, action space and time limit of an environment, without making it.

    Raises:
        InvalidRequest: the environment cannot be made on this machine.
    """
    import envpool

    try:
        spec = envpool.make_spec(env)
        observations, actions = spec.gymnasium_observation_space, spec.gymnasium_action_space
    except Exception as error:
        raise InvalidRequest(f"env: {env} cannot be made here: {error}", field="env") from error
    if isinstance(observations, spaces.Dict):
        is_grid = {"image", "mission"} <= set(observations.spaces)
        observations = _flat_grid(observations) if is_grid else Flattening(env, observations).space
    return _with_true_bounds(observations), actions, TimeLimit.of(None, _own_limit(env)).steps


def _own_limit(env: str) -> int | None:
    import envpool

    own = envpool.make_spec(env).config._asdict().get("max_episode_steps")
    return None if own == _NO_LIMIT else own


def _check_options(env: str, given: Mapping[str, Any]) -> None:
    """Accept only flags, weights and some numbers, within their ranges.

    EnvPool ends the whole process if it cannot use an option, for example a game or a file that it does not have.

    Raises:
        InvalidRequest: names the option and says what is accepted.
    """
    if not given:
        return
    import envpool

    defaults = envpool.make_spec(env).config._asdict()
    accepted = sorted(
        name
        for name, default in defaults.items()
        if name not in _NOT_TAKEN and (name in _RANGES or type(default) in (bool, float))
    )
    for name, value in given.items():
        field = f"env_config.{name}"
        if name not in accepted:
            raise InvalidRequest(f"{field}: of EnvPool's {env} can be set {', '.join(accepted)}", field=field)
        kind = type(defaults[name])
        low, high = _RANGES.get(name, (-1e6, 1e6))
        fits = type(value) is kind or (kind is float and type(value) is int)
        if not fits or (kind is not bool and not low <= value <= high):
            wanted = "true or false" if kind is bool else f"a number from {low:g} to {high:g}"
            wanted = wanted.replace("a number", "an integer") if kind is int else wanted
            raise InvalidRequest(f"{field}: {wanted} is wanted", field=field)


def _is_atari(env: str) -> bool:
    return _family(env) == "envpool.atari"


def _family(env: str) -> str:
    from envpool.registration import registry

    return str(registry.specs[env][0])


def _direct(env: Any) -> tuple[list[int], Any] | None:
    """Return what is needed to read the results of EnvPool's core without conversion.

    EnvPool's conversion to and from nested dictionaries takes a third of the time of a cheap step.

    Returns:
        Indices of done, truncation, reward and observation, and the dtype of actions. None if this version, or this
        environment's observations, are not as expected; the conversion is used then.
    """
    try:
        keys, action_keys = list(env._state_keys), list(env._action_keys)
        places = [keys.index(name) for name in ("done", "trunc", "reward", "obs")]
        dtype = env._spec._action_spec[-1][0]
    except (AttributeError, ValueError, IndexError):
        return None
    return (places, dtype) if action_keys == ["env_id", "players.env_id", "action"] else None


def _flat_grid(space: spaces.Dict) -> spaces.Box:
    size = sum(int(np.prod(space[name].shape or ())) for name in ("image", "mission"))
    return spaces.Box(0, 255, (size,), np.float32)


def _with_true_bounds(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Replace lower bounds of the smallest positive float, by which EnvPool means unbounded, with -inf."""
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        return space
    low = np.where((space.low > 0) & (space.low < 1e-30), -np.inf, space.low).astype(space.dtype)
    return space if np.array_equal(low, space.low) else spaces.Box(low, space.high, space.shape, low.dtype.type)
