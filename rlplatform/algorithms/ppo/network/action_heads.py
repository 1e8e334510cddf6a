"""Action distributions: the meaning of the policy head's outputs for each action space.

Discrete has one categorical distribution; MultiDiscrete and MultiBinary have independent ones. Box has a diagonal
Gaussian with a state-independent log standard deviation, or with gSDE (Raffin et al. 2021, arXiv:2005.05719). As in
Stable-Baselines3, gSDE is unsquashed, with full std, and features are not learned through the noise.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from rlplatform.errors import InvalidRequest

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
SDE_EPSILON = 1e-6


class Head(IntEnum):
    """Kind of action distribution, with the numbers that ``kernel.c`` uses."""

    CATEGORICAL = 0
    GAUSSIAN = 1
    SDE = 2


class ActionHead:
    """Distribution of one action space.

    Attributes:
        outputs: Width of the policy head: logits of all components, or A means.
        nvec: Categories of each component; empty for Box.
        shape, dtype: One stored action: ``()`` int64 (Discrete), ``(A,)`` int64, or ``(A,)`` float32 (Box).

    ``to_env`` converts stored actions to the environment's: Box actions are clipped to the bounds, never rescaled.
    """

    def __init__(self, kind: Head, outputs: int, shape: tuple[int, ...], *, nvec: tuple[int, ...] = ()) -> None:
        self.kind = kind
        self.outputs = outputs
        self.shape = shape
        self.nvec = nvec
        self.dtype: np.dtype[Any] = np.dtype(np.int64 if kind is Head.CATEGORICAL else np.float32)
        self.env_shape = shape
        self.env_dtype = self.dtype
        self.start: NDArray[np.int64] | None = None
        self.low: NDArray[Any] | None = None
        self.high: NDArray[Any] | None = None

    @classmethod
    def of(cls, space: spaces.Space[Any], *, use_sde: bool = False) -> ActionHead:
        """Return the head for an environment's action space.

        Raises:
            InvalidRequest: the space is not covered, or gSDE is asked for without a Box.
        """
        if isinstance(space, spaces.Box):
            if not np.issubdtype(space.dtype, np.floating):
                raise InvalidRequest(f"env: Box actions of {space.dtype} are not covered; floats are", field="env")
            size = int(np.prod(space.shape))
            head = cls(Head.SDE if use_sde else Head.GAUSSIAN, size, (size,))
            head.low, head.high = space.low, space.high
            head.env_shape, head.env_dtype = space.shape, np.dtype(space.dtype)
            return head
        if use_sde:
            field = "hyperparameters.use_sde"
            raise InvalidRequest(f"{field}: needs Box actions, not {type(space).__name__}", field=field)
        if isinstance(space, spaces.Discrete):
            head = cls(Head.CATEGORICAL, int(space.n), (), nvec=(int(space.n),))
            head.start = np.asarray(space.start, np.int64) if space.start else None
            return head
        if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
            if isinstance(space, spaces.MultiDiscrete):
                nvec = tuple(int(n) for n in np.ravel(space.nvec))
            else:
                nvec = (2,) * int(np.prod(space.shape))
            head = cls(Head.CATEGORICAL, sum(nvec), (len(nvec),), nvec=nvec)
            if isinstance(space, spaces.MultiDiscrete) and space.start.any():
                head.start = space.start.ravel()
            head.env_shape, head.env_dtype = space.shape, np.dtype(space.dtype)
            return head
        raise InvalidRequest(
            f"env: action space {type(space).__name__} is not covered; "
            "Box, Discrete, MultiDiscrete and MultiBinary are",
            field="env",
        )

    @property
    def continuous(self) -> bool:
        """True if actions are floats."""
        return self.kind is not Head.CATEGORICAL

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Convert stored actions [B, *shape] to the environment's.

        Discrete actions that start at 0 are returned unchanged.
        """
        if self.kind is Head.CATEGORICAL:
            if self.start is not None:
                actions = actions + self.start
            if self.env_shape == self.shape and self.env_dtype == self.dtype:
                return actions
            return actions.reshape(len(actions), *self.env_shape).astype(self.env_dtype, copy=False)
        shaped = actions.reshape(len(actions), *self.env_shape)
        assert self.low is not None
        assert self.high is not None
        clipped = np.minimum(np.maximum(shaped, self.low), self.high)
        result: NDArray[Any] = clipped.astype(self.env_dtype, copy=False)
        return result

    def noise_shape(self, rows: int, latent: int) -> tuple[int, ...]:
        """Return the shape of the noise that samples ``rows`` actions: uniform numbers, normal numbers, or gSDE's
        matrices."""
        if self.kind is Head.CATEGORICAL:
            return (rows, len(self.nvec))
        return (rows, self.outputs) if self.kind is Head.GAUSSIAN else (rows, latent, self.outputs)

    def draw_noise(self, rng: np.random.Generator, rows: int, latent: int) -> NDArray[np.float32]:
        """Draw noise for ``rows`` actions: uniform in [0, 1) for categoricals, standard normal otherwise."""
        shape = self.noise_shape(rows, latent)
        draw = rng.random if self.kind is Head.CATEGORICAL else rng.standard_normal
        return draw(shape, dtype=np.float32)

    def mode(self, out: Tensor) -> Tensor:
        """Return the deterministic actions for head outputs [B, outputs]: most likely categories, or means.

        ONNX can export this function.
        """
        if self.kind is not Head.CATEGORICAL:
            return out
        parts = [logits.argmax(-1) for logits in torch.split(out, list(self.nvec), dim=-1)]
        return torch.stack(parts, -1) if self.shape else parts[0]

    def std(self, log_std: Tensor, latent: Tensor) -> Tensor:
        """Return standard deviations [A], or [B, A] with gSDE. No gradient flows into the latent features."""
        if self.kind is Head.GAUSSIAN:
            return log_std.exp()
        variance = (latent.detach() ** 2) @ (log_std.exp() ** 2)
        return (variance + SDE_EPSILON).sqrt()

    def log_prob_entropy(
        self, out: Tensor, actions: Tensor, log_std: Tensor | None = None, latent: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return log-probability [B] of stored actions and entropy [B], differentiable in ``out`` and ``log_std``."""
        if self.kind is Head.CATEGORICAL:
            columns = actions.reshape(len(out), -1)
            logp = entropy = None
            for index, logits in enumerate(torch.split(out, list(self.nvec), dim=-1)):
                log_probs = torch.log_softmax(logits, -1)
                part = log_probs.gather(-1, columns[:, index : index + 1]).squeeze(-1)
                part_entropy = -(log_probs.exp() * log_probs).sum(-1)
                logp = part if logp is None else logp + part
                entropy = part_entropy if entropy is None else entropy + part_entropy
            assert logp is not None
            assert entropy is not None
            return logp, entropy
        assert log_std is not None
        std = self.std(log_std, latent if latent is not None else out)
        log_scale = log_std if self.kind is Head.GAUSSIAN else std.log()
        logp = (-0.5 * ((actions - out) / std) ** 2 - log_scale - HALF_LOG_2PI).sum(-1)
        entropy = (log_scale + (0.5 + HALF_LOG_2PI)).sum(-1).expand(len(out))
        return logp, entropy

    def sample(
        self, out: Tensor, noise: Tensor, log_std: Tensor | None = None, latent: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return stored actions and their log-probability [B], for head outputs [B, outputs] and noise of
        ``draw_noise``."""
        if self.kind is Head.CATEGORICAL:
            parts = []
            for index, logits in enumerate(torch.split(out, list(self.nvec), dim=-1)):
                cumulative = torch.softmax(logits, -1).cumsum(-1)
                threshold = noise[:, index : index + 1] * cumulative[:, -1:]
                parts.append((cumulative[:, :-1] <= threshold).sum(-1))
            actions = torch.stack(parts, -1) if self.shape else parts[0]
        elif self.kind is Head.GAUSSIAN:
            assert log_std is not None
            actions = out + log_std.exp() * noise
        else:
            assert log_std is not None
            assert latent is not None
            actions = out + torch.einsum("bl,bla->ba", latent, noise * log_std.exp())
        logp, _ = self.log_prob_entropy(out, actions, log_std, latent)
        return actions, logp
