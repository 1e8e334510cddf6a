"""Wrappers that a request may name, with their settings. They are applied in the order of the request."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rlplatform.json_models import StrictModel


class FrameStack(StrictModel):
    """Observations are the last `n` ones, oldest first: vectors one behind the other, images along their channels."""

    name: Literal["frame_stack"] = "frame_stack"
    """Selects this wrapper."""
    n: int = Field(default=4, ge=2, le=16)
    """Observations in one."""


class TimeAware(StrictModel):
    """The part of the time limit that has passed, from 0 to 1, is appended to observations."""

    name: Literal["time_aware"] = "time_aware"
    """Selects this wrapper."""


class Flatten(StrictModel):
    """Observations of several dimensions become vectors, images too. Dict and Tuple observations become so anyway."""

    name: Literal["flatten"] = "flatten"
    """Selects this wrapper."""


class ClipReward(StrictModel):
    """Rewards to train on are limited to a range. Returns stay the environment's own."""

    name: Literal["clip_reward"] = "clip_reward"
    """Selects this wrapper."""
    low: float = Field(default=-1.0, allow_inf_nan=False)
    """Lowest reward."""
    high: float = Field(default=1.0, allow_inf_nan=False)
    """Highest reward."""

    @model_validator(mode="after")
    def _ordered(self) -> ClipReward:
        if self.low >= self.high:
            raise ValueError(f"low must be less than high; got {self.low:g} and {self.high:g}")
        return self


class ScaleReward(StrictModel):
    """Rewards to train on are multiplied. Returns stay the environment's own."""

    name: Literal["scale_reward"] = "scale_reward"
    """Selects this wrapper."""
    factor: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    """Factor of the rewards."""


class ActionMask(StrictModel):
    """Actions that the environment marks as invalid get probability 0: while training, acting and in exported models.
    A mask has a 1 for each valid action, as Gymnasium's `Discrete.sample(mask)` takes it; that of MultiDiscrete actions
    has the masks of their components, one behind the other. It is the only wrapper of observations."""

    name: Literal["action_mask"] = "action_mask"
    """Selects this wrapper."""
    source: Literal["observation", "info"] = "observation"
    """Place of the mask: a part of Dict observations, or of the `info` of `reset` and `step`."""
    key: str = Field(default="action_mask", min_length=1, max_length=64)
    """Key of the mask there."""


Wrapper = Annotated[
    FrameStack | TimeAware | Flatten | ClipReward | ScaleReward | ActionMask, Field(discriminator="name")
]
WRAPPERS: dict[str, type[StrictModel]] = {
    "frame_stack": FrameStack,
    "time_aware": TimeAware,
    "flatten": Flatten,
    "clip_reward": ClipReward,
    "scale_reward": ScaleReward,
    "action_mask": ActionMask,
}
