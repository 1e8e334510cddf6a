"""Reward functions that learners write: trained on, while the environment's own rewards are what counts."""

from __future__ import annotations

from pydantic import Field, model_validator

from rlplatform import patterns
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.json_models import StrictModel, Text

MAX_SOURCE = 16_384
"""Size of the source, in bytes, at most."""
LABEL = "reward"
"""Source of its faults in events."""


class RewardFunction(StrictModel):
    """Function that computes the rewards to train on: `entry(observation, action, next_observation, reward, terminated,
    truncated)` is called for each step and returns a number. Returns of episodes, policy evaluations and ranks stay the
    environment's own. Give `source` or `file`."""

    source: Text | None = Field(default=None, min_length=1, max_length=MAX_SOURCE)
    """Python module that defines the function."""
    file: str | None = Field(default=None, pattern=patterns.FILE)
    """Id of an uploaded file with that module. The training keeps its text as `source`."""
    entry: str = Field(default="reward", pattern=patterns.FUNCTION)
    """Name of the function."""

    @model_validator(mode="after")
    def _one_of_both(self) -> RewardFunction:
        if (self.source is None) == (self.file is None):
            raise ValueError("give either source, or file")
        return self

    def code(self, beside: UserCode | None = None) -> UserCode:
        """Return the function as code to run, in the image of the environment ``beside``."""
        assert self.source is not None
        return UserCode(
            label=LABEL,
            kind="reward",
            files={"reward.py": self.source.encode()},
            entry=f"reward:{self.entry}",
            image=beside.image if beside is not None else None,
            image_digest=beside.image_digest if beside is not None else None,
        )
