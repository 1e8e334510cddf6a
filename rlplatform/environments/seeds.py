"""Seeds of a session's environments: disjoint between env runners, between their restarts, and from evaluation."""

from __future__ import annotations

import numpy as np

_SEEDS_EACH = 4096
_RUNNERS = 1024
_TRAINING, _EVALUATION = 0, 1


def training_seeds(seed: int, worker: int, generation: int, count: int) -> list[int]:
    """Return seeds for ``count`` environments of one env runner.

    Seeds differ between workers, generations (modulo 512) and environments.

    Args:
        seed: Seed of the training.
        worker: Number of the env runner, below 1024.
        generation: Number of times that the env runner was restarted.
        count: Number of environments, at most 4096.
    """
    if count > _SEEDS_EACH or worker >= _RUNNERS:
        raise ValueError(f"at most {_SEEDS_EACH} environments on each of {_RUNNERS} env runners")
    return _block(seed, _TRAINING, worker + _RUNNERS * generation, count)


def evaluation_seeds(seed: int, count: int) -> list[int]:
    """Return seeds for ``count`` environments to evaluate on."""
    return _block(seed, _EVALUATION, 0, count)


def generator(seed: int, worker: int, generation: int) -> np.random.Generator:
    """Return the generator that samples the actions of an env runner."""
    return np.random.default_rng(np.random.SeedSequence([seed, worker, generation]))


def _block(seed: int, purpose: int, block: int, count: int) -> list[int]:
    origin = int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])
    return [(origin + block * _SEEDS_EACH + place) % 2**31 for place in range(count)]
