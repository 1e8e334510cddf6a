"""Flatten observations of several parts (Dict and Tuple) into one vector, in the order of Gymnasium's ``flatten``.

Discrete and MultiDiscrete parts become one-hot; the others keep their values. Images are refused: a convolution cannot
read a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.environments.models import SpacePart
from rlplatform.environments.observation_encoder import ObservationEncoder, is_image
from rlplatform.environments.spaces import FlatSpace, space_info
from rlplatform.environments.vector_env import Array, VectorEnv
from rlplatform.environments.wrapped_env import ObservationEnv
from rlplatform.errors import InvalidRequest

Path = tuple[str | int, ...]


class Flattening:
    """Converts batches of observations of one Dict or Tuple space to vectors [B, N] float32."""

    def __init__(self, env: str, space: spaces.Dict | spaces.Tuple) -> None:
        """Check that every part of the space can be flattened.

        Raises:
            InvalidRequest: a part is an image, or of a kind that cannot be a vector; names it.
        """
        self._parts: list[tuple[Path, ObservationEncoder, slice]] = []
        infos, lows, highs, start = [], [], [], 0
        for path, part in _leaves(space):
            encoder = _encoder(env, path, part)
            size = encoder.shape[0]
            self._parts.append((path, encoder, slice(start, start + size)))
            infos.append(_info(path, part, start, size))
            low, high = _bounds(part, size)
            lows.append(low)
            highs.append(high)
            start += size
        if not start:
            raise InvalidRequest(f"env: {env}'s observations are empty: {space}", field="env")
        self.size = start
        self.space = FlatSpace(np.concatenate(lows), np.concatenate(highs), tuple(infos))

    def __call__(self, obs: Any) -> Array:
        """Flatten a batch: arrays [B, *] nested in mappings and tuples."""
        out: Array | None = None
        for path, encoder, columns in self._parts:
            part = obs
            for key in path:
                part = part[key]
            part = np.asarray(part)
            if out is None:
                out = np.empty((len(part), self.size), np.float32)
            out[:, columns] = encoder(part)
        assert out is not None
        return out


class FlatVectorEnv(ObservationEnv):
    """Wrapper of a vector environment that flattens its observations."""

    def __init__(self, env: VectorEnv, flattening: Flattening) -> None:
        super().__init__(env, "FlattenObservation")
        self._flattening = flattening
        self.single_observation_space = flattening.space

    def changed(self, obs: Any) -> Array:
        return self._flattening(obs)


def flatten(env: VectorEnv, name: str) -> VectorEnv:
    """Return ``env`` itself, or wrapped to flatten its observations if they have several parts.

    Raises:
        InvalidRequest: the observations cannot be flattened; the environment is closed.
    """
    space = env.single_observation_space
    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return env
    try:
        return FlatVectorEnv(env, Flattening(name, space))
    except InvalidRequest:
        env.close()
        raise


def _leaves(space: spaces.Space[Any], path: Path = ()) -> Iterator[tuple[Path, spaces.Space[Any]]]:
    match space:
        case spaces.Dict():
            for key, part in space.spaces.items():
                yield from _leaves(part, (*path, key))
        case spaces.Tuple():
            for index, part in enumerate(space.spaces):
                yield from _leaves(part, (*path, index))
        case _:
            yield path, space


def _encoder(env: str, path: Path, part: spaces.Space[Any]) -> ObservationEncoder:
    where = f"env: {env}'s observations have a part {'.'.join(map(str, path))!r} of {str(part)[:100]}"
    covered = "Box, Discrete, MultiDiscrete and MultiBinary parts are covered"
    if isinstance(part, spaces.Box) and looks_like_image(part):
        raise InvalidRequest(
            f"{where}, an image. Observations of several parts are flattened into one vector, and an image in it would "
            "lose its convolutions. Choose a variant of the environment without images, or one whose whole observation "
            "is the image",
            field="env",
        )
    if not isinstance(part, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise InvalidRequest(f"{where}; {covered}", field="env")
    return ObservationEncoder.of(part)


def looks_like_image(space: spaces.Box) -> bool:
    """True for images that the CNN can read, and for float images or images without an axis of channels."""
    if is_image(space):
        return True
    shape = space.shape
    if len(shape) == 2:
        return space.dtype == np.uint8 and min(shape) >= 36
    if len(shape) != 3:
        return False
    sides = shape[:2] if shape[-1] <= min(shape[:2]) else shape[1:]
    return min(sides) >= 36 and min(shape) <= 16


def _info(path: Path, part: spaces.Space[Any], start: int, size: int) -> SpacePart:
    return SpacePart(path=list(path), start=start, size=size, space=space_info(part))


def _bounds(part: spaces.Space[Any], size: int) -> tuple[Array, Array]:
    if not isinstance(part, spaces.Box):
        return np.zeros(size, np.float32), np.ones(size, np.float32)
    with np.errstate(over="ignore"):
        low, high = part.low.ravel().astype(np.float32), part.high.ravel().astype(np.float32)
    # EnvPool writes the smallest positive float as the lower bound where there is none.
    low = np.where((part.low.ravel() > 0) & (part.low.ravel() < 1e-30), -np.inf, low)
    return low.astype(np.float32), high
