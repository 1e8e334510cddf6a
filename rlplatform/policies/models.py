"""A published policy: what is asked for, what it is, and what it is asked to act on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rlplatform.jsonvalues import Json, Text

MAX_OBSERVATIONS = 4096

Bound = float | list[float | None] | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PolicyRequest(_Strict):
    """What a client asks for with ``POST /v1/policies``: a checkpoint, or a training and which of its checkpoints."""

    checkpoint_id: str | None = Field(default=None, max_length=64)
    training_id: str | None = Field(default=None, max_length=64)
    which: Literal["best", "last"] | None = Field(default=None, description="of `training_id`; best where left out")
    name: Text | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_of_both(self) -> PolicyRequest:
        if (self.checkpoint_id is None) == (self.training_id is None):
            raise ValueError("give either checkpoint_id, or training_id")
        if self.checkpoint_id is not None and self.which is not None:
            raise ValueError("which goes with training_id, not with checkpoint_id")
        return self


class SpaceInfo(_Strict):
    """A Gymnasium space. ``shape`` and ``dtype`` are one element's; a Discrete one's are ``[]`` and ``int64``.

    ``low``, ``high`` (of ``box``): one number where it is the same for all components, else one for each, in C order;
    null is unbounded. ``n`` or, in C order, ``nvec``: how many values; ``start``: the first of them, where not 0.
    """

    kind: Literal["box", "discrete", "multi_discrete", "multi_binary"]
    shape: list[int]
    dtype: str
    low: Bound = None
    high: Bound = None
    n: int | None = None
    nvec: list[int] | None = None
    start: int | list[int] | None = None


class NormalizerInfo(_Strict):
    """What is done to observations first: ``clip((x - mean) / sqrt(var + epsilon), -clip, clip)``."""

    mean: list[float]
    var: list[float]
    epsilon: float
    clip: float


class PolicyCard(_Strict):
    """What a policy says of itself. Box actions are clipped to the space's bounds, as in evaluation."""

    observation_space: SpaceInfo
    action_space: SpaceInfo
    normalizer: NormalizerInfo | None = None
    parameters: int


class PolicyInfo(PolicyCard):
    """The public document of a policy (``GET /v1/policies/{id}``).

    ``sha256`` and ``size_bytes`` are of its archive, which is checked against them whenever it is loaded.
    """

    id: str
    state: Literal["published", "deleted"] = "published"
    name: str | None = None
    env: str
    env_config: dict[Text, Json] = Field(default_factory=dict)
    algorithm: str
    training_id: str
    checkpoint_id: str
    iteration: int
    env_steps: int
    episode_return_mean: float | None = None
    size_bytes: int
    sha256: str
    created_at: datetime
    deleted_at: datetime | None = None


class ActRequest(_Strict):
    """Observations as the environment gives them, one a row. Not ``deterministic``: actions are drawn."""

    observations: list[Any] = Field(min_length=1, max_length=MAX_OBSERVATIONS)
    deterministic: bool = True


class Actions(_Strict):
    """One action for each observation, as the environment takes them."""

    policy_id: str
    deterministic: bool
    actions: list[Any]
