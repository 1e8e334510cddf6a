"""Card of a policy: its spaces, dtypes and normaliser, for clients that act with the policy."""

from __future__ import annotations

from rlplatform.environments.models import SpaceInfo
from rlplatform.json_models import StrictModel


class NormalizerInfo(StrictModel):
    """Normalisation of observations before the network: `clip((x - mean) / sqrt(var + epsilon), -clip, clip)`."""

    mean: list[float]
    """Mean of each component."""
    var: list[float]
    """Variance of each component."""
    epsilon: float
    """Number added to the variances."""
    clip: float
    """Largest absolute value of a normalised component."""


class PolicyCard(StrictModel):
    """Spaces, normaliser and size of a policy."""

    observation_space: SpaceInfo
    """Space of the observations that it takes."""
    action_space: SpaceInfo
    """Space of the actions that it returns. Box actions are clipped to its bounds."""
    normalizer: NormalizerInfo | None = None
    """Normalisation of observations; null: none."""
    parameters: int
    """Number of parameters of the network."""
