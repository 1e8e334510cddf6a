"""Base image of the sandboxes: pulled from a registry, or made by debootstrap."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import docker.errors

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.docker_engine import Engine

BASE = "rlp-sandbox-base:bookworm-1"
_REGISTRY_BASE = "python:3.11-slim-bookworm"
_SUITE = "bookworm"
_PACKAGES = ("python3.11", "libpython3.11-stdlib", "media-types", "libsqlite3-0")
_COMPILE = ("python3", "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
_DROPPED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)
Progress = Callable[[str], None]


def ensure_base(engine: Engine, progress: Progress) -> str:
    if engine.image(BASE) is not None:
        progress(f"base {BASE} is cached")
        return BASE
    progress(f"fetching the base {_REGISTRY_BASE} from the registry")
    try:
        engine.api.pull(*_REGISTRY_BASE.split(":"))
        engine.api.tag(_REGISTRY_BASE, *BASE.split(":"))
    except docker.errors.DockerException:
        progress("no registry answers; making the base with debootstrap (about a minute)")
        _debootstrap(engine)
    return BASE


def _debootstrap(engine: Engine) -> None:
    tool = shutil.which("debootstrap") or shutil.which("debootstrap", path="/usr/sbin:/sbin")
    if os.geteuid() != 0:
        raise SandboxUnavailable(
            "no registry offers the base of the sandbox image, and making it with debootstrap needs root: "
            "run this as root, or let the Docker engine reach a registry"
        )
    if tool is None:
        raise SandboxUnavailable(
            "no registry offers the base of the sandbox image, and debootstrap is not installed (Debian: debootstrap)",
            missing="debootstrap",
        )
    with tempfile.TemporaryDirectory(prefix="rlp-base-", dir="/var/tmp") as folder:
        root = Path(folder, "root")
        _command(tool, "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE, str(root))
        (root / "usr/bin/python3").symlink_to("python3.11")
        _strip(root)
        _command(
            "chroot",
            str(root),
            *_COMPILE,
            "/usr/lib/python3.11",
        )
        _import(engine, root)


def _strip(root: Path) -> None:
    for name in _DROPPED:
        shutil.rmtree(root / name, ignore_errors=True)
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o6000:
            path.chmod(path.stat().st_mode & 0o1777)


def _import(engine: Engine, root: Path) -> None:
    with subprocess.Popen(["tar", "-C", str(root), "--numeric-owner", "-c", "."], stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        repository, tag = BASE.split(":")
        engine.api.import_image_from_stream(tar.stdout, repository=repository, tag=tag)
    if tar.returncode != 0 or engine.image(BASE) is None:
        raise SandboxUnavailable("the base of the sandbox image could not be imported")


def _command(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise SandboxUnavailable(f"{Path(arguments[0]).name} failed: {' / '.join(tail)}")
