"""Models of a training: its request, its state, and the reports of its engine."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator, model_validator

from rlplatform.algorithms.registry import ALGORITHMS, AlgorithmName
from rlplatform.environments.models import BackendChoice
from rlplatform.environments.wrappers.models import Wrapper
from rlplatform.json_models import JsonObject, StrictModel
from rlplatform.runs.annotations import Annotations, RunDocument
from rlplatform.runs.states import RunState
from rlplatform.scheduling.priorities import Priority
from rlplatform.training.reward import RewardFunction

MAX_HYPERPARAMETER_BYTES = 16_384


class StopCriteria(StrictModel):
    """A training ends with `succeeded` when the first of these is met, checked between iterations. After `resume_from`
    the counters include the parent's, except for `more_env_steps`. At least one is required."""

    env_steps: int | None = Field(default=None, ge=1, le=10**12)
    """Environment steps."""
    more_env_steps: int | None = Field(default=None, ge=1, le=10**12)
    """Environment steps beyond those that `resume_from` has done. The accepted training has the sum in `env_steps`, and
    null here."""
    episode_return_mean: float | None = Field(default=None, allow_inf_nan=False)
    """Mean return of the last 100 episodes; checked once 20 episodes have ended."""
    wall_time_s: float | None = Field(default=None, gt=0, le=30 * 86400)
    """Time spent on training, in seconds, without pauses, evaluations and checkpoints."""
    iterations: int | None = Field(default=None, ge=1, le=10**9)
    """Iterations."""

    @model_validator(mode="after")
    def _at_least_one(self) -> StopCriteria:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError(
                "give at least one of env_steps, more_env_steps, episode_return_mean, wall_time_s, iterations"
            )
        if self.env_steps is not None and self.more_env_steps is not None:
            raise ValueError(
                "give env_steps, which counts the steps of resume_from, or more_env_steps, which does not; not both"
            )
        return self

    def counted_from(self, env_steps: int) -> StopCriteria:
        """Return the criteria of a training that starts with ``env_steps`` done: ``more_env_steps`` comes on top."""
        if self.more_env_steps is None:
            return self
        return self.model_copy(update={"env_steps": env_steps + self.more_env_steps, "more_env_steps": None})


class Resources(StrictModel):
    """Resources that a training is placed on."""

    num_env_runners: int = Field(default=0, ge=0, le=512)
    """Remote env runners; 0: the trainer samples by itself."""
    num_envs_per_env_runner: int | None = Field(default=None, ge=1, le=4096)
    """Environments that each env runner steps; null: as the preset or the algorithm says."""
    num_learners: int = Field(default=0, ge=0, le=16)
    """Remote learners; 0: the trainer learns by itself."""
    num_gpus_per_learner: float = Field(default=0, ge=0, le=8)
    """GPUs of each learner."""
    pipeline_depth: int = Field(default=0, ge=0, le=1)
    """1: env runners sample while the learner learns, with weights that are one update old."""


class EvaluationPlan(StrictModel):
    """Schedule of evaluations of the deterministic policy, on environments of their own."""

    every_iterations: int = Field(default=0, ge=0)
    """Iterations between two evaluations; 0: only at the end."""
    episodes: int = Field(default=10, ge=1, le=1000)
    """Episodes of each evaluation."""
    max_env_steps: int = Field(default=10_000_000, ge=1, le=10**12)
    """Environment steps after which an evaluation is cut short, all its episodes together."""
    max_wall_time_s: float = Field(default=300.0, gt=0, le=86400)
    """Seconds after which an evaluation is cut short."""


class CheckpointPlan(StrictModel):
    """Schedule of checkpoints, and how many of them are kept."""

    every_iterations: int = Field(default=20, ge=0)
    """Iterations between two checkpoints; 0: no such rule."""
    every_s: float = Field(default=600.0, ge=0, le=30 * 86400)
    """Seconds after which the next completed iteration is saved; 0: no such rule. There is always one at the end."""
    keep_last: int = Field(default=3, ge=1, le=100)
    """Newest checkpoints to keep."""
    keep_best: bool = True
    """True: also keep the checkpoint with the highest mean return."""


def _stop_of_preset(given: dict[str, Any]) -> StopCriteria:
    """Return the default stop criterion: the preset's number of steps, beyond those of the checkpoint if there is one.

    Without a preset there is none, which is refused.
    """
    algorithm = ALGORITHMS.get(given.get("algorithm", ""))
    preset = algorithm.find_preset(given.get("preset") or given.get("env", "")) if algorithm is not None else None
    steps = preset.n_timesteps if preset is not None else None
    if given.get("resume_from") is None:
        return StopCriteria.model_construct(env_steps=steps)
    return StopCriteria.model_construct(more_env_steps=steps)


class TrainingRequest(Annotations):
    """A training to start (`POST /v1/trainings`)."""

    env: str = Field(min_length=1, max_length=128)
    """Id of the environment, for example `CartPole-v1`, or `env_…` of an uploaded one."""
    env_config: JsonObject = Field(default_factory=dict)
    """Keyword arguments of the environment."""
    env_backend: BackendChoice = "auto"
    """Library that steps the environment; `auto`: the fastest one that has it."""
    max_episode_steps: int | None = Field(default=None, ge=1, le=10**9)
    """Time limit of an episode in steps; null: the environment's own, or 10,000 if it has none."""
    wrappers: list[Wrapper] = Field(default_factory=list, max_length=8)
    """Wrappers around the environment, the first one innermost."""
    algorithm: AlgorithmName = "ppo"
    """Learning algorithm."""
    engine: Literal["rllib", "simulated"] = "rllib"
    """`rllib` trains; `simulated` trains nothing and is for demos and tests."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of all random numbers of the training."""
    preset: str | None = Field(default=None, max_length=128)
    """Name of tuned hyperparameters; null: the environment's own, if there are any."""
    hyperparameters: JsonObject = Field(default_factory=dict)
    """Hyperparameters that differ from the preset, with the names of Stable-Baselines3."""
    reward: RewardFunction | None = None
    """Function that computes the rewards to train on; null: the environment's own."""
    resume_from: str | None = Field(default=None, max_length=64)
    """Id of a checkpoint to continue from, or of a training: from its newest checkpoint. Null: start afresh."""
    stop: StopCriteria = Field(default_factory=_stop_of_preset, validate_default=True)
    """When the training ends by itself. Left out: after the environment steps of the preset, if there is one; they come
    on top of what `resume_from` has done."""
    resources: Resources = Field(default_factory=Resources)
    """Resources to train on."""
    evaluation: EvaluationPlan = Field(default_factory=EvaluationPlan)
    """When the policy is evaluated."""
    checkpoint: CheckpointPlan = Field(default_factory=CheckpointPlan)
    """When checkpoints are saved, and which are kept."""
    max_environment_faults: int = Field(default=100, ge=0, le=1_000_000)
    """Faults of an uploaded environment or of a reward function after which the training fails. Each one is an event.
    One of an environment ends an episode; where a reward function fails, the reward is 0."""
    priority: Priority = "normal"
    """Order among the tenant's own trainings. `high` needs the scope `admin`."""

    @field_validator("stop")
    @classmethod
    def _afresh(cls, stop: StopCriteria, info: ValidationInfo) -> StopCriteria:
        return stop.counted_from(0) if info.data.get("resume_from", "") is None else stop

    @field_validator("hyperparameters")
    @classmethod
    def _small(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if (size := len(json.dumps(given))) > MAX_HYPERPARAMETER_BYTES:
            raise ValueError(f"has {size} bytes as JSON; at most {MAX_HYPERPARAMETER_BYTES} are accepted")
        return given


class TrainingCheck(StrictModel):
    """Settings that a request would train with: its hyperparameters in full, and the numbers that follow from them."""

    preset: str | None
    """Name of the preset that fills in what is not given; null: none."""
    hyperparameters: dict[str, JsonValue]
    """All hyperparameters: those given, over the preset's, over the defaults."""
    num_envs: int
    """Copies of the environment that are sampled, over all env runners."""
    env_steps_per_iteration: int | None
    """Environment steps of one iteration, which bundles short rollouts; null: the simulated engine decides."""
    env_steps_per_rollout: int | None = None
    """Environment steps of one rollout, `n_steps` of each environment; null: the simulated engine decides."""
    env_steps: int | None
    """Environment steps after which `stop.env_steps` is met, as rollouts are whole; an environment whose resets take
    a row ends with fewer, but not before `stop.env_steps`. Null: not given, or unknown."""


class TrainingState(RunState):
    """``queued -> starting -> running <-> paused -> succeeded | stopped | failed``; ``interrupted`` until recovered."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"


class Progress(StrictModel):
    """Counters of a training over its whole life, across restarts."""

    iteration: int = 0
    """Iterations."""
    env_steps: int = 0
    """Environment steps."""
    episodes: int = 0
    """Episodes that have ended."""
    train_wall_s: float = 0.0
    """Time spent on training, in seconds."""


class IterationReport(StrictModel):
    """An engine's report of an iteration: lifetime counters and metrics by ``group/name`` (``rollout/ time/ train/``).

    ``rollout/episode_return_mean`` is the mean of a rolling window. It is absent until the first episode has ended;
    never NaN.
    """

    iteration: int
    env_steps: int
    episodes: int
    metrics: dict[str, float]


class EvaluationReport(StrictModel):
    """Result of evaluating the deterministic policy on environments of its own."""

    episodes: int
    """Episodes played."""
    episode_return_mean: float
    """Mean return of the episodes."""
    episode_return_std: float
    """Standard deviation of the returns."""
    episode_return_min: float
    """Lowest return."""
    episode_return_max: float
    """Highest return."""
    episode_length_mean: float
    """Mean length of the episodes, in steps."""


class CheckpointInfo(StrictModel):
    """A committed checkpoint."""

    id: str
    """Id of the checkpoint: `ckpt_…`."""
    training_id: str
    """Id of its training."""
    iteration: int
    """Iterations at the time it was saved."""
    env_steps: int
    """Environment steps at the time it was saved."""
    episode_return_mean: float | None = None
    """Mean return at the time it was saved; null: no episode had ended."""
    size_bytes: int
    """Size of all files, in bytes."""
    manifest_sha256: str
    """SHA-256 of its manifest, which lists the size and the hash of every file."""
    created_at: datetime
    """Time at which it was saved."""
    best: bool = False
    """True if no checkpoint of its training has a higher mean return; in an event, and in the training's document, as
    it was when it was saved."""


class Training(RunDocument):
    """State and progress of a training."""

    id: str
    """Id of the training: `train_…`."""
    seq: int = 0
    """Sequence number of the newest event that this document reflects. Events after it continue without a gap."""
    state: TrainingState
    """Present state; `succeeded`, `stopped` and `failed` are final."""
    request: TrainingRequest
    """The request that started the training."""
    simulated: bool = False
    """True if the simulated engine runs it, which trains nothing."""
    progress: Progress = Field(default_factory=Progress)
    """Counters of its whole life."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Newest value of each metric, by `group/name`, for example `rollout/episode_return_mean`."""
    evaluation: EvaluationReport | None = None
    """Newest evaluation of the policy; null before the first."""
    checkpoint: CheckpointInfo | None = None
    """Newest checkpoint; null before the first."""
    stop_reason: str | None = None
    """Reason of a regular end, for example the stop criterion that was met; null before the end."""
    message: str | None = None
    """Explanation of an interruption or a failure."""
    environment_faults: int = 0
    """Faults of users' code so far; more than the request's `max_environment_faults` end the training."""
    restarts: int = 0
    """Recoveries from a checkpoint so far."""
    queue_position: int | None = None
    """Trainings served before this one; null unless queued, or if unknown."""
    manifest: dict[str, Any] | None = None
    """Record of how the training was run: request, seed, package versions, code hash and hardware; null before the
    start."""
    created_at: datetime
    """Time of the request."""
    started_at: datetime | None = None
    """Time of the first start."""
    finished_at: datetime | None = None
    """Time of the end."""


class CheckpointList(StrictModel):
    """Committed checkpoints of a training, oldest first."""

    items: list[CheckpointInfo]
    """The checkpoints."""
