"""Run manifest: a record of how a training was run, sufficient to repeat it.

A training is reproducible in this sense: the same request on the same code, package versions and CPU type, sampled in
the trainer itself (``num_env_runners`` 0), gives the same parameters after the same number of iterations. Remote env
runners, another CPU type or GPUs are recorded, but do not reproduce bit by bit.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic_core import to_jsonable_python

from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.training.models import CheckpointInfo, TrainingRequest
from rlplatform.training.ports import TrainingEngine

PACKAGES = ("rlplatform", "ray", "torch", "numpy", "gymnasium", "envpool")
_ROOT = Path(__file__).resolve().parents[2]


class Hardware(BaseModel):
    """Machine that trained. ``memory_bytes`` is the memory of the machine, not of a container."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str
    system: str
    cpu: str
    cpu_count: int
    memory_bytes: int | None


class PinnedCode(BaseModel):
    """Code of a user that a training runs: ``files`` are SHA-256 by path; ``image_digest`` is that of the image in
    which an environment's contract was checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    kind: str
    entry: str
    files: dict[str, str]
    image: str | None
    image_digest: str | None

    @classmethod
    def of(cls, code: UserCode) -> PinnedCode:
        """Return what identifies ``code``."""
        files = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(code.files.items())}
        return cls(
            source=code.label,
            kind=code.kind,
            entry=code.entry,
            files=files,
            image=code.image,
            image_digest=code.image_digest,
        )


class RunManifest(BaseModel):
    """Manifest of a training, part of ``training.started``, of the run's record, and of its run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training_id: str
    request: TrainingRequest
    seed: int
    simulated: bool
    engine: dict[str, JsonValue]
    parent_checkpoint: str | None
    parent_env: str | None = None
    user_code: list[PinnedCode] = []
    python: str
    packages: dict[str, str]
    git_commit: str | None
    code_sha256: str
    hardware: Hardware

    @classmethod
    def of(
        cls,
        training_id: str,
        request: TrainingRequest,
        engine: TrainingEngine,
        *,
        parent: CheckpointInfo | None = None,
        parent_env: str | None = None,
        user_code: Sequence[UserCode] = (),
    ) -> RunManifest:
        """Make the manifest of a training that starts here, from the checkpoint ``parent`` if there is one.

        ``parent_env`` is the environment that the checkpoint was trained on; ``user_code`` is what runs in sandboxes.
        """
        return cls(
            training_id=training_id,
            request=request,
            seed=request.seed,
            simulated=engine.simulated,
            engine=to_jsonable_python(dict(engine.describe())),
            parent_checkpoint=parent.id if parent is not None else None,
            parent_env=parent_env,
            user_code=[PinnedCode.of(code) for code in user_code],
            python=platform.python_version(),
            packages=_versions(),
            git_commit=_git_commit(),
            code_sha256=_own_code_sha256(),
            hardware=_hardware(),
        )


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _git_commit() -> str | None:
    """Return the commit of the working tree that contains this code, with ``-dirty`` if files differ; None outside
    of one."""
    if not (_ROOT / ".git").exists():
        return None
    try:
        commit = subprocess.run(
            ["git", "-C", str(_ROOT), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() or None


@functools.cache
def _own_code_sha256() -> str:
    return code_sha256(_ROOT)


def code_sha256(root: Path) -> str:
    """Return the SHA-256 over path and content of the sources below ``root`` that determine a training.

    Data counts as source: presets and the catalogue of environments change what a request means. Compiled files do not.
    """
    digest = hashlib.sha256()
    for folder in ("rlplatform/algorithms", "rlplatform/environments", "rlplatform/training", "actors/rllib"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".c", ".h", ".json"):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _hardware() -> Hardware:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    cpu = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    try:
        memory: int | None = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = None
    return Hardware(
        machine=platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        cpu=cpu,
        cpu_count=os.cpu_count() or 1,
        memory_bytes=memory,
    )
