"""Seeds of a session's environments: disjoint between env runners, between their restarts, and from evaluation."""

from __future__ import annotations

import numpy as np

_SEEDS_EACH = 4096
_RUNNERS = 1024
_TRAINING, _EVALUATION = 0, 1


def training_seeds(seed: int, worker: int, generation: int, count: int) -> list[int]:
    """Seeds of ``count`` (up to 4096) environments of env runner ``worker`` (below 1024) after ``generation`` restarts.

    Another worker, generation (modulo 512) or place is another seed.
    """
    if count > _SEEDS_EACH or worker >= _RUNNERS:
        raise ValueError(f"at most {_SEEDS_EACH} environments on each of {_RUNNERS} env runners")
    return _block(seed, _TRAINING, worker + _RUNNERS * generation, count)


def evaluation_seeds(seed: int, count: int) -> list[int]:
    """Seeds of ``count`` environments to evaluate on."""
    return _block(seed, _EVALUATION, 0, count)


def generator(seed: int, worker: int, generation: int) -> np.random.Generator:
    """The generator that samples the actions of an env runner."""
    return np.random.default_rng(np.random.SeedSequence([seed, worker, generation]))


def _block(seed: int, purpose: int, block: int, count: int) -> list[int]:
    origin = int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])
    return [(origin + block * _SEEDS_EACH + place) % 2**31 for place in range(count)]
