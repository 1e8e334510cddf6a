"""One hardened container with the guest in it: creation, start, loading of a program, and removal.

Not covered: faults of the host's kernel (tier *gvisor* protects from these), and CPU side channels between containers
that run at the same time.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import Engine, NameTaken, no_log, ulimits
from rlplatform.sandbox.execution.cgroups import Cgroup, Hierarchy
from rlplatform.sandbox.execution.control_channel import Channel, Rendezvous, memory_file
from rlplatform.sandbox.guest.program import pack
from rlplatform.sandbox.guest.protocol import DATA
from rlplatform.sandbox.models import Limits, Program, Tier
from rlplatform.sandbox.pool.data_folder import PROGRAM_DATA, DataFolder
from rlplatform.sandbox.pool.seccomp import Profile
from rlplatform.sandbox.pool.users import GROUP, Users

# A sandbox has one core, so libraries start no threads of their own: these would count as processes.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
FILE_BYTES = 16 << 20
_STACK_BYTES = 2 << 30  # address space below the stack; the memory limit decides how much a test can use
_BOOT_MEMORY = 512 << 20
_BOOT_TASKS = 64
_BOOT_TIMEOUT_S = 30.0
_ANSWER_TIMEOUT_S = 10.0
_TASK_SETTLE_S = 0.5
_DRAWS = 16
_KERNEL_TASKS = 512  # threads of gVisor itself, on the host

_MASKED_PATHS = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus",
    "/proc/buddyinfo",
    "/proc/cmdline",
    "/proc/config.gz",
    "/proc/diskstats",
    "/proc/driver",
    "/proc/dynamic_debug",
    "/proc/interrupts",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/partitions",
    "/proc/pressure",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/softirqs",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmstat",
    "/proc/zoneinfo",
    "/sys",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysvipc",
    "/proc/tty",
    "/dev/mqueue",
    "/dev/pts",  # pseudo-terminals are counted for the whole host
]
_READONLY_PATHS: list[str] = []  # everything that needs protection is masked


def _tmpfs(size: str, inodes: int, mode: str) -> str:
    return f"rw,noexec,nosuid,nodev,size={size},nr_inodes={inodes},mode={mode}"


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """Settings that all containers of a pool share."""

    image_digest: str
    runtime: str
    profile: Profile
    cpus: str
    labels: Mapping[str, str]
    lease_s: float
    tmpfs: Mapping[str, str]
    tier: Tier = Tier.SINGLE_USE

    @property
    def has_own_kernel(self) -> bool:
        """True if the container's processes do not run on the host's kernel, but in gVisor."""
        return self.tier is Tier.GVISOR

    @property
    def resting_tasks(self) -> int:
        """Number of tasks between executions: the zygote, and with a jail also its first process.

        With a kernel of its own, an upper bound.
        """
        if self.has_own_kernel:
            return _KERNEL_TASKS
        return 2 if self.tier is Tier.JAIL else 1

    def options(self, socket_directory: Path, data: Path, user: int) -> dict[str, Any]:
        """Return the arguments of the create call. Every line is a defence; README.md in this folder explains each."""
        return {
            "user": f"{user}:{GROUP}",
            "working_dir": "/box",
            "hostname": "box",
            "network_disabled": True,
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": "/box",
                "LANG": "C.UTF-8",
                "PYTHONHASHSEED": "0",
                **dict.fromkeys(_THREADS, "1"),
            },
            "labels": dict(self.labels),
            "host_config": {
                "network_mode": "none",
                "ipc_mode": "none",
                "cap_drop": ["ALL"],
                "read_only": True,
                "auto_remove": True,
                "init": False,
                "security_opt": ["no-new-privileges:true", f"seccomp={self.profile.text}"],
                "tmpfs": {path: f"{options},uid={user},gid={GROUP}" for path, options in self.tmpfs.items()},
                "mem_limit": _BOOT_MEMORY,
                "memswap_limit": _BOOT_MEMORY,
                "mem_swappiness": 0,
                "pids_limit": _BOOT_TASKS + self.resting_tasks,
                "oom_score_adj": 500,
                "cpu_period": 100_000,
                "cpu_quota": 100_000,
                "cpuset_cpus": self.cpus,
                "ulimits": ulimits(
                    nofile=256, fsize=FILE_BYTES, core=0, memlock=0, msgqueue=0, stack=(_STACK_BYTES, -1)
                ),
                "log_config": no_log(),
                "restart_policy": {"Name": "no"},
            },
            "raw_host_config": {
                "CgroupnsMode": "private",
                "Runtime": self.runtime,
                "MaskedPaths": _MASKED_PATHS,
                "ReadonlyPaths": _READONLY_PATHS,
                "Binds": [
                    f"{socket_directory}:/s:ro",
                    f"{socket_directory}/passwd:/etc/passwd:ro",
                    f"{data}:{DATA}:ro",
                ],
            },
        }


TMPFS = {
    "/tmp": _tmpfs("16m", 512, "1777"),
    "/box": _tmpfs("16m", 512, "0700"),
    "/dev/shm": _tmpfs("8m", 64, "1777"),
}


class Container:
    """A running container whose guest has answered."""

    def __init__(
        self,
        engine: Engine,
        container_id: str,
        user: int,
        channel: Channel,
        cgroup: Cgroup,
        recipe: ContainerSpec,
        data: DataFolder,
    ) -> None:
        self._engine = engine
        self.id, self.user = container_id, user
        self.channel = channel
        self.cgroup = cgroup
        self.data = data
        self.booted_at = time.monotonic()
        self._resting_tasks, self._cpus = recipe.resting_tasks, recipe.cpus
        self._tasks_show = not recipe.has_own_kernel
        self._memory_base = 0
        self._core: int | None = None
        self._applied: tuple[int, int] | None = None

    def is_alive(self) -> bool:
        """True if the guest is connected. An idle guest sends nothing, so that readable input means that it is gone."""
        poll = select.poll()
        poll.register(self.channel.fileno(), select.POLLIN)
        return not poll.poll(0)

    def ping(self) -> None:
        """Renew the guest's lease.

        Raises:
            SandboxFault: the guest is gone.
        """
        self.channel.send({"op": "ping"})

    def pin(self, core: int) -> None:
        """Restrict the container to ``core``."""
        if core != self._core:
            self.cgroup.set_cpus(str(core))
            self._core = core

    def unpin(self) -> None:
        """Let the container run on any core that sandboxes may use; it still has the time of one."""
        self.cgroup.set_cpus(self._cpus)
        self._core = None

    def load(self, program: Program, tests: int = 0, dirty: int = 0) -> None:
        """Send the submission's files to the guest, which stores them unparsed.

        Args:
            program: The submission.
            tests: Number of its tests that ran in other containers. The kernel's counters are set as if they had run
                here.
            dirty: Number of those tests that left traces in the counters.
        """
        links = self.data.add(program.data, PROGRAM_DATA)
        archive = memory_file(pack(program.files))
        try:
            order = {
                "op": "load",
                "language": program.language,
                "entry": program.entry,
                "skip": [tests, dirty],
                "links": links,
            }
            self.channel.send(order, [archive])
        finally:
            os.close(archive)
        if self.channel.expect("loaded", _ANSWER_TIMEOUT_S) is not True:
            raise SandboxFault("the sandbox did not take the program")
        self._memory_base = self.cgroup.usage_bytes()
        self._applied = None

    def apply(self, limits: Limits) -> None:
        """Set the kernel's limits for the next executions. Memory counts above the guest's own usage."""
        wanted = (limits.memory_mib << 20, limits.processes)
        if wanted != self._applied:
            self.cgroup.set_memory(self._memory_base + wanted[0])
            self.cgroup.set_tasks(self._resting_tasks + wanted[1])
            self._applied = wanted

    def is_quiet(self) -> bool:
        """True if only the guest runs, as required between executions.

        In gVisor the host cannot observe this: there the runner kills and reaps until no other process exists.
        """
        deadline = time.monotonic() + _TASK_SETTLE_S
        while self._tasks_show and self.cgroup.tasks() != self._resting_tasks:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def hang_up(self) -> None:
        """End the container by closing its socket: the guest exits with all processes, and the engine removes the
        container."""
        self.channel.close()
        self.cgroup.close()
        self.data.close()

    def destroy(self) -> None:
        """Kill the container, if the guest cannot be relied on to exit."""
        self.hang_up()
        self._engine.remove(self.id)


def start_container(
    engine: Engine,
    hierarchy: Hierarchy,
    recipe: ContainerSpec,
    users: Users,
    directory: Path,
    data_parent: Path | None = None,
) -> Container:
    """Create and start a container with a user id of its own, and wait until its guest is ready.

    Args:
        directory: where its socket is made.
        data_parent: where its folder of data is made; None: beside the socket.

    Raises:
        SandboxFault: the container could not be started; nothing is left of it.
    """
    container_id = None
    channel = None
    data = None
    try:
        data = DataFolder(data_parent or directory)
        with Rendezvous(directory) as rendezvous:
            container_id, user = _create(engine, recipe, users, rendezvous.directory, data.path)
            engine.start(container_id)
            channel = rendezvous.accept(_BOOT_TIMEOUT_S, partial(engine.is_running, container_id))
        if (channel.kernel == "gvisor") != recipe.has_own_kernel:
            raise SandboxFault(f"under the runtime {recipe.runtime!r} the kernel is {channel.kernel!r:.32}")
        if (
            not recipe.has_own_kernel and channel.peer_uid != user
        ):  # gVisor connects through a helper process with another user
            raise SandboxFault(f"a process of user {channel.peer_uid} answered in the sandbox's place")
        cgroup = hierarchy.of(channel.peer_pid, container_id)
        return Container(engine, container_id, user, channel, cgroup, recipe, data)
    except (SandboxFault, OSError) as error:
        if channel is not None:
            channel.close()
        if container_id is not None:
            engine.remove(container_id)
        if data is not None:
            data.close()
        if isinstance(error, OSError):
            raise SandboxFault(f"the sandbox's socket cannot be made in {directory}: {error}") from error
        raise


def _create(engine: Engine, recipe: ContainerSpec, users: Users, directory: Path, data: Path) -> tuple[str, int]:
    """Create a container whose user id no other container of the engine has; return its id and its user."""
    for _ in range(_DRAWS):
        user = users.draw()
        (directory / "passwd").write_text(f"nobody:x:{user}:{GROUP}::/box:/bin/sh\n")
        (directory / "passwd").chmod(0o644)
        command = ["/s/s", str(recipe.lease_s), recipe.tier.value]
        with suppress(NameTaken):
            options = recipe.options(directory, data, user)
            return engine.create(f"rlp-sandbox-{user}", recipe.image_digest, command, **options), user
    raise SandboxFault(f"no user id is free after {_DRAWS} draws: give a wider range (RLP_SANDBOX__UIDS)")
