"""Build the sandbox images: an interpreter with the guest.

An image is rebuilt only if the guest's sources have changed.

Flavour *python* has the standard library. Flavour *python-rl* adds NumPy and Gymnasium in the versions of this
environment; ``pip`` fetches their wheels on the host, and nothing is installed inside the container.

The base is the official slim Python image if a registry answers, else a Debian minbase made with ``debootstrap`` (root
is required). The engine keeps base and image: a second build needs no network.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docker.errors
from pydantic import BaseModel

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.docker_engine import FLAVOUR_LABEL, GUEST_LABEL, Engine, Image
from rlplatform.sandbox.images.base_image import Progress, _command, ensure_base
from rlplatform.sandbox.models import Flavour

BUILD = "rlp sandbox build"
_RL_PACKAGES = ("numpy", "gymnasium")
_WHEELS = (
    "--no-compile",
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_28_x86_64",
)


def guest_digest() -> str:
    """Return the SHA-256 over the guest's sources and the recipe of the image."""
    digest = hashlib.sha256()
    for name, content in sorted(_context().items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class SandboxImage(BaseModel):
    """Image as ``rlp sandbox images`` shows it. ``current`` is True if it was built from this installation's guest."""

    flavour: Flavour
    name: str
    digest: str | None = None
    size_bytes: int | None = None
    built_at: str | None = None
    current: bool = False


def describe(engine: Engine, flavour: Flavour) -> SandboxImage:
    """Describe the image of ``flavour``. It has no digest if the engine does not have it."""
    image = engine.image(flavour.image)
    if image is None:
        return SandboxImage(flavour=flavour, name=flavour.image)
    return SandboxImage(
        flavour=flavour,
        name=image.name,
        digest=image.digest,
        size_bytes=image.size_bytes,
        built_at=image.built_at,
        current=image.labels.get(GUEST_LABEL) == guest_digest(),
    )


def require_image(engine: Engine, name: str) -> Image:
    """Return the image ``name``, if it was built from this installation's guest.

    Raises:
        SandboxUnavailable: it is missing, or was built from another guest.
    """
    image = engine.image(name)
    how = f"build it with: {BUILD}"
    if image is None:
        raise SandboxUnavailable(f"the Docker engine has no image {name!r}; {how}")
    if image.labels.get(GUEST_LABEL) != guest_digest():
        raise SandboxUnavailable(f"the image {name!r} was built from another version of the guest; {how}")
    return image


def build(engine: Engine, flavour: Flavour, progress: Progress) -> Image:
    """Return the image of ``flavour``, and build it unless the engine has it from this guest already.

    Raises:
        SandboxUnavailable: it cannot be built; says what is missing.
    """
    image = engine.image(flavour.image)
    if image is not None and image.labels.get(GUEST_LABEL) == guest_digest():
        progress(f"{flavour.image} is up to date")
        return image
    base = ensure_base(engine, progress)
    if flavour is Flavour.PYTHON_RL:
        base = _ensure_rl_base(engine, base, progress)
    progress(f"building {flavour.image}")
    _build_image(engine, flavour.image, {"BASE": base}, _context(), _labels(flavour))
    image = require_image(engine, flavour.image)
    progress(f"built {flavour.image} ({image.digest})")
    return image


def _context() -> dict[str, bytes]:
    package = resources.files("rlplatform.sandbox")
    files = {"Dockerfile": package.joinpath("data", "Dockerfile").read_bytes()}
    for source in package.joinpath("guest").iterdir():
        if source.name.endswith(".py"):
            target = "rlp/__main__.py" if source.name == "__main__.py" else f"rlp/guest/{source.name}"
            files[target] = source.read_bytes()
    profile = "seccomp-sandbox.json"
    files[f"rlp/guest/{profile}"] = package.joinpath("data", profile).read_bytes()
    return files


def _labels(flavour: Flavour) -> dict[str, str]:
    return {GUEST_LABEL: guest_digest(), FLAVOUR_LABEL: flavour.value}


def _build_image(
    engine: Engine, tag: str, arguments: dict[str, str], files: dict[str, bytes], labels: dict[str, str] | None = None
) -> None:
    with tempfile.TemporaryFile() as context:
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, content in sorted(files.items()):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))
        context.seek(0)
        _follow(
            engine.api.build(
                fileobj=context,
                custom_context=True,
                tag=tag,
                buildargs=arguments,
                labels=labels or {},
                network_mode="none",
                rm=True,
                forcerm=True,
                decode=True,
            )
        )


def _follow(messages: Iterator[dict[str, Any]]) -> None:
    try:
        for message in messages:
            if "error" in message:
                raise SandboxUnavailable(f"the sandbox image cannot be built: {message['error'].strip()}")
    except docker.errors.DockerException as error:
        raise SandboxUnavailable(f"the sandbox image cannot be built: {error}") from error


def _ensure_rl_base(engine: Engine, base: str, progress: Progress) -> str:
    packages = [f"{name}=={version(name)}" for name in _RL_PACKAGES]
    tag = "rlp-sandbox-base-rl:" + "-".join(package.replace("==", "-") for package in packages)
    if engine.image(tag) is not None:
        progress(f"base {tag} is cached")
        return tag
    progress(f"fetching wheels of {', '.join(packages)}")
    with tempfile.TemporaryDirectory(prefix="rlp-wheels-", dir="/var/tmp") as folder:
        _command(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *_WHEELS, *packages)
        root = Path(folder)
        files = {
            f"site-packages/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()
        }
    dockerfile = resources.files("rlplatform.sandbox").joinpath("data", "Dockerfile.base-rl").read_bytes()
    progress(f"building base {tag}")
    _build_image(engine, tag, {"BASE": base}, files | {"Dockerfile": dockerfile})
    return tag
