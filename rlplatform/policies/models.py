"""A published policy: what is asked for, what it is, and what it is asked to act on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from rlplatform.algorithms.policy_card import PolicyCard
from rlplatform.environments.models import BackendChoice, SpaceInfo
from rlplatform.environments.wrappers.models import Wrapper
from rlplatform.episodes.models import EpisodeInfo
from rlplatform.json_models import JsonObject, StrictModel, Text
from rlplatform.training.models import EvaluationReport

MAX_OBSERVATIONS = 4096


class PolicyRequest(StrictModel):
    """The policy to publish (`POST /v1/policies`): of a checkpoint, or of a training."""

    checkpoint_id: str | None = Field(default=None, max_length=64)
    """Id of the checkpoint; null if `training_id` is given."""
    training_id: str | None = Field(default=None, max_length=64)
    """Id of the training; null if `checkpoint_id` is given."""
    which: Literal["best", "last"] | None = Field(default=None, description="of `training_id`; best where left out")
    name: Text | None = Field(default=None, min_length=1, max_length=100)
    """Name for people; null: none."""

    @model_validator(mode="after")
    def _one_of_both(self) -> PolicyRequest:
        if (self.checkpoint_id is None) == (self.training_id is None):
            raise ValueError("give either checkpoint_id, or training_id")
        if self.checkpoint_id is not None and self.which is not None:
            raise ValueError("which goes with training_id, not with checkpoint_id")
        return self


SpaceInfo.model_rebuild()


class PolicyInfo(PolicyCard):
    """A published policy."""

    id: str
    """Id of the policy: `pol_…`."""
    state: Literal["published", "deleted"] = "published"
    """`deleted` policies cannot act any more."""
    name: str | None = None
    """Name for people; null: none."""
    env: str
    """Id of the environment that it was trained on."""
    env_config: JsonObject = Field(default_factory=dict)
    """Keyword arguments of that environment."""
    env_backend: BackendChoice = "auto"
    """Library that was asked to step that environment."""
    max_episode_steps: int | None = None
    """Time limit of an episode that was asked for; null: the environment's own."""
    wrappers: list[Wrapper] = Field(default_factory=list)
    """Wrappers around that environment; observations are what comes out of them."""
    algorithm: str
    """Algorithm that trained it."""
    training_id: str
    """Id of the training that it comes from."""
    checkpoint_id: str
    """Id of the checkpoint that it was copied from."""
    iteration: int
    """Iterations of the training at that checkpoint."""
    env_steps: int
    """Environment steps of the training at that checkpoint."""
    episode_return_mean: float | None = None
    """Mean return at that checkpoint; null: no episode had ended."""
    size_bytes: int
    """Size of its archive, in bytes."""
    sha256: str
    """SHA-256 of its archive, checked whenever the policy is loaded."""
    created_at: datetime
    """Time of publication."""
    deleted_at: datetime | None = None
    """Time of deletion; null: not deleted."""


class ActRequest(StrictModel):
    """Observations to act on."""

    observations: list[Any] = Field(min_length=1, max_length=MAX_OBSERVATIONS)
    """Observations as the environment gives them, one a row."""
    deterministic: bool = True
    """True: the likeliest action; false: actions are drawn at random."""


class Actions(StrictModel):
    """Actions of a policy, one for each observation."""

    policy_id: str
    """Id of the policy."""
    deterministic: bool
    """True if the likeliest actions were taken, false if they were drawn."""
    actions: list[Any]
    """Actions as the environment takes them, in the order of the observations."""


class EvaluatePolicyRequest(StrictModel):
    """A policy evaluation to run."""

    episodes: int = Field(default=10, ge=1, le=1000)
    """Episodes to play."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the environments and of drawn actions."""
    deterministic: bool = True
    """True: the likeliest action; false: actions are drawn at random."""


class PolicyEvaluation(StrictModel):
    """Result of a policy evaluation that was asked for, and its recorded episodes."""

    report: EvaluationReport
    """Result over all episodes."""
    episodes: list[EpisodeInfo]
    """The first, the best, the worst and the last episode."""
    environment_faults: int = 0
    """Faults of an uploaded environment; each one cut an episode short."""
