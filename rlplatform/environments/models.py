"""Models of environments and of their spaces."""

from __future__ import annotations

from typing import Literal

from rlplatform.json_models import StrictModel


class EnvironmentList(StrictModel):
    """Environments that can be trained on, by id."""

    items: list[EnvironmentInfo]
    """The environments."""
    next_cursor: str | None = None
    """`cursor` of the next page; null: there is none."""


class EnvironmentInfo(StrictModel):
    """An environment that can be trained on."""

    id: str
    """Id of the environment."""
    observation_space: str
    """Observation space, as Gymnasium prints it."""
    action_space: str
    """Action space, as Gymnasium prints it."""
    backend: Literal["envpool", "gymnasium", "sandbox"]
    """Library that steps the environment; `sandbox`: one that a user uploaded."""
    name: str | None = None
    """Name of an uploaded environment; null: it is not one."""
    preset: str | None = None
    """Name of tuned hyperparameters for it; null: there are none."""
    preset_env_steps: int | None = None
    """Environment steps that those are meant for, and the default of `stop`; null: there are none."""
    max_episode_steps: int | None = None
    """Steps after which an episode is truncated, unless a request says otherwise."""


Bound = float | list[float | None] | None
BackendChoice = Literal["auto", "envpool", "gymnasium"]


class SpaceInfo(StrictModel):
    """A Gymnasium space."""

    kind: Literal["box", "discrete", "multi_discrete", "multi_binary"]
    """Kind of the space."""
    shape: list[int]
    """Shape of one element; `[]` for `discrete`."""
    dtype: str
    """NumPy type of one element; `int64` for `discrete`."""
    low: Bound = None
    """Lower bounds (`box`): one number if all are equal, else one for each component in C order; null: unbounded."""
    high: Bound = None
    """Upper bounds (`box`), in the same form as `low`."""
    n: int | None = None
    """Number of values (`discrete`), or of components (`multi_binary`)."""
    nvec: list[int] | None = None
    """Number of values of each component in C order (`multi_discrete`)."""
    start: int | list[int] | None = None
    """First value (`discrete`, `multi_discrete`); null: 0."""
    parts: list[SpacePart] | None = None
    """Parts of a Dict or Tuple observation, flattened into this box as Gymnasium's `FlattenObservation` does; null: it
    has none."""


class SpacePart(StrictModel):
    """A part of a flattened observation."""

    path: list[str | int]
    """Keys of Dict spaces and places in Tuple spaces that lead to the part."""
    start: int
    """First of its numbers in the flattened observation."""
    size: int
    """Count of its numbers: one-hot if it is `discrete` or `multi_discrete`, else in C order."""
    space: SpaceInfo
    """Space of the part by itself."""
