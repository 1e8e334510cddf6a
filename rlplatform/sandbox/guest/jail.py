"""Tier *jail*: a jail of its own for each submission, inside a container that lives longer.

A jail has new user, pid, mount, network, IPC and UTS namespaces, a root file system of its own with nothing but
``/usr`` (read-only), a few devices and empty memory file systems, no capability, no ``/proc``, no ``/sys``; each
process of the submission carries a second seccomp filter. The zygote outside stays out of its sight.
"""

from __future__ import annotations

import json
import os
import signal

from . import kernel as k
from .bpf import assemble
from .channel import Channel
from .kernel import kernel

FORBIDDEN = frozenset(
    {"socket", "bind", "listen", "accept", "accept4", "connect", "pidfd_open", "seccomp"}
    | {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
)
_NAMESPACES = k.CLONE_NEWUSER | k.CLONE_NEWPID | k.CLONE_NEWNS | k.CLONE_NEWIPC | k.CLONE_NEWUTS | k.CLONE_NEWNET
_ROOT = "/tmp"
_FOLDERS = ("usr", "tmp", "box", "dev", "dev/shm", "etc", ".old")
_LINKS = ("bin", "lib", "lib64", "sbin")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MEMORY = {
    "tmp": "size=16m,nr_inodes=512,mode=1777",
    "box": "size=16m,nr_inodes=512,mode=700",
    "dev/shm": "size=8m,nr_inodes=64,mode=1777",
}


def load_filter() -> bytes:
    """The second filter, from the profile beside this module."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "seccomp-sandbox.json")) as stream:
        return assemble(json.load(stream), without=FORBIDDEN)


def enter(channel: Channel) -> bool:
    """Make a jail. In its first process: True, inside. In the process that made it: False, once the jail has ended."""
    kernel.set_dumpable(True)
    with open("/proc/self/oom_score_adj", "w") as stream:
        stream.write("1000")
    user, group = os.getuid(), os.getgid()
    kernel.unshare(_NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as stream:
            stream.write(text)
    first = os.fork()
    if first:
        channel.close()
        os.waitpid(first, 0)
        return False
    kernel.die_with_parent(signal.SIGKILL)
    _build()
    kernel.set_dumpable(False)
    return True


def _build() -> None:
    kernel.mount("none", "/", None, k.MS_REC | k.MS_PRIVATE)
    kernel.mount("jail", _ROOT, "tmpfs", k.MS_NOSUID | k.MS_NODEV, "size=64k,nr_inodes=64,mode=755")
    for folder in _FOLDERS:
        os.mkdir(f"{_ROOT}/{folder}")
    for link in _LINKS:
        if os.path.isdir(f"/usr/{link}"):
            os.symlink(f"usr/{link}", f"{_ROOT}/{link}")
    kernel.mount("/usr", f"{_ROOT}/usr", None, k.MS_BIND | k.MS_REC)
    for device in _DEVICES:
        with open(f"{_ROOT}/dev/{device}", "w"):
            pass
        kernel.mount(f"/dev/{device}", f"{_ROOT}/dev/{device}", None, k.MS_BIND)
    with open(f"{_ROOT}/etc/passwd", "w") as stream:
        stream.write(f"nobody:x:{os.getuid()}:{os.getgid()}::/box:/bin/sh\n")
    for folder, options in _MEMORY.items():
        kernel.mount("memory", f"{_ROOT}/{folder}", "tmpfs", k.MS_NOSUID | k.MS_NODEV | k.MS_NOEXEC, options)
    os.chdir(_ROOT)
    kernel.pivot_root(".", ".old")
    os.chdir("/")
    kernel.detach("/.old")
    os.rmdir("/.old")
    kernel.mount("", "/", None, k.MS_REMOUNT | k.MS_BIND | k.MS_RDONLY | k.MS_NOSUID | k.MS_NODEV)
    kernel.drop_capabilities()
