"""Build the sandbox images: an interpreter, packages and the guest.

An image is rebuilt only if the guest's sources have changed. Packages come from wheels that ``pip`` fetches outside.

Flavour *python* has the standard library. The others add packages in the versions of this environment
(:mod:`~rlplatform.sandbox.images.flavours`); ``pip`` fetches their wheels on the host, and nothing is installed inside
the container.

The base is the official slim Python image if a registry answers, else a Debian minbase made with ``debootstrap`` (root
is required). The engine keeps base and image: a second build needs no network.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import docker.errors
from pydantic import BaseModel

from rlplatform.errors import InvalidRequest, SandboxUnavailable
from rlplatform.sandbox.docker_engine import BASE_LABEL, GUEST_LABEL, PACKAGES_LABEL, Engine, Image
from rlplatform.sandbox.images.base_image import BASE, Progress, ensure_base
from rlplatform.sandbox.images.flavours import CONTENTS, Contents
from rlplatform.sandbox.images.packages import SITE_PACKAGES, fetch
from rlplatform.sandbox.models import Flavour, image_name, image_tag

_PACKAGES_BASE = "rlp-sandbox-packages"


def guest_digest() -> str:
    """Return the SHA-256 over the guest's sources and the recipe of the image."""
    digest = hashlib.sha256()
    for name, content in sorted(_context().items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


class SandboxImage(BaseModel):
    """Image as ``rlp sandbox images`` shows it. ``current`` is True if it was built from this installation's guest."""

    name: str
    tag: str
    digest: str | None = None
    size_bytes: int | None = None
    built_at: str | None = None
    packages: dict[str, str] = {}
    current: bool = False


def describe(engine: Engine, name: str) -> SandboxImage:
    """Describe the image ``name``. It has no digest if the engine does not have it."""
    tag = image_tag(name)
    image = engine.image(tag)
    return SandboxImage(name=name, tag=tag) if image is None else _described(image)


def describe_all(engine: Engine) -> list[SandboxImage]:
    """Describe the images that come with the platform, whether the engine has them or not, and all others that it
    has."""
    flavours = [describe(engine, flavour.value) for flavour in Flavour]
    names = {image.name for image in flavours}
    found = [_described(image) for image in engine.images(GUEST_LABEL) if ":" not in image_name(image.name)]
    return flavours + sorted((image for image in found if image.name not in names), key=lambda image: image.name)


def _described(image: Image) -> SandboxImage:
    return SandboxImage(
        name=image_name(image.name),
        tag=image.name,
        digest=image.digest,
        size_bytes=image.size_bytes,
        built_at=image.built_at,
        packages=image.packages,
        current=image.labels.get(GUEST_LABEL) == guest_digest(),
    )


def require_image(engine: Engine, name: str) -> Image:
    """Return the image ``name``, if it was built from this installation's guest.

    Raises:
        SandboxUnavailable: it is missing, or was built from another guest.
    """
    tag = image_tag(name)
    image = engine.image(tag)
    known = image_name(tag)
    how = f"build it with: {'rlp sandbox build' if known in set(Flavour) else 'rlp image build'} {known}"
    if image is None:
        raise SandboxUnavailable(f"the Docker engine has no image {tag!r}; {how}")
    if image.labels.get(GUEST_LABEL) != guest_digest():
        raise SandboxUnavailable(f"the image {tag!r} was built from another version of the guest; {how}")
    return image


def build(engine: Engine, flavour: Flavour, progress: Progress) -> Image:
    """Return the image of ``flavour``, and build it unless the engine has it from this guest already.

    Raises:
        SandboxUnavailable: it cannot be built; says what is missing.
    """
    image = engine.image(flavour.image)
    contents = CONTENTS[flavour]
    wanted = _base_tag(contents)
    if image is not None and image.labels.get(GUEST_LABEL) == guest_digest() and image.labels.get(BASE_LABEL) == wanted:
        progress(f"{flavour.image} is up to date")
        return image
    base = ensure_base(engine, progress)
    if contents.packages:
        base = _flavour_base(engine, base, contents, progress)
    return _build_on(engine, base, flavour.image, progress)


def build_candidate(
    engine: Engine, name: str, requirements: Path | None, preload: Sequence[str] | None, progress: Progress
) -> Image:
    """Build an image with the packages of ``requirements``. It has the name of a candidate, and does not serve yet.

    Args:
        requirements: None: the packages that the image ``name`` has; only the guest is new.
        preload: see :func:`~rlplatform.sandbox.images.packages.fetch`.

    Raises:
        InvalidRequest: there is no such image, or the requirements cannot be resolved.
    """
    if requirements is None:
        known = engine.image(image_tag(name))
        base = known.labels.get(BASE_LABEL) if known is not None else None
        if base is None or engine.image(base) is None:
            raise InvalidRequest(
                f"there is no image {name!r} whose packages could be kept; give --requirements FILE",
                field="requirements",
            )
    else:
        progress(f"fetching the wheels of {name}")
        packages = fetch(["-r", str(requirements)], preload)
        base = f"{_PACKAGES_BASE}:{name}-{packages.digest[:12]}"
        if engine.image(base) is None:
            progress(
                f"building base {base}: {', '.join(f'{each} {packages.versions[each]}' for each in packages.versions)}"
            )
            _build_packages(engine, base, ensure_base(engine, progress), packages.files, packages.versions)
    return _build_on(engine, base, candidate_tag(name), progress)


def candidate_tag(name: str) -> str:
    """Return the Docker engine's name of an image that has not been checked yet."""
    return image_tag(name).removesuffix("latest") + "candidate"


def clear(engine: Engine, name: str) -> None:
    """Remove what earlier builds of the image ``name`` left: bases that it is not built on, and images without a name
    that no container uses."""
    image = engine.image(image_tag(name))
    base = image.labels.get(BASE_LABEL) if image is not None else None
    for other in engine.images(PACKAGES_LABEL):
        if other.name != base and re.fullmatch(rf"{_PACKAGES_BASE}:{re.escape(name)}-[0-9a-f]{{12}}", other.name):
            engine.remove_image(other.name)
    engine.prune_images(GUEST_LABEL)


def remove(engine: Engine, name: str) -> None:
    """Remove an image and the bases of its builds.

    Raises:
        InvalidRequest: there is no such image, or it comes with the platform.
    """
    if name in {flavour.value for flavour in Flavour}:
        raise InvalidRequest(f"{name!r} comes with the platform, and stays", field="name")
    image = engine.image(image_tag(name))
    if image is None:
        known = ", ".join(other.name for other in describe_all(engine) if other.name not in set(Flavour))
        raise InvalidRequest(f"there is no image {name!r} here; there are {known or 'none'}", field="name")
    engine.remove_image(image.name)
    clear(engine, name)


def _build_on(engine: Engine, base: str, tag: str, progress: Progress) -> Image:
    progress(f"building {tag}")
    _build_image(engine, tag, {"BASE": base}, _context(), {GUEST_LABEL: guest_digest(), BASE_LABEL: base})
    image = require_image(engine, tag)
    progress(f"built {tag} ({image.digest})")
    return image


def _context() -> dict[str, bytes]:
    package = resources.files("rlplatform.sandbox")
    files = {"Dockerfile": package.joinpath("data", "Dockerfile").read_bytes()}
    for folder in ("guest", "guest/isolation", "guest/languages"):
        for source in package.joinpath(folder).iterdir():
            if source.name.endswith(".py"):
                target = "rlp/__main__.py" if source.name == "__main__.py" else f"rlp/{folder}/{source.name}"
                files[target] = source.read_bytes()
    profile = "seccomp-sandbox.json"
    files[f"rlp/guest/isolation/{profile}"] = package.joinpath("data", profile).read_bytes()
    return files


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


def _build_packages(engine: Engine, tag: str, base: str, files: dict[str, bytes], versions: dict[str, str]) -> None:
    dockerfile = resources.files("rlplatform.sandbox").joinpath("data", "Dockerfile.packages").read_bytes()
    _build_image(
        engine, tag, {"BASE": base}, files | {"Dockerfile": dockerfile}, {PACKAGES_LABEL: json.dumps(versions)}
    )


def _base_tag(contents: Contents) -> str:
    """Return the Docker engine's name of the base that an image with ``contents`` is built on."""
    if not contents.packages:
        return BASE
    names = [package.replace("==", "-").replace("+", "-") for package in contents.pinned()]
    return f"{_PACKAGES_BASE}:{'-'.join(names)}"


def _flavour_base(engine: Engine, base: str, contents: Contents, progress: Progress) -> str:
    pinned, tag = contents.pinned(), _base_tag(contents)
    if engine.image(tag) is not None:
        progress(f"base {tag} is cached")
        return tag
    progress(f"fetching wheels of {', '.join(pinned)}")
    try:
        packages = fetch(pinned, contents.modules)
    except InvalidRequest as error:
        raise SandboxUnavailable(str(error)) from error
    progress(f"building base {tag}")
    sources = {f"{SITE_PACKAGES}/{name}.py": source for name, source in contents.sources.items()}
    _build_packages(engine, tag, base, packages.files | sources, packages.versions)
    return tag
