"""Models of recorded episodes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from rlplatform.json_models import StrictModel

EpisodeRole = Literal["first", "best", "median", "worst", "last"]


class VideoInfo(StrictModel):
    """A drawn episode, and how its replay compares with the recording."""

    frames: int
    """Pictures of the video."""
    frames_per_s: float
    """Pictures shown in a second."""
    steps_per_frame: int
    """Steps between two pictures: more than 1 in long episodes."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    size_bytes: int
    """Size of the file, in bytes."""
    replay_return: float
    """Return of the replay that was drawn."""
    exact: bool
    """True if the replay gave the recorded reward at every step."""
    difference: str | None = None
    """Difference between the replay and the recording; null: there is none."""


class EpisodeInfo(StrictModel):
    """An episode that a policy evaluation or a grader has recorded."""

    id: str
    """Id of the episode: `ep_…`."""
    run_id: str
    """Id of the training, the policy or the evaluation that it belongs to."""
    env: str
    """Id of the environment."""
    roles: list[EpisodeRole]
    """Reasons why it was kept among the episodes of its evaluation: in order of their ends, or of their returns."""
    number: int
    """Place among the episodes of its evaluation, in order of their ends, from 0."""
    seed: int | None = None
    """Seed of its environment; null: unknown."""
    episode_return: float
    """Sum of its rewards."""
    length: int
    """Steps of the episode."""
    recorded_steps: int
    """Steps that are kept, from its beginning."""
    iteration: int | None = None
    """Iterations of the training at that time; null: not recorded by a training."""
    env_steps: int | None = None
    """Environment steps of the training at that time; null: not recorded by a training."""
    no_video: str | None = None
    """Reason why no video can be made; null: one can, if the environment has pictures."""
    created_at: datetime
    """Time of the recording."""
    test: str | None = None
    """Id of the test that it was played for; null: of no evaluation's test."""
    hidden: bool = False
    """True if it belongs to a hidden test: only staff see it."""


class Episode(EpisodeInfo):
    """A recorded episode, step by step."""

    rewards: list[float]
    """Rewards, one for each recorded step."""
    actions: list[Any]
    """Actions as the environment takes them, one for each recorded step."""
    observations: list[Any] | None = None
    """Observations before each action; null: not asked for, or too large to be kept."""
    video: VideoInfo | None = None
    """Its video; null: none has been made yet."""


class EpisodeList(StrictModel):
    """Recorded episodes, oldest first."""

    items: list[EpisodeInfo]
    """The episodes."""
