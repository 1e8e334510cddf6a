"""Packages of an image: wheels that ``pip`` resolves and downloads on the host, for the interpreter of the sandbox.

Nothing is built and nothing is run: only wheels are accepted, and their contents are copied.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from rlplatform.errors import InvalidRequest

_WHEELS = (
    "--no-compile",
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_28_x86_64",
)
_ROOT = "lib"
SITE_PACKAGES = f"{_ROOT}/site-packages"
"""Folder of the packages in the context of a build."""


class Packages(NamedTuple):
    """Packages of an image: ``files`` by path, ``versions`` by package, and the digest of the lock and the preloaded
    modules."""

    files: dict[str, bytes]
    versions: dict[str, str]
    digest: str


def fetch(wanted: Sequence[str], preload: Sequence[str] | None) -> Packages:
    """Resolve and download ``wanted``, which are arguments of ``pip install``. Hashes in requirement files are checked.

    Args:
        preload: modules to import once, before any submission; None: those of the packages in ``wanted``.

    Raises:
        InvalidRequest: the requirements cannot be resolved, or a package has no wheel for the sandbox.
    """
    with tempfile.TemporaryDirectory(prefix="rlp-wheels-", dir="/var/tmp") as folder:
        report, target = Path(folder, "report.json"), Path(folder, "packages")
        _pip("install", "--quiet", "--report", str(report), "--target", str(target), *_WHEELS, *wanted)
        resolved = json.loads(report.read_text(encoding="utf-8"))["install"]
        files = {
            f"{SITE_PACKAGES}/{path.relative_to(target)}": path.read_bytes()
            for path in target.rglob("*")
            if path.is_file()
        }
    versions = {entry["metadata"]["name"].lower(): entry["metadata"]["version"] for entry in resolved}
    modules = list(preload) if preload is not None else _modules(resolved, files)
    files[f"{_ROOT}/requirements.lock"] = lock = _lock(resolved).encode()
    files[f"{_ROOT}/preload"] = names = "".join(f"{name}\n" for name in modules).encode()
    return Packages(files, dict(sorted(versions.items())), sha256(lock + names).hexdigest())


def _lock(resolved: Sequence[dict[str, Any]]) -> str:
    """Return the resolved requirements, with the hash of each wheel."""
    lines = []
    for entry in resolved:
        hashes = entry["download_info"].get("archive_info", {}).get("hashes", {})
        pinned = f"{entry['metadata']['name']}=={entry['metadata']['version']}"
        lines.append(" ".join([pinned, *(f"--hash={name}:{digest}" for name, digest in sorted(hashes.items()))]))
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))


def _modules(resolved: Sequence[dict[str, Any]], files: dict[str, bytes]) -> list[str]:
    """Return the public top-level modules of the requested packages."""
    found: set[str] = set()
    for entry in resolved:
        if not entry["requested"]:
            continue
        name = re.sub(r"[-_.]+", "_", entry["metadata"]["name"]).lower()
        for path, content in files.items():
            folder, _, file = path.removeprefix(f"{SITE_PACKAGES}/").partition("/")
            if file == "RECORD" and re.sub(r"[-_.]+", "_", folder).lower().startswith(f"{name}_"):
                found |= _top_levels(content.decode())
    return sorted(found)


def _top_levels(record: str) -> set[str]:
    paths = [line.split(",")[0] for line in record.splitlines()]
    packages = {path.split("/")[0] for path in paths if path.count("/") == 1 and path.endswith("/__init__.py")}
    modules = {path.split(".")[0] for path in paths if "/" not in path and path.endswith((".py", ".so"))}
    return {name for name in packages | modules if name.isidentifier() and not name.startswith("_")}


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise InvalidRequest(
            f"the requirements cannot be had as wheels for Python 3.11 on x86-64: {' / '.join(errors[-3:])}",
            field="requirements",
        )
