"""Models of a sandbox's input and output.

These models carry no verdict. An :class:`Outcome` describes the program's behaviour as the kernel saw it;
``rlplatform.evaluation.verdicts`` decides its meaning for a learner. A failure of the platform is never an outcome: it
is raised as :class:`~rlplatform.errors.SandboxFault` (retry elsewhere) or
:class:`~rlplatform.errors.SandboxUnavailable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from rlplatform.json_models import StrictModel, with_old_names
from rlplatform.sandbox.languages import LANGUAGES, PYTHON


class Tier(StrEnum):
    """Strength of the isolation of a submission. Every result names it, and it is never lowered silently."""

    SINGLE_USE = "single-use"
    JAIL = "jail"
    GVISOR = "gvisor"


_REPOSITORY, _TAG = "rlp-sandbox-", ":latest"


def image_tag(name: str) -> str:
    """Return the Docker engine's name of the image ``name``. A name of the engine is returned unchanged."""
    return name if ":" in name else f"{_REPOSITORY}{name}{_TAG}"


def image_name(tag: str) -> str:
    """Return the name that requests give the image which the Docker engine knows as ``tag``."""
    if tag.startswith(_REPOSITORY) and tag.endswith(_TAG):
        return tag.removeprefix(_REPOSITORY).removesuffix(_TAG)
    return tag


def how_to_build(name: str) -> str:
    """Return the sentence that tells how to make an image of a node."""
    return f"An image is made on a node: rlp image build {name} --requirements FILE"


class Flavour(StrEnum):
    """Images that come with the platform. No other image may have their names."""

    PYTHON = "python"
    PYTHON_RL = "python-rl"
    PYTHON_TORCH = "python-torch"

    @property
    def image(self) -> str:
        """Docker engine's name of the image."""
        return image_tag(self.value)


class NodeImage(StrictModel):
    """An image that a node serves."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Name of the image, as requests give it."""
    digest: str
    """Digest of the image."""
    size_bytes: int
    """Size on disk, in bytes."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Packages beyond the standard library: version by name."""


class ImageInfo(NodeImage):
    """An image that submissions can run in."""

    default: bool
    """True: used where a request names no image."""
    nodes: list[str]
    """Nodes that have it."""


class ImageList(StrictModel):
    """Images that submissions can run in, by name."""

    items: list[ImageInfo]
    """The images. One name is there twice while nodes have different builds of it."""


Seconds = Annotated[float, Field(gt=0, le=7200)]
MemoryMib = Annotated[int, Field(ge=16, le=65_536)]
OutputKib = Annotated[int, Field(ge=1, le=65_536)]
Processes = Annotated[int, Field(ge=1, le=1024)]


class Limits(BaseModel):
    """Limits of one test."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra=with_old_names(memory_mib="memory_mb", output_kib="output_kb"),
    )

    cpu_time_s: Seconds = 2.0
    """CPU time, in seconds."""
    wall_time_s: Seconds = 6.0
    """Wall-clock time, in seconds; at least `cpu_time_s`."""
    memory_mib: MemoryMib = Field(default=256, validation_alias=AliasChoices("memory_mib", "memory_mb"))
    """Memory, in MiB."""
    output_kib: OutputKib = Field(default=256, validation_alias=AliasChoices("output_kib", "output_kb"))
    """Standard output, and standard error, in KiB each."""
    processes: Processes = 32
    """Processes and threads at one time."""

    def cover(self, other: Limits) -> Limits:
        """Return the larger of each limit."""
        return Limits.model_construct(
            **{name: max(value, getattr(other, name)) for name, value in self.model_dump().items()}
        )

    @model_validator(mode="after")
    def _wall_covers_cpu(self) -> Limits:
        if self.wall_time_s < self.cpu_time_s:
            raise ValueError(f"wall_time_s ({self.wall_time_s}) must be at least cpu_time_s ({self.cpu_time_s})")
        return self


@dataclass(frozen=True, slots=True)
class Program:
    """A submission as the sandbox sees it: files by relative POSIX path, of which ``entry`` is run in ``language``.

    ``data`` maps further paths to files on the host, of any size, which the program can only read.
    """

    files: dict[str, bytes]
    entry: str = LANGUAGES[PYTHON].entry
    data: Mapping[str, Path] = field(default_factory=dict)
    language: str = PYTHON


@dataclass(frozen=True, slots=True)
class Call:
    """A function call to make in the program: JSON values in, one JSON value out."""

    function: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of the program, with ``stdin``, which may be a file on the host.

    With ``call``, a function of the program is called after its module has run. ``files`` maps further paths to files
    on the host, which the program can only read, and only in this run. ``collect`` are paths of files that are read
    once the program has ended.
    """

    limits: Limits
    stdin: bytes | Path = b""
    call: Call | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    collect: tuple[str, ...] = ()


MAX_OUTPUT_FILE_BYTES = 16 << 20
"""Size of all collected files of one execution together."""


class FileFault(StrEnum):
    """Reason why a file that was to be collected has no content, as the end of a sentence that begins with its path."""

    MISSING = "does not exist"
    NOT_REGULAR = "is no regular file: links, folders and pipes are not read"
    UNREADABLE = "cannot be read: the program took its permissions away"
    TOO_LARGE = f"is too large: all output files of a test have at most {MAX_OUTPUT_FILE_BYTES >> 20} MiB"


OutputFile = bytes | FileFault


class OutcomeKind(StrEnum):
    """Reason why an execution ended. The first one with evidence is reported (research/sandbox.md 4d)."""

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
    """Resources that one execution used, in seconds and bytes, metered by the host from the sandbox's cgroup.

    ``starved_s`` of the ``wall_time_s`` seconds were spent waiting for a core on a busy machine. They do not count
    against the wall limit.
    """

    cpu_time_s: float
    wall_time_s: float
    peak_memory_bytes: int
    starved_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one execution.

    ``stdout`` and ``stderr`` are raw bytes, up to a limit. If stdout exceeds 4 MiB, all of it is in ``stdout_file``, a
    file without a name, and ``stdout`` is its beginning. ``returned`` is the return value of the called function, as
    validated JSON of ``rlplatform.sandbox.guest.values``; None if there is no valid value. ``files`` has the content of
    each path in ``Execution.collect``, or the reason why there is none; it is empty if the sandbox died.
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
    files: Mapping[str, OutputFile] = field(default_factory=dict)

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
    """Counters of a pool, for readiness and ``rlp doctor``, and the tiers that it does not serve, with reasons.

    Tiers in ``lacking`` are not configured; tiers in ``broken`` are configured but do not work. ``image`` is the name
    of the default one of ``images``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    available: bool
    reason: str | None = None
    tier: Tier
    warm: int = 0
    in_use: int = 0
    capacity: int = 0
    lacking: dict[Tier, str] = Field(default_factory=dict)
    broken: dict[Tier, str] = Field(default_factory=dict)
    image: str | None = None
    images: tuple[NodeImage, ...] = ()

    def serves(self, tier: Tier) -> bool:
        """True if the pool has sandboxes of ``tier``."""
        return self.available and tier not in self.lacking and tier not in self.broken

    def has_image(self, name: str) -> bool:
        """True if the pool's node has the image ``name``."""
        return any(image.name == name for image in self.images)
