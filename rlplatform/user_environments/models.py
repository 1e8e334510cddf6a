"""Models of environments that users upload: the request, and the environment with its report."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from rlplatform import patterns
from rlplatform.evaluation.models import Verdict
from rlplatform.evaluation.sources import SourceFile
from rlplatform.json_models import JsonObject, StrictModel

MAX_BYTES = 1 << 20
"""Size of all files of an environment, in bytes, at most."""


class EnvironmentUpload(StrictModel):
    """An environment to check and keep (`POST /v1/environments`)."""

    entry: str = Field(pattern=patterns.ENTRY, max_length=128)
    """Module and class, or function, that makes the environment, as `grid:GridWorld`; the module is one of `files`."""
    files: list[SourceFile] = Field(min_length=1, max_length=32, fail_fast=True)
    """Files of the environment, 1 MiB in all. Modules are imported, and other files found, by these paths."""
    name: str | None = Field(default=None, min_length=1, max_length=64)
    """Name to show; null: that of the class."""
    config: JsonObject = Field(default_factory=dict)
    """Keyword arguments of the class. A training may add others in `env_config`."""
    image: str | None = Field(default=None, pattern=patterns.IMAGE)
    """Name of the image to run in, one of `GET /v1/images` with Gymnasium; null: the platform's default."""
    memory_mib: int = Field(default=512, ge=64, le=1536)
    """Memory of each process, which has up to 64 copies, in MiB."""

    @field_validator("files")
    @classmethod
    def _unique_paths(cls, given: list[SourceFile]) -> list[SourceFile]:
        seen: set[str] = set()
        for file in given:
            if file.path in seen:
                raise ValueError(f"{file.path!r} is there twice")
            seen.add(file.path)
        return given


class EnvironmentFile(StrictModel):
    """A file of an environment."""

    path: str
    """Path that the environment finds it under."""
    size_bytes: int
    """Size, in bytes."""
    sha256: str
    """SHA-256 of its bytes, in hexadecimal."""


class ContractCheck(StrictModel):
    """Result of one check of the contract."""

    check: str
    """Part of the contract: `spaces`, `seeding`, `determinism`, `copies`, `endings`, `rewards` or `step_rate`."""
    verdict: Verdict
    """`accepted`: the contract holds."""
    message: str | None = None
    """Reason of the verdict and advice, or a note; null if there is nothing to say."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """Facts that the check found, as `steps_per_s`."""


EnvironmentState = Literal["checking", "ready", "refused", "unchecked"]


class UserEnvironment(StrictModel):
    """An environment that a user uploaded."""

    id: str
    """Id of the environment, `env_…`: the `env` of a training."""
    name: str
    """Name to show."""
    entry: str
    """Module and class, or function, that makes it."""
    state: EnvironmentState
    """`checking` until its contract is checked; `ready` to train on; `refused`: the contract does not hold;
    `unchecked`: the platform could not check it, upload it again."""
    evaluation_id: str
    """Id of the evaluation that checks the contract."""
    report: list[ContractCheck] = Field(default_factory=list)
    """Results of the checks so far."""
    message: str | None = None
    """Reason why it is refused or unchecked; null otherwise."""
    observation_space: str | None = None
    """Observation space, as Gymnasium prints it; null unless ready."""
    action_space: str | None = None
    """Action space, as Gymnasium prints it; null unless ready."""
    max_episode_steps: int | None = None
    """Time limit of its own; null: trainings truncate after 10,000 steps, unless a request says otherwise."""
    steps_per_s: float | None = None
    """Steps a second of one copy when it was checked; null unless ready."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the class."""
    image: str | None = None
    """Image that it runs in; null: the platform's default."""
    image_digest: str | None = None
    """Digest of the image that it was checked in; null unless checked."""
    memory_mib: int
    """Memory of each process, in MiB."""
    files: list[EnvironmentFile]
    """Its files."""
    sha256: str
    """SHA-256 over files and entry. Equal ones of a tenant are one environment."""
    created_by: str
    """Id of the principal that uploaded it."""
    created_at: datetime
    """Time of the upload."""


class StoredEnvironment(StrictModel):
    """An environment as the store keeps it: ``contents`` in base 64 by path; ``spaces`` as the contract found them."""

    info: UserEnvironment
    tenant: str
    contents: dict[str, str]
    spaces: dict[str, Any] | None = None
