"""Names of metrics, in the groups ``rollout/ time/ train/ eval/``, and the window of the last episodes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

EPISODE_RETURN_MEAN = "rollout/episode_return_mean"
EPISODE_LENGTH_MEAN = "rollout/episode_length_mean"
FPS = "time/fps"
TRAIN_NAMES = (
    "approx_kl",
    "clip_fraction",
    "clip_range",
    "clip_range_vf",
    "entropy_loss",
    "explained_variance",
    "learning_rate",
    "loss",
    "n_updates",
    "policy_gradient_loss",
    "std",
    "value_loss",
)
WINDOW_EPISODES = 100


class EpisodeWindow:
    """Returns and lengths of the last ``size`` episodes. Without episodes its means are absent, never NaN."""

    def __init__(self, size: int = WINDOW_EPISODES) -> None:
        self._episodes: deque[tuple[float, int]] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._episodes)

    def extend(self, returns: Iterable[float], lengths: Iterable[int]) -> None:
        """Add episodes, oldest first."""
        for episode_return, length in zip(returns, lengths, strict=True):
            self._episodes.append((float(episode_return), int(length)))

    def metrics(self) -> dict[str, float]:
        """Return the means by metric name; empty before the first episode has ended."""
        if not self._episodes:
            return {}
        count = len(self._episodes)
        return {
            EPISODE_RETURN_MEAN: math.fsum(episode[0] for episode in self._episodes) / count,
            EPISODE_LENGTH_MEAN: math.fsum(episode[1] for episode in self._episodes) / count,
        }

    def get_state(self) -> list[list[float]]:
        """Return the state as JSON values."""
        return [[episode_return, length] for episode_return, length in self._episodes]

    def set_state(self, state: Sequence[Sequence[float]]) -> None:
        """Continue from the result of :meth:`get_state`."""
        self._episodes.clear()
        self.extend((row[0] for row in state), (int(row[1]) for row in state))


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return ``metrics`` as plain floats, without NaN and infinite values, which JSON cannot hold."""
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
