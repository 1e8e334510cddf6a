"""Control group of a container: its resource usage and limits, for version 1 (also hybrid) and version 2.

On version 2 before Linux 6.12 the peak cannot be reset. An execution that stays below an earlier peak of the same
container then reports the highest usage that was *sampled* while it ran.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from rlplatform.errors import SandboxFault, SandboxUnavailable

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")


class Task(NamedTuple):
    """A process or thread as the scheduler reports it.

    Seconds that it ran, and seconds that it waited for a core (known only once it runs again); True if it runs or waits
    at this moment.
    """

    ran_s: float
    waited_s: float
    is_runnable: bool


class Cgroup(Protocol):
    """Control group of one container, with its files held open.

    Memory is in bytes. Reading a removed group raises SandboxFault.
    """

    def begin(self) -> None:
        """Start a new execution: usage, peak and counters are measured from here."""

    def cpu_s(self) -> float:
        """Return the CPU seconds of all processes since :meth:`begin`."""

    def peak_bytes(self) -> int:
        """Return the highest memory usage since :meth:`begin`, minus the usage at that time."""

    def oom_kills(self) -> int:
        """Return the number of processes that the kernel killed for memory since :meth:`begin`."""

    def refused_tasks(self) -> int:
        """Return how often the kernel refused a new process or thread since :meth:`begin`, because of the limit on
        their number."""

    def usage_bytes(self) -> int:
        """Return the memory in use."""

    def tasks(self) -> int:
        """Return the number of processes and threads."""

    def tasks_by_id(self) -> dict[str, Task]:
        """Return every living process and thread, as the scheduler sees it."""

    def set_memory(self, limit: int) -> None:
        """Limit memory; swap is disabled."""

    def set_tasks(self, limit: int) -> None:
        """Limit the number of processes and threads."""

    def set_cpus(self, cpus: str) -> None:
        """Pin to ``cpus``, in cpuset notation."""

    def close(self) -> None:
        """Close the files."""


class _Files:
    """Files of a control group, opened on first use and read with ``pread``, and the scheduler's statistics of its
    processes."""

    def __init__(self, folders: dict[str, Path], proc: Path) -> None:
        self._folders, self._proc = folders, proc
        self._open: dict[str, int] = {}

    def read(self, name: str) -> str:
        try:
            if name not in self._open:
                self._open[name] = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._open[name], 4096, 0).decode()
        except OSError as error:
            raise SandboxFault(f"the sandbox's control group is gone: {error.strerror} ({name})") from error

    def write(self, name: str, value: str) -> None:
        try:
            with self.path(name).open("w") as stream:
                stream.write(value)
        except OSError as error:
            raise SandboxFault(f"cannot write {name} of the sandbox's control group: {error.strerror}") from error

    def path(self, name: str) -> Path:
        return self._folders[name.partition(".")[0]] / name

    def number(self, name: str) -> int:
        return int(self.read(name))

    def field(self, name: str, key: str) -> int:
        for line in self.read(name).splitlines():
            found, _, value = line.partition(" ")
            if found == key:
                return int(value)
        return 0

    def tasks(self, listing: str) -> dict[str, Task]:
        """Return the tasks that the file ``listing`` of the memory controller's folder names."""
        tasks: dict[str, Task] = {}
        with suppress(OSError):
            for task in (self._folders["memory"] / listing).read_text().split():
                with suppress(OSError, IndexError):
                    ran_ns, waited_ns, _ = (self._proc / task / "schedstat").read_text().split()
                    state = (self._proc / task / "stat").read_text().rpartition(")")[2].split()[0]
                    tasks[task] = Task(int(ran_ns) / 1e9, int(waited_ns) / 1e9, state == "R")
        return tasks

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()


class CgroupV1:
    """Control group of version 1: one hierarchy per controller."""

    def __init__(self, folders: dict[str, Path], proc: Path = PROC) -> None:
        self._files = _Files(folders, proc)
        self._cpu_ns = self._usage = self._kills = self._refused = 0
        self._swap = self._files.path("memory.memsw.limit_in_bytes").exists()

    def begin(self) -> None:
        self._files.write("memory.max_usage_in_bytes", "0")
        self._usage = self.usage_bytes()
        self._kills = self._files.field("memory.oom_control", "oom_kill")
        self._refused = self._files.field("pids.events", "max")
        self._cpu_ns = self._files.number("cpuacct.usage")

    def cpu_s(self) -> float:
        return (self._files.number("cpuacct.usage") - self._cpu_ns) / 1e9

    def peak_bytes(self) -> int:
        return max(0, self._files.number("memory.max_usage_in_bytes") - self._usage)

    def oom_kills(self) -> int:
        return self._files.field("memory.oom_control", "oom_kill") - self._kills

    def refused_tasks(self) -> int:
        return self._files.field("pids.events", "max") - self._refused

    def usage_bytes(self) -> int:
        return self._files.number("memory.usage_in_bytes")

    def tasks(self) -> int:
        return self._files.number("pids.current")

    def tasks_by_id(self) -> dict[str, Task]:
        return self._files.tasks("tasks")

    def set_memory(self, limit: int) -> None:
        names = ["memory.limit_in_bytes"]
        if self._swap:
            growing = limit > self._files.number("memory.limit_in_bytes")
            names.insert(0 if growing else 1, "memory.memsw.limit_in_bytes")
        for name in names:
            self._files.write(name, str(limit))

    def set_tasks(self, limit: int) -> None:
        self._files.write("pids.max", str(limit))

    def set_cpus(self, cpus: str) -> None:
        self._files.write("cpuset.cpus", cpus)

    def close(self) -> None:
        self._files.close()


class CgroupV2:
    """Control group of version 2: one hierarchy for all controllers."""

    def __init__(self, folder: Path, proc: Path = PROC) -> None:
        self._files = _Files(dict.fromkeys(("memory", "cpu", "pids", "cpuset"), folder), proc)
        self._peak = os.open(self._files.path("memory.peak"), os.O_RDWR | os.O_CLOEXEC)
        self._cpu_us = self._usage = self._kills = self._refused = 0
        self._old_peak = self._sampled = 0

    def begin(self) -> None:
        try:
            os.pwrite(self._peak, b"1", 0)
            self._old_peak = 0
        except OSError:
            self._old_peak = self._read_peak()
        self._usage = self._sampled = self.usage_bytes()
        self._kills = self._files.field("memory.events", "oom_kill")
        self._refused = self._files.field("pids.events", "max")
        self._cpu_us = self._files.field("cpu.stat", "usage_usec")

    def cpu_s(self) -> float:
        if self._old_peak:
            self._sampled = max(self._sampled, self.usage_bytes())
        return (self._files.field("cpu.stat", "usage_usec") - self._cpu_us) / 1e6

    def peak_bytes(self) -> int:
        peak = self._read_peak()
        return max(0, (peak if peak > self._old_peak else self._sampled) - self._usage)

    def oom_kills(self) -> int:
        return self._files.field("memory.events", "oom_kill") - self._kills

    def refused_tasks(self) -> int:
        return self._files.field("pids.events", "max") - self._refused

    def usage_bytes(self) -> int:
        return self._files.number("memory.current")

    def tasks(self) -> int:
        return self._files.number("pids.current")

    def tasks_by_id(self) -> dict[str, Task]:
        return self._files.tasks("cgroup.threads")

    def set_memory(self, limit: int) -> None:
        self._files.write("memory.max", str(limit))
        if self._files.path("memory.swap.max").exists():
            self._files.write("memory.swap.max", "0")

    def set_tasks(self, limit: int) -> None:
        self._files.write("pids.max", str(limit))

    def set_cpus(self, cpus: str) -> None:
        self._files.write("cpuset.cpus", cpus)

    def close(self) -> None:
        self._files.close()
        if self._peak >= 0:
            os.close(self._peak)
            self._peak = -1

    def _read_peak(self) -> int:
        try:
            return int(os.pread(self._peak, 64, 0))
        except OSError as error:
            raise SandboxFault(f"the sandbox's control group is gone: {error.strerror} (memory.peak)") from error


class Hierarchy:
    """Mount layout of control groups on this machine: ``layout`` is ``v1``, ``v1-hybrid`` or ``v2``.

    Raises:
        SandboxUnavailable: controllers that metering needs are missing.
    """

    def __init__(self, root: Path = ROOT, proc: Path = PROC) -> None:
        self._root, self._proc = root, proc
        if (root / "cgroup.controllers").is_file():
            self.layout = "v2"
            available = (root / "cgroup.controllers").read_text().split()
            wanted = {"memory", "cpu", "pids", "cpuset"}
        else:
            self.layout = "v1-hybrid" if (root / "unified").is_dir() else "v1"
            available = [folder.name for folder in root.iterdir()] if root.is_dir() else []
            wanted = {"memory", "cpuacct", "pids", "cpuset"}
        if missing := sorted(wanted - set(available)):
            raise SandboxUnavailable(
                f"control groups ({self.layout} at {root}) lack {', '.join(missing)}: tests cannot be metered"
            )

    def of(self, pid: int, container_id: str) -> Cgroup:
        """Return the control group of the process ``pid``.

        Raises:
            SandboxFault: the process is not in the container.
        """
        try:
            lines = (self._proc / str(pid) / "cgroup").read_text().splitlines()
        except OSError as error:
            raise SandboxFault(f"the sandbox's process {pid} is not to be seen: {error.strerror}") from error
        paths: dict[str, str] = {}
        for line in lines:
            _, controllers, path = line.split(":", 2)
            paths.update(dict.fromkeys(controllers.split(","), path.lstrip("/")))
        if container_id not in paths.get("" if self.layout == "v2" else "memory", ""):
            raise SandboxFault(f"process {pid} is not in the container {container_id[:12]}")
        if self.layout == "v2":
            return CgroupV2(self._root / paths[""], self._proc)
        folders = {name: self._root / name / paths[name] for name in ("memory", "cpuacct", "pids", "cpuset")}
        return CgroupV1(folders, self._proc)
