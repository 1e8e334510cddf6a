"""Atari games, named by the ids of Gymnasium, ALE or EnvPool, and ALE's vector environment of one game.

Whatever the id, a game is preprocessed as in Mnih et al. 2015: up to 30 no-ops and FIRE after a reset, the maximum of
the last two of 4 frames, grey, 84 x 84, 4 frames stacked. With ``obs_type`` "ram" nothing is preprocessed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlplatform.environments.backends.refusal import refusal
from rlplatform.environments.vector_env import Array, Backend, Step, TimeLimit, VectorEnv
from rlplatform.errors import UnknownName

MAX_FRAMES = 108_000
FRAME_SKIP = 4
PREPROCESSING = "AtariPreprocessing(84 x 84 grey, frame_skip 4, noop_max 30, fire_reset) + FrameStack(4)"
TRAINING = "EpisodicLife + ClipReward (training alone)"

_ALE = re.compile(r"ALE/(?P<name>\w+)-v5")
_LEGACY = re.compile(r"(?P<name>[A-Z]\w*?)(?P<kind>NoFrameskip|Deterministic)?-v(?P<version>[04])")
_OURS = frozenset({"num_envs", "batch_size", "num_threads", "thread_affinity_offset", "autoreset_mode", "game"})
_KEPT = frozenset({"reward_clipping", "episodic_life", "life_loss_info", "max_num_frames_per_episode"})


class AtariGame(NamedTuple):
    """An Atari game that an id names. ``rom`` is ALE's name of it if ALE has registered the id."""

    envpool_id: str
    repeat_action_probability: float
    rom: str | None


def find_game(env: str) -> AtariGame | None:
    """Return the Atari game that ``env`` names in the spelling of ALE or of the old Gym; None for any other id."""
    found = _ALE.fullmatch(env) or _LEGACY.fullmatch(env)
    if found is None:
        return None
    spec = gym.registry.get(env)
    if spec is not None and not str(spec.entry_point).startswith("ale_py."):
        return None
    sticky = 0.0 if "version" in found.groupdict() and found["version"] == "4" else 0.25
    return AtariGame(f"{found['name']}-v5", sticky, spec.kwargs.get("game") if spec is not None else None)


class AleVectorEnv(VectorEnv):
    """ALE's own vector environment of one game: NEXT_STEP autoreset, stepped in C++. Its state cannot be saved."""

    backend: Backend = "vector_entry_point"

    def __init__(self, env: Any, num_envs: int, seeds: Sequence[int], limit: TimeLimit, training: bool) -> None:
        super().__init__(num_envs)
        self._env, self._training = env, training
        self._seeds: Sequence[int] | None = seeds
        self.single_observation_space = env.single_observation_space
        self.single_action_space = env.single_action_space
        self.time_limit = limit
        self.wrappers = (PREPROCESSING, "ClipReward (training alone)")
        self.notes = ("a lost life does not end an episode: ALE would begin a new game with each life",)

    def reset(self) -> Array:
        seeds, self._seeds = self._seeds, None
        obs, _ = self._env.reset(seed=None if seeds is None else np.asarray(seeds, np.int32))
        return np.asarray(obs)

    def step(self, actions: Array) -> Step:
        obs, rewards, terminated, truncated, _ = self._env.step(actions)
        terminated, truncated = terminated.astype(np.bool_), truncated.astype(np.bool_)
        if not self._training:
            return Step(obs, rewards, terminated, truncated)
        return Step(obs, np.sign(rewards), terminated, truncated, scores=rewards)

    def close(self) -> None:
        self._env.close()


def make_atari(
    env: str, rom: str, seeds: Sequence[int], config: Mapping[str, Any], asked: int | None, training: bool
) -> AleVectorEnv:
    """Make one copy of a game for each seed.

    Raises:
        InvalidRequest: ``env_config`` has an entry that the game does not accept; names it.
    """
    from ale_py.vector_env import AtariVectorEnv

    accepted = sorted(set(inspect.signature(AtariVectorEnv).parameters) - _OURS - _KEPT)
    for name in config:
        if name not in accepted:
            raise UnknownName("option", name, accepted, field=f"env_config.{name}")
    kwargs = {name: value for name, value in gym.registry[env].kwargs.items() if name in accepted}
    options = kwargs | {"frameskip": FRAME_SKIP} | dict(config)
    limit = TimeLimit.of(asked, MAX_FRAMES // FRAME_SKIP)
    try:
        made = AtariVectorEnv(
            rom,
            len(seeds),
            num_threads=1,
            reward_clipping=False,  # clipped by this class, which also reports the unclipped score
            episodic_life=False,
            max_num_frames_per_episode=limit.steps * options["frameskip"],
            **options,
        )
    except Exception as error:
        raise refusal(env, config, error) from error
    return AleVectorEnv(made, len(seeds), seeds, limit, training)
