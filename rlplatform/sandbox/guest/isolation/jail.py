"""Tier *jail*: a jail for each submission, inside a container that outlives it.

The zygote first moves into a user and mount namespace, the root of all jails. It holds nothing but ``/usr`` (read-only)
and a few devices. A jail is one process in new user, pid, mount, network, IPC and UTS namespaces on top of that root.
It has empty memory file systems, no capability, no ``/proc`` and no ``/sys``. A second seccomp filter binds it and all
its children. The zygote stays out of its sight.
"""

from __future__ import annotations

import json
import os
import signal

from ..protocol import DATA
from . import kernel_calls as k
from .kernel_calls import kernel
from .seccomp_filter import assemble
from .view import open_counter

FORBIDDEN = frozenset(
    {"socket", "bind", "listen", "accept", "accept4", "connect", "seccomp"}
    | {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
)
_GROUND = k.CLONE_NEWUSER | k.CLONE_NEWNS
_JAIL = k.CLONE_NEWUSER | k.CLONE_NEWPID | k.CLONE_NEWNS | k.CLONE_NEWIPC | k.CLONE_NEWUTS | k.CLONE_NEWNET
_ROOT = "/tmp"
_NOBODY = 65534
_FOLDERS = ("usr", "tmp", "box", "dev", "dev/shm", "etc", ".old", DATA[1:])
_LINKS = ("bin", "lib", "lib64", "sbin")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MEMORY = {
    "/tmp": "size=16m,nr_inodes=512,mode=1777",
    "/box": "size=16m,nr_inodes=512,mode=700",
    "/dev/shm": "size=8m,nr_inodes=64,mode=1777",
}


class JailRoot:
    """Root of all jails. Making one moves this process into it, for good.

    Raises:
        OSError: the kernel refuses a namespace or a mount.
    """

    def __init__(self) -> None:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seccomp-sandbox.json")
        with open(path) as stream:
            self._filter = k.Filter(assemble(json.load(stream), without=FORBIDDEN))
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
        self.counter = open_counter("/proc")
        kernel.set_dumpable(True)
        user, group = os.getuid(), os.getgid()
        kernel.unshare(_GROUND)
        self._map("self", user, group)
        _build_root()
        kernel.set_dumpable(False)

    def enter(self) -> int:
        """Make a jail: 0 in its first process, inside; in the zygote the pid of that process."""
        ready, go = os.pipe()
        kernel.set_dumpable(True)
        first = kernel.clone(_JAIL | signal.SIGCHLD)
        if first:
            kernel.set_dumpable(False)
            os.close(ready)
            self._map(str(first), _NOBODY, _NOBODY)
            os.close(go)
            return first
        os.close(go)
        os.read(ready, 1)
        os.close(ready)
        kernel.die_with_parent(signal.SIGKILL)
        self._write("self", "oom_score_adj", "1000")
        os.close(self._proc)
        for folder, options in _MEMORY.items():
            kernel.mount("memory", folder, "tmpfs", k.MS_NOSUID | k.MS_NODEV | k.MS_NOEXEC, options)
        kernel.drop_capabilities()
        kernel.filter_calls(self._filter)
        kernel.set_dumpable(False)
        return 0

    def _map(self, process: str, user: int, group: int) -> None:
        """Let ``user`` and ``group`` out here be nobody inside."""
        self._write(process, "setgroups", "deny")
        self._write(process, "uid_map", f"{_NOBODY} {user} 1")
        self._write(process, "gid_map", f"{_NOBODY} {group} 1")

    def _write(self, process: str, name: str, text: str) -> None:
        descriptor = os.open(f"{process}/{name}", os.O_WRONLY, dir_fd=self._proc)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _build_root() -> None:
    kernel.mount("none", "/", None, k.MS_REC | k.MS_PRIVATE)
    kernel.mount("jail", _ROOT, "tmpfs", k.MS_NOSUID | k.MS_NODEV, "size=64k,nr_inodes=64,mode=755")
    for folder in _FOLDERS:
        os.mkdir(f"{_ROOT}/{folder}")
    for link in _LINKS:
        if os.path.isdir(f"/usr/{link}"):
            os.symlink(f"usr/{link}", f"{_ROOT}/{link}")
    kernel.mount("/usr", f"{_ROOT}/usr", None, k.MS_BIND | k.MS_REC)
    kernel.mount(DATA, f"{_ROOT}{DATA}", None, k.MS_BIND)
    for device in _DEVICES:
        with open(f"{_ROOT}/dev/{device}", "w"):
            pass
        kernel.mount(f"/dev/{device}", f"{_ROOT}/dev/{device}", None, k.MS_BIND)
    with open(f"{_ROOT}/etc/passwd", "w") as stream:
        stream.write(f"nobody:x:{_NOBODY}:{_NOBODY}::/box:/bin/sh\n")
    os.chdir(_ROOT)
    kernel.pivot_root(".", ".old")
    os.chdir("/")
    kernel.detach("/.old")
    os.rmdir("/.old")
    kernel.mount("", "/", None, k.MS_REMOUNT | k.MS_BIND | k.MS_RDONLY | k.MS_NOSUID | k.MS_NODEV)
