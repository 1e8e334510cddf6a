"""The machine: memory, disk, clock, packages. What can only be read on Linux is left out elsewhere."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cluster import ingress
from cluster.doctor.report import Check, fail, ok, warn
from rlplatform.settings import Settings

GIB = 2**30
ENOUGH_CONNECTIONS = 1000  # for one machine; a cluster serves as many as its profile says
LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def packages(_: Settings, lock: Path = LOCK) -> Check:
    """Compare installed packages with the lock file, and what the server requires with what is installed."""
    name = "packages"
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        return fail(name, f"this is Python {python}", "use Python 3.11 or 3.12, the same on every node")
    if not lock.is_file():
        return warn(name, f"Python {python}; there is no {lock.name} to compare with", "run from a checkout")
    wanted = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", lock.read_text(), re.MULTILINE))
    required = {
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, importlib.metadata.requires("rlplatform") or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": "server"})
    }
    differing, missing = [], []
    for package, version in wanted.items():
        try:
            installed = importlib.metadata.version(package).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            if canonicalize_name(package) in required:
                missing.append(package)
            continue
        if installed != version:
            differing.append(f"{package} {installed} (pinned: {version})")
    if not differing and not missing:
        return ok(name, f"Python {python}; all packages are as pinned")
    found = [*differing, *(f"{package} is missing" for package in missing)]
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return warn(name, f"Python {python}; not as tested: {shown}", f"pip install -c {lock.name} -e '.[server,export]'")


def compiler(_: Settings) -> Check:
    """Check the C kernel of the PPO numerics."""
    from rlplatform.algorithms.ppo.native.c_library import load, why_no_kernel

    if reason := why_no_kernel():
        return warn("c_kernel", f"training uses NumPy or torch, which is slower: {reason}", "install gcc (optional)")
    return ok("c_kernel", f"the C kernel is there ({load().isa})")


def memory(_: Settings, meminfo: Path = Path("/proc/meminfo")) -> Check:
    """Check the available memory."""
    if not meminfo.is_file():
        return ok("memory", "not to be read on this system")
    fields = dict(re.findall(r"^(\w+):\s+(\d+) kB$", meminfo.read_text(), re.MULTILINE))
    free, total = (int(fields[field]) * 1024 / GIB for field in ("MemAvailable", "MemTotal"))
    found = f"{free:.1f} of {total:.1f} GiB are available"
    if free < 2:
        return fail("memory", f"{found}: Ray and one training do not fit", "free memory: 4 GiB are comfortable")
    if free < 4:
        return warn("memory", f"{found}: enough for one small training", "4 GiB are comfortable")
    return ok("memory", found)


def shared_memory(_: Settings, mount: Path = Path("/dev/shm")) -> Check:
    """Check the shared memory, where Ray keeps its objects."""
    if not mount.is_dir():
        return ok("shared_memory", f"no {mount} on this system; Ray uses files")
    stat = os.statvfs(mount)
    size, free = stat.f_blocks * stat.f_frsize / GIB, stat.f_bavail * stat.f_frsize / GIB
    found = f"{mount} has {free:.1f} of {size:.1f} GiB free"
    if free < 1:
        return warn(
            "shared_memory",
            f"{found}: Ray puts its objects on disk instead, which is slow",
            "in a container: --shm-size=2g; else remove what is left in it",
        )
    return ok("shared_memory", found)


def disk(settings: Settings) -> Check:
    """Check the room for the state directory and for Ray's temporary files."""
    low, critical, found = [], [], []
    for place in (existing(settings.state_dir.resolve()), Path(tempfile.gettempdir())):
        usage = shutil.disk_usage(place)
        text = f"{usage.free / GIB:.1f} GiB free at {place}"
        found.append(text)
        if usage.free < GIB or usage.free < 0.05 * usage.total:
            critical.append(text)
        elif usage.free < 5 * GIB:
            low.append(text)
    if critical:
        return fail(
            "disk", f"{', '.join(critical)}: checkpoints fail, and Ray stops on a disk that is 95 % full", "free disk"
        )
    if low:
        return warn("disk", ", ".join(low), "5 GiB are comfortable")
    return ok("disk", ", ".join(found))


def clock(settings: Settings, now: float | None = None) -> Check:
    """Check the clock. One machine needs a sane one; several must agree."""
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if moment.year < 2025 or (installed - moment).total_seconds() > 86400:
        return fail("clock", f"it says {moment:%Y-%m-%d %H:%M} UTC: keys expire wrongly, TLS fails", "set the clock")
    if not settings.store.embedded and not _is_synchronised():
        return warn(
            "clock",
            f"{moment:%Y-%m-%d %H:%M} UTC, but no time service keeps it: times of events differ between nodes",
            "run chrony or systemd-timesyncd on every node",
        )
    return ok("clock", f"{moment:%Y-%m-%d %H:%M} UTC")


def descriptors(settings: Settings, hard: int | None = None) -> Check:
    """Check the number of files that a process may have open. HAProxy needs some for each connection."""
    if ingress.choose(settings.cluster) == "proxy":
        return ok("descriptors", "Serve's own proxy needs no more than usual")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if hard is None else hard
    most = ingress.max_connections(hard)
    found = f"HAProxy can hold {most:,} connections"
    if most >= (ENOUGH_CONNECTIONS if settings.cluster.address is None else ingress.MOST_CONNECTIONS):
        return ok("descriptors", found)
    return warn(
        "descriptors",
        f"{found}: this shell's processes may open {hard:,} files (ulimit -Hn)",
        f"for {ingress.MOST_CONNECTIONS:,} connections set LimitNOFILE (systemd), ulimits.nofile (Compose) or "
        f"/etc/security/limits.conf to {ingress.descriptors_for(ingress.MOST_CONNECTIONS):,} or more",
    )


def existing(path: Path) -> Path:
    """Return ``path``, or its nearest parent that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _is_synchronised() -> bool:
    """Return True if the kernel believes its clock, or cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return True
    return bool(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _TIME_ERROR)
