"""Registry of the learning algorithms: a new one is a line here, and one in ``actors.training.engines``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from rlplatform.algorithms.base import Algorithm
from rlplatform.algorithms.ppo.spec import PPO

ALGORITHMS: Mapping[str, Algorithm] = {"ppo": PPO()}

if TYPE_CHECKING:
    AlgorithmName = str
else:
    AlgorithmName = Literal[tuple(ALGORITHMS)]
