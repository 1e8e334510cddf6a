"""Observation and reward normalisers with the semantics of Stable-Baselines3's VecNormalize.

Observations are shifted and scaled by running mean and variance, then clipped. Rewards are divided by the standard
deviation of the running discounted return, never shifted, then clipped. Statistics are updated before they are used.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.native import c_library

Doubles = NDArray[np.float64]
EPSILON = 1e-8
INITIAL_COUNT = 1e-4  # as in VecNormalize: a prior of mean 0 and variance 1 with almost no weight


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


class Moments:
    """Count, mean and (population) variance of rows, float64. Addition and subtraction follow Chan et al. 1979."""

    __slots__ = ("count", "mean", "var")

    def __init__(self, count: float, mean: Doubles, var: Doubles) -> None:
        self.count = count
        self.mean = mean
        self.var = var

    @classmethod
    def initial(cls, shape: tuple[int, ...]) -> Moments:
        """Return the state before any row."""
        return cls(INITIAL_COUNT, np.zeros(shape), np.ones(shape))

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Moments:
        """Return the moments of rows [n, *shape]."""
        count = len(rows)
        rows = np.asarray(rows, np.float64)
        mean = np.add.reduce(rows, 0) / max(count, 1)
        centred = rows - mean
        centred *= centred
        return cls(count, mean, np.add.reduce(centred, 0) / max(count, 1))

    def copy(self) -> Moments:
        """Return an independent copy."""
        return Moments(self.count, np.array(self.mean), np.array(self.var))

    def add(self, other: Moments) -> None:
        """Add the rows of ``other``."""
        if not other.count:
            return
        total = self.count + other.count
        delta = other.mean - self.mean
        weight = other.count / total
        np.add(self.var, weight * (other.var - self.var + delta * delta * (self.count / total)), out=self.var)
        np.add(self.mean, weight * delta, out=self.mean)
        self.count = total

    def minus(self, earlier: Moments) -> Moments:
        """Return the moments of the rows added since ``earlier``, an earlier state of this object."""
        count = self.count - earlier.count
        if count <= 0:
            return Moments(0.0, np.zeros_like(self.mean), np.zeros_like(self.var))
        mean = (self.count * self.mean - earlier.count * earlier.mean) / count
        delta = mean - earlier.mean
        squares = self.count * self.var - earlier.count * earlier.var
        squares = squares - delta * delta * (earlier.count * count / self.count)
        return Moments(count, mean, np.maximum(squares / count, 0.0))

    def get_state(self) -> dict[str, Any]:
        """Return a copy that can be pickled."""
        return {"count": float(self.count), "mean": self.mean.copy(), "var": self.var.copy()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Moments:
        """Restore moments from the result of ``get_state``."""
        return cls(float(state["count"]), np.array(state["mean"], np.float64), np.array(state["var"], np.float64))


class _Mergeable:
    """Statistics that several env runners collect and one driver merges."""

    moments: Moments

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.moments = Moments.initial(shape)
        self._popped = self.moments.copy()
        self._library = c_library.load_or_none()
        self._bound: tuple[Moments, c_library.CMoments] | None = None

    def _c_moments(self) -> c_library.CMoments:
        """Return the moments as C sees them: the arrays themselves, and the current count."""
        if self._bound is None or self._bound[0] is not self.moments:
            found = c_library.CMoments(self.moments.mean.ctypes.data, self.moments.var.ctypes.data, 0.0)
            self._bound = self.moments, found
        self._bound[1].count = self.moments.count
        return self._bound[1]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_library", "_bound")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _library=c_library.load_or_none(), _bound=None)

    def pop_delta(self) -> Moments:
        """Return the rows seen since the last call (or ``set_state``), to be merged elsewhere."""
        delta = self.moments.minus(self._popped)
        self._popped = self.moments.copy()
        return delta

    def merge(self, deltas: Iterable[Moments]) -> Self:
        """Add the rows that other env runners have seen."""
        for delta in deltas:
            self.moments.add(delta)
        self._popped = self.moments.copy()
        return self

    def get_state(self) -> dict[str, Any]:
        """Return the statistics; they can be pickled."""
        return self.moments.get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Replace the statistics. Rows seen but not popped are dropped."""
        self.moments = Moments.from_state(state)
        self._popped = self.moments.copy()


class ObservationNormalizer(_Mergeable):
    """Normaliser of float observations of ``shape``. Images are not normalised here: the CNN divides pixels by 255."""

    def __init__(self, shape: tuple[int, ...], *, clip: float = 10.0, epsilon: float = EPSILON) -> None:
        super().__init__(shape)
        self.clip = clip
        self.epsilon = epsilon
        self._scale: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __call__(
        self, obs: NDArray[Any], *, out: NDArray[np.float32] | None = None, update: bool | NDArray[np.bool_] = True
    ) -> NDArray[np.float32]:
        """Normalise observations.

        Args:
            obs: Observations [B, *shape].
            out: Array to write to, which may be ``obs``; a new one if None.
            update: True to add the observations to the statistics, or a mask [B] of the rows to add. Evaluation passes
                False. NEXT_STEP rollouts pass ``~done``, since VecNormalize never sees the last observation of an
                    episode.
        """
        if obs.shape[1:] != self.moments.mean.shape:
            raise ValueError(f"expected observations [B, *{self.moments.mean.shape}], got {obs.shape}")
        if self._library is not None and obs.dtype == np.float32 and obs.flags.c_contiguous:
            return self._in_c(obs, out, update)
        if update is not False:
            self.update(obs if update is True else obs[update])
        if self._scale is None:
            inverse = 1.0 / np.sqrt(self.moments.var + self.epsilon)
            self._scale = inverse.astype(np.float32), self.moments.mean.astype(np.float32)
        inverse32, mean32 = self._scale
        out = np.subtract(obs, mean32, out=out, dtype=np.float32, casting="same_kind")
        out *= inverse32
        np.minimum(out, self.clip, out=out)
        return np.maximum(out, -self.clip, out=out)

    def _in_c(
        self, obs: NDArray[np.float32], out: NDArray[np.float32] | None, update: bool | NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        assert self._library is not None
        if out is None:
            out = np.empty_like(obs)
        keep = None
        if not isinstance(update, bool):
            update = np.ascontiguousarray(update, np.bool_)
            keep = _address(update)
        rows = len(obs)
        fits = obs.shape == out.shape == (rows, *self.moments.mean.shape) and (keep is None or len(update) == rows)  # type: ignore[arg-type]
        if not fits or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ValueError(
                f"expected float32 observations [B, *{self.moments.mean.shape}], and out and update to fit"
            )
        moments = self._c_moments()
        self._library.normalize(
            ctypes.addressof(moments),
            _address(obs),
            keep,
            update is not False,
            rows,
            self.moments.mean.size,
            self.epsilon,
            self.clip,
            _address(out),
        )
        if update is not False:
            self.moments.count = moments.count
            self._scale = None
        return out

    def update(self, obs: NDArray[Any]) -> None:
        """Add observations [n, *shape] to the statistics."""
        if len(obs):
            self.moments.add(Moments.of(obs))
            self._scale = None

    def merge(self, deltas: Iterable[Moments]) -> Self:
        """Add the rows that other env runners have seen."""
        self._scale = None
        return super().merge(deltas)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Replace the statistics."""
        self._scale = None
        super().set_state(state)


class RewardNormalizer(_Mergeable):
    """Normaliser of the rewards of ``envs`` environments.

    It keeps each environment's running discounted return, which is not part of its state.
    """

    def __init__(self, envs: int, gamma: float, *, clip: float = 10.0, epsilon: float = EPSILON) -> None:
        super().__init__(())
        self.gamma = gamma
        self.clip = clip
        self.epsilon = epsilon
        self.returns: Doubles = np.zeros(envs)

    def __call__(
        self,
        rewards: NDArray[Any],
        done: NDArray[np.bool_],
        *,
        valid: NDArray[np.bool_] | None = None,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Normalise the rewards of one step.

        Args:
            rewards: Rewards [B].
            done: Mask [B] of the environments that this step terminated or truncated.
            valid: Mask [B], False where the step was a NEXT_STEP reset; these add nothing to the statistics.
            out: Array to write to; a new one if None.
        """
        if self._library is not None:
            return self._in_c(rewards, done, valid, out)
        self.returns *= self.gamma
        self.returns += rewards
        self.moments.add(Moments.of(self.returns if valid is None or valid.all() else self.returns[valid]))
        self.returns[done] = 0.0
        scale = 1.0 / math.sqrt(float(self.moments.var) + self.epsilon)
        out = np.multiply(rewards, np.float32(scale), out=out, dtype=np.float32, casting="same_kind")
        np.minimum(out, self.clip, out=out)
        return np.maximum(out, -self.clip, out=out)

    def _in_c(
        self,
        rewards: NDArray[Any],
        done: NDArray[np.bool_],
        valid: NDArray[np.bool_] | None,
        out: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        assert self._library is not None
        rewards = np.ascontiguousarray(rewards, np.float64)
        done = np.ascontiguousarray(done, np.bool_)
        valid = None if valid is None else np.ascontiguousarray(valid, np.bool_)
        if out is None:
            out = np.empty(len(rewards), np.float32)
        arrays = (rewards, done, out) if valid is None else (rewards, done, out, valid)
        if any(array.shape != self.returns.shape for array in arrays) or out.dtype != np.float32:
            raise ValueError(f"expected a number for each of {len(self.returns)} environments")
        if not out.flags.c_contiguous:
            raise ValueError("expected a contiguous out")
        moments = self._c_moments()
        self._library.normalize_rewards(
            ctypes.addressof(moments),
            _address(rewards),
            _address(done),
            None if valid is None else _address(valid),
            _address(self.returns),
            len(rewards),
            self.gamma,
            self.epsilon,
            self.clip,
            _address(out),
        )
        self.moments.count = moments.count
        return out

    def reset(self) -> None:
        """Clear the running returns, but not the statistics: all environments were reset."""
        self.returns[:] = 0.0
