"""Encode observations as network input: vectors unchanged, discrete ones one-hot, images as uint8 with channels
first."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.environments.spaces import FlatSpace
from rlplatform.errors import InvalidRequest

Kind = Literal["vector", "one_hot", "image"]
MIN_IMAGE_SIDE = 36  # the Nature CNN's three convolutions need at least this


class ObservationEncoder:
    """Converts a batch of observations of one space to network input.

    ``shape`` and ``dtype`` describe one encoded observation: ``(D,)`` float32 for ``vector`` and ``one_hot``,
    ``(C, H, W)`` uint8 for ``image``. Box observations that are not images are flattened. ``mask`` are the columns
    [start, stop) that say which actions are allowed; None if all are.
    """

    mask: tuple[int, int] | None = None

    def __init__(self, kind: Kind, shape: tuple[int, ...], *, nvec: tuple[int, ...] = (), start: Any = 0) -> None:
        self.kind = kind
        self.shape = shape
        self.nvec = nvec
        self.dtype: np.dtype[Any] = np.dtype(np.uint8 if kind == "image" else np.float32)
        self._start = np.asarray(start, np.int64)
        self._channels_last = False
        self._offsets = np.cumsum((0, *nvec))[:-1]

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> ObservationEncoder:
        """Return the encoder for an environment's observation space.

        Raises:
            InvalidRequest: the space is a Dict, Tuple, Text, Graph or Sequence.
        """
        if isinstance(space, spaces.Discrete):
            return cls("one_hot", (int(space.n),), nvec=(int(space.n),), start=int(space.start))
        if isinstance(space, spaces.MultiDiscrete):
            nvec = tuple(int(n) for n in space.nvec.ravel())
            return cls("one_hot", (sum(nvec),), nvec=nvec, start=space.start.ravel())
        if isinstance(space, spaces.MultiBinary):
            return cls("vector", (int(np.prod(space.shape)),))
        if isinstance(space, spaces.Box):
            if is_image(space):
                channels_last = space.shape[-1] <= min(space.shape[:2])
                height, width, channels = space.shape if channels_last else (*space.shape[1:], space.shape[0])
                encoder = cls("image", (channels, height, width))
                encoder._channels_last = channels_last
                return encoder
            encoder = cls("vector", (int(np.prod(space.shape)),))
            encoder.mask = space.mask if isinstance(space, FlatSpace) else None
            return encoder
        raise InvalidRequest(
            f"env: observation space {type(space).__name__} is not covered; "
            "Box, Discrete, MultiDiscrete and MultiBinary are",
            field="env",
        )

    @property
    def image(self) -> bool:
        """True if observations are images."""
        return self.kind == "image"

    def __call__(self, obs: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Encode observations.

        Args:
            obs: Observations [B, *space.shape].
            out: Array [B, *shape] to write to; None to return a new array, or ``obs`` itself if nothing has to change.
        """
        if self.kind == "vector":
            if out is None:
                return np.asarray(obs, np.float32).reshape(len(obs), -1)
            out[...] = obs.reshape(out.shape)
            return out
        if self.kind == "image":
            image = np.moveaxis(obs, -1, 1) if self._channels_last else obs
            if out is None:
                return np.ascontiguousarray(image)
            out[...] = image
            return out
        index = np.asarray(obs, np.int64).reshape(len(obs), -1) - self._start + self._offsets
        if out is None:
            out = np.zeros((len(obs), *self.shape), np.float32)
        else:
            out[...] = 0
        np.put_along_axis(out, index, 1.0, axis=1)
        return out


def is_image(space: spaces.Box) -> bool:
    """True for uint8 spaces of three axes with both sides large enough for the Nature CNN.

    The smaller one of the first and the last axis holds the channels.
    """
    if space.dtype != np.uint8 or len(space.shape) != 3:
        return False
    sides = space.shape[:2] if space.shape[-1] <= min(space.shape[:2]) else space.shape[1:]
    return min(sides) >= MIN_IMAGE_SIDE
