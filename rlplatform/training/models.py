"""A training: what is asked for, where it stands, and what an engine reports."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rlplatform.jsonvalues import Json, Text
from rlplatform.priorities import Priority


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StopCriteria(_Strict):
    """A session ends with ``succeeded`` when the first of these is met, checked between iterations.

    ``episode_return_mean`` is over the last 100 episodes, and needs 20 that have ended; ``wall_time_s`` counts training
    alone, without pauses, evaluations and checkpoints. After ``resume_from`` the counters include the parent's.
    """

    env_steps: int | None = Field(default=None, ge=1, le=10**12)
    episode_return_mean: float | None = Field(default=None, allow_inf_nan=False)
    wall_time_s: float | None = Field(default=None, gt=0, le=30 * 86400)
    iterations: int | None = Field(default=None, ge=1, le=10**9)

    @model_validator(mode="after")
    def _at_least_one(self) -> StopCriteria:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("give at least one of env_steps, episode_return_mean, wall_time_s, iterations")
        return self


class Resources(_Strict):
    """What a session is placed on. 0 env runners: the trainer samples by itself; 0 learners: it learns by itself.

    ``pipeline_depth`` 1: env runners sample while the learner learns, with weights one update old.
    """

    num_env_runners: int = Field(default=0, ge=0, le=512)
    num_envs_per_env_runner: int | None = Field(default=None, ge=1, le=4096)
    num_learners: int = Field(default=0, ge=0, le=16)
    num_gpus_per_learner: float = Field(default=0, ge=0, le=8)
    pipeline_depth: int = Field(default=0, ge=0, le=1)


class EvaluationPlan(_Strict):
    """Evaluate the deterministic policy every so many iterations (0: only at the end) on its own environments."""

    every_iterations: int = Field(default=0, ge=0)
    episodes: int = Field(default=10, ge=1, le=1000)


class CheckpointPlan(_Strict):
    """Save every so many iterations (0: only at pause and end); keep the last k and the best."""

    every_iterations: int = Field(default=20, ge=0)
    keep_last: int = Field(default=3, ge=1, le=100)
    keep_best: bool = True


class TrainingRequest(_Strict):
    """What a client asks for with ``POST /v1/trainings``. ``priority`` orders the tenant's own trainings."""

    env: str = Field(min_length=1, max_length=128)
    env_config: dict[Text, Json] = Field(default_factory=dict)
    algorithm: Literal["ppo"] = "ppo"
    engine: Literal["rllib", "simulated"] = "rllib"
    seed: int = Field(default=0, ge=0, lt=2**31)
    preset: str | None = None
    hyperparameters: dict[Text, Json] = Field(default_factory=dict)
    stop: StopCriteria
    resources: Resources = Field(default_factory=Resources)
    evaluation: EvaluationPlan = Field(default_factory=EvaluationPlan)
    checkpoint: CheckpointPlan = Field(default_factory=CheckpointPlan)
    resume_from: str | None = None
    priority: Priority = "normal"


class EnvironmentInfo(_Strict):
    """What can be trained. ``backend`` is what steps it; ``preset`` names the tuned hyperparameters, if any."""

    id: str
    observation_space: str
    action_space: str
    backend: Literal["envpool", "gymnasium"]
    preset: str | None = None
    max_episode_steps: int | None = None


class TrainingState(StrEnum):
    """``queued -> starting -> running <-> paused -> succeeded | stopped | failed``; ``interrupted`` until recovered."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self in (TrainingState.SUCCEEDED, TrainingState.STOPPED, TrainingState.FAILED)


class Progress(_Strict):
    """Lifetime counters of a session, over all its restarts."""

    iteration: int = 0
    env_steps: int = 0
    episodes: int = 0
    train_wall_s: float = 0.0


class IterationReport(_Strict):
    """What an engine says of an iteration: lifetime counters and metrics by ``group/name`` (``rollout/ time/ train/``).

    ``rollout/episode_return_mean`` is over a rolling window and absent until the first episode has ended; never NaN.
    """

    iteration: int
    env_steps: int
    episodes: int
    metrics: dict[str, float]


class EvaluationReport(_Strict):
    """Episodes of the deterministic policy on environments of their own."""

    episodes: int
    episode_return_mean: float
    episode_return_std: float
    episode_return_min: float
    episode_return_max: float
    episode_length_mean: float


class CheckpointInfo(_Strict):
    """A committed checkpoint. ``manifest_sha256`` is over its manifest, which lists every file with size and hash.

    ``best``: none of its training's has a higher ``episode_return_mean``; in an event, and in the training's document,
    as it was when it was saved.
    """

    id: str
    training_id: str
    iteration: int
    env_steps: int
    episode_return_mean: float | None = None
    size_bytes: int
    manifest_sha256: str
    created_at: datetime
    best: bool = False


class Training(_Strict):
    """The public document of a training (``GET /v1/trainings/{id}``). ``seq`` is the newest event it reflects: whoever
    follows the events after that misses none and sees none twice."""

    id: str
    seq: int = 0
    state: TrainingState
    request: TrainingRequest
    simulated: bool = False
    progress: Progress = Field(default_factory=Progress)
    metrics: dict[str, float] = Field(default_factory=dict)
    evaluation: EvaluationReport | None = None
    checkpoint: CheckpointInfo | None = None
    stop_reason: str | None = None
    message: str | None = None
    restarts: int = 0
    queue_position: int | None = None
    manifest: dict[str, Any] | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
