"""Policies that a job plays."""

from __future__ import annotations

from pathlib import Path

from rlplatform.algorithms.base import Algorithm, LoadedPolicy
from rlplatform.errors import Conflict


def load_policy(folder: Path, algorithm: Algorithm) -> LoadedPolicy:
    """Load the policy in ``policy.tar``, or of the checkpoint in ``checkpoint``.

    Raises:
        Conflict: the checkpoint holds no policy.
    """
    if (archive := folder / "policy.tar").exists():
        return algorithm.unpack_policy(archive.read_bytes())
    return load_checkpoint(folder / "checkpoint", algorithm)


def load_checkpoint(folder: Path, algorithm: Algorithm) -> LoadedPolicy:
    """Load the policy of the checkpoint in ``folder``.

    Raises:
        Conflict: the checkpoint holds no policy.
    """
    kept = algorithm.policy_folder(folder)
    if not kept.is_dir():
        raise Conflict(
            "the checkpoint holds no policy that can play: its training is simulated, or is RLlib's own PPO rather "
            "than the fast path"
        )
    return algorithm.load_policy(kept)
