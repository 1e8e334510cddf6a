"""A recorded episode as arrays, and the file that holds it: NumPy's ``.npz``, without pickles."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rlplatform.environments.options import EnvOptions
from rlplatform.episodes.models import Episode, EpisodeInfo, VideoInfo
from rlplatform.errors import StorageError
from rlplatform.json_models import JsonObject, StrictModel

FORMAT = 1
MAX_FILE_BYTES = 4 << 20
"""Size of the largest file. Observations are left out of a larger one, then the steps before the episode."""
NO_PRELUDE = "the steps of earlier episodes that its replay needs are too many to be kept"


class Origin(StrictModel):
    """Everything that a replay needs, beside the actions: the same copies of the same environment.

    The actions of a recording begin with the copies' first reset. The episode begins ``start`` steps later.
    """

    env: str
    env_config: JsonObject = Field(default_factory=dict)
    options: JsonObject = Field(default_factory=dict)
    seeds: list[int]
    """One for each copy."""
    place: int
    """Index of the copy that played the episode."""
    start: int
    """Steps of the copies before the episode."""
    registered: bool = False
    """True: the environment is made as it is registered, without the preprocessing of trainings."""

    @property
    def env_options(self) -> EnvOptions:
        """Backend and time limit."""
        return EnvOptions(**self.options)  # type: ignore[arg-type]


class _Head(StrictModel):
    format: int
    info: EpisodeInfo
    origin: Origin | None
    action_dtype: str


@dataclass(frozen=True)
class Recording:
    """An episode.

    ``actions`` [start + steps, copies, *action] are those of all copies in ``origin``; without an origin
    [steps, 1, *action]. ``rewards`` [steps]; ``observations`` [steps, *observation], before each action.
    """

    info: EpisodeInfo
    origin: Origin | None
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    observations: NDArray[Any] | None = None

    @property
    def own_actions(self) -> NDArray[Any]:
        """Actions of the episode itself, one for each recorded step."""
        start, place = (self.origin.start, self.origin.place) if self.origin is not None else (0, 0)
        own: NDArray[Any] = self.actions[start:, place]
        return own

    def document(self, video: VideoInfo | None, *, observations: bool) -> Episode:
        """Return the episode for clients."""
        seen = self.observations if observations else None
        return Episode(
            **self.info.model_dump(),
            rewards=self.rewards.tolist(),
            actions=self.own_actions.tolist(),
            observations=None if seen is None else seen.tolist(),
            video=video,
        )

    def pack(self) -> tuple[EpisodeInfo, bytes]:
        """Return the file of this recording, with as much as fits into ``MAX_FILE_BYTES``, and what it says of it."""
        for recording in (self, replace(self, observations=None)):
            if len(packed := recording._packed()) <= MAX_FILE_BYTES:
                return self.info, packed
        info = self.info.model_copy(update={"no_video": NO_PRELUDE})
        bare = Recording(info, None, self.own_actions[:, None], self.rewards)
        steps = len(self.rewards)
        while len(packed := bare._packed()) > MAX_FILE_BYTES:
            steps //= 2
            info = info.model_copy(update={"recorded_steps": steps})
            bare = Recording(info, None, bare.actions[:steps], bare.rewards[:steps])
        return info, packed

    def _packed(self) -> bytes:
        dtype = str(self.actions.dtype)
        head = _Head(format=FORMAT, info=self.info, origin=self.origin, action_dtype=dtype).model_dump_json().encode()
        arrays = {"head": np.frombuffer(head, np.uint8), "actions": _small(self.actions), "rewards": self.rewards}
        if self.observations is not None:
            arrays["observations"] = self.observations
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def unpack(cls, file: bytes) -> Recording:
        """Read what :meth:`pack` wrote.

        Raises:
            StorageError: the file is damaged.
        """
        try:
            with np.load(io.BytesIO(file)) as arrays:
                head = _Head.model_validate_json(arrays["head"].tobytes())
                observations = arrays.get("observations")
                actions = arrays["actions"].astype(head.action_dtype)
                return cls(head.info, head.origin, actions, arrays["rewards"], observations)
        except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise StorageError(f"a recorded episode is damaged: {error}") from None


def _small(actions: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the smallest type that holds them."""
    if not np.issubdtype(actions.dtype, np.integer) or not actions.size:
        return actions
    kind = np.result_type(np.min_scalar_type(actions.min()), np.min_scalar_type(actions.max()))
    return actions.astype(kind)
