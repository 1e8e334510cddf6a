"""What goes into a sandbox and what comes out of it.

These models carry no verdict: an :class:`Outcome` says what the program did, as the kernel saw it. What that means for
a learner is decided in ``rlplatform.evaluation.verdicts``. What *we* failed to do is never an outcome: it is raised as
:class:`~rlplatform.errors.SandboxFault` (retry elsewhere) or :class:`~rlplatform.errors.SandboxUnavailable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Tier(StrEnum):
    """Strength of the isolation of a submission: repeated in every result, never lowered silently."""

    SINGLE_USE = "single-use"
    JAIL = "jail"
    GVISOR = "gvisor"


class Flavour(StrEnum):
    """What a sandbox offers its programs."""

    PYTHON = "python"
    PYTHON_RL = "python-rl"

    @property
    def image(self) -> str:
        """The image's name."""
        return f"rlp-sandbox-{self.value}:latest"


class Limits(BaseModel):
    """Limits of one test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_time_s: float = Field(default=2.0, gt=0, le=60)
    """CPU time, in seconds."""
    wall_time_s: float = Field(default=6.0, gt=0, le=120)
    """Wall-clock time, in seconds; at least `cpu_time_s`."""
    memory_mb: int = Field(default=256, ge=16, le=2048)
    """Memory, in MiB."""
    output_kb: int = Field(default=256, ge=1, le=65_536)
    """Standard output, and standard error, in KiB each."""
    processes: int = Field(default=32, ge=1, le=128)
    """Processes and threads at one time."""

    @model_validator(mode="after")
    def _wall_covers_cpu(self) -> Limits:
        if self.wall_time_s < self.cpu_time_s:
            raise ValueError(f"wall_time_s ({self.wall_time_s}) must be at least cpu_time_s ({self.cpu_time_s})")
        return self


@dataclass(frozen=True, slots=True)
class Program:
    """A submission as the sandbox sees it: files by relative POSIX path; ``entry`` is what is run.

    ``data``: files on the host, of any size, that the program finds under these paths and can only read.
    """

    files: dict[str, bytes]
    entry: str = "main.py"
    data: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call to make in the program: JSON values in, one JSON value out."""

    function: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of the program: fed ``stdin``, which may be a file on the host; with ``call``, a function of it is called
    after its module has run.

    ``files``: files on the host that the program finds under these paths, in this run alone, and can only read.
    """

    limits: Limits
    stdin: bytes | Path = b""
    call: Call | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


class OutcomeKind(StrEnum):
    """Reason why an execution ended; the first that has evidence wins (research/sandbox.md 4d)."""

    COMPILE_FAILED = "compile_failed"
    MEMORY_EXCEEDED = "memory_exceeded"
    OUTPUT_EXCEEDED = "output_exceeded"
    CPU_TIME_EXCEEDED = "cpu_time_exceeded"
    WALL_TIME_EXCEEDED = "wall_time_exceeded"
    SIGNALLED = "signalled"
    EXITED = "exited"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources that one execution used: seconds and bytes, metered by the host from the sandbox's cgroup.

    For ``starved_s`` of ``wall_time_s`` it waited for a core on a busy machine; these do not count against the wall
    limit.
    """

    cpu_time_s: float
    wall_time_s: float
    peak_memory_bytes: int
    starved_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one execution did. ``stdout`` and ``stderr`` are raw bytes, capped. ``returned`` is what the called function
    returned, as validated JSON of ``rlplatform.sandbox.guest.values``; None when there is no valid value.

    More than 4 MiB of stdout is in ``stdout_file``, a nameless file, and ``stdout`` is its beginning.
    """

    kind: OutcomeKind
    usage: Usage
    exit_code: int | None = None
    signal: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    returned: bytes | None = None
    detail: str | None = None
    stdout_file: BinaryIO | None = None

    def close(self) -> None:
        """Remove the file of a large stdout. Idempotent."""
        if self.stdout_file is not None:
            self.stdout_file.close()


class SandboxInfo(BaseModel):
    """Sandbox that judged a submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    """Isolation that was used."""
    runtime: str
    """Container runtime, for example `runc`."""
    image: str
    """Name of the image."""
    image_digest: str
    """Digest of the image."""
    seccomp_digest: str
    """Digest of the system call filter."""
    cgroup: str
    """Version of the control groups that metered it, for example `v2`."""


class PoolStatus(BaseModel):
    """A pool's counters, for readiness and ``rlp doctor``, and the tiers that it does not serve, each with the reason:
    ``lacking`` are not configured, ``broken`` are configured and do not work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    available: bool
    reason: str | None = None
    tier: Tier
    warm: int = 0
    in_use: int = 0
    capacity: int = 0
    lacking: dict[Tier, str] = Field(default_factory=dict)
    broken: dict[Tier, str] = Field(default_factory=dict)

    def serves(self, tier: Tier) -> bool:
        """True if the pool has sandboxes of ``tier``."""
        return self.available and tier not in self.lacking and tier not in self.broken
