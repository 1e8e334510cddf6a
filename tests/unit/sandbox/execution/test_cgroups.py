"""Metering and limits on trees of files that look like each version of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.execution.cgroups import CgroupV1, CgroupV2, Hierarchy, Task

CONTAINER = "c" * 64


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    root = tmp_path / "cgroup"
    (root / "unified").mkdir(parents=True)
    group = Path("docker", CONTAINER)
    write(
        root / "memory" / group,
        memory__usage_in_bytes=1000,
        memory__max_usage_in_bytes=9000,
        memory__limit_in_bytes=1 << 20,
    )
    write(
        root / "memory" / group,
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 2",
        cgroup__procs="10\n11",
    )
    write(root / "memory" / group, memory__memsw__limit_in_bytes=1 << 20)
    write(root / "cpuacct" / group, cpuacct__usage=5_000_000_000)
    write(root / "pids" / group, pids__current=1, pids__max=64, pids__events="max 7")
    write(root / "cpuset" / group, cpuset__cpus="0-1")
    return root


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    root = tmp_path / "cgroup"
    write(root, cgroup__controllers="cpuset cpu io memory pids")
    group = root / "system.slice" / f"docker-{CONTAINER}.scope"
    write(group, memory__current=1000, memory__peak=9000, memory__max="max", memory__swap__max="max", pids__current=1)
    write(
        group,
        memory__events="low 0\noom 1\noom_kill 2",
        cpu__stat="usage_usec 5000000\nuser_usec 1",
        pids__max=64,
        pids__events="max 7",
    )
    write(group, cpuset__cpus="", cgroup__procs="10\n11")
    return root


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    proc = tmp_path / "proc"
    for pid, waited_ns in ((10, 9_000_000_000), (11, 1_500_000_000)):
        write(proc / str(pid), schedstat=f"500000000 {waited_ns} 7", stat=f"{pid} (a) b) R 1")
    return proc


def test_version_1_is_metered_from_the_beginning_of_an_execution(v1: Path, proc: Path) -> None:
    write(
        proc / "7",
        cgroup="\n".join(
            f"{n}:{c}:/docker/{CONTAINER}" for n, c in enumerate(["memory", "cpuacct,cpu", "pids", "cpuset"])
        ),
    )
    hierarchy = Hierarchy(v1, proc)
    assert hierarchy.layout == "v1-hybrid"
    cgroup = hierarchy.of(7, CONTAINER)
    assert isinstance(cgroup, CgroupV1)
    cgroup.begin()
    memory = v1 / "memory" / "docker" / CONTAINER
    assert (memory / "memory.max_usage_in_bytes").read_text() == "0"
    write(memory, memory__max_usage_in_bytes=4000, memory__oom_control="oom_kill 3")
    write(v1 / "cpuacct" / "docker" / CONTAINER, cpuacct__usage=5_250_000_000)
    assert (cgroup.peak_bytes(), cgroup.oom_kills(), cgroup.cpu_s(), cgroup.tasks()) == (3000, 1, 0.25, 1)
    write(v1 / "pids" / "docker" / CONTAINER, pids__events="max 9")
    assert cgroup.refused_tasks() == 2
    cgroup.close()


@pytest.mark.parametrize("limit", [1 << 19, 1 << 21])
def test_version_1_limits_memory_and_swap_together(v1: Path, limit: int) -> None:
    cgroup = CgroupV1({name: v1 / name / "docker" / CONTAINER for name in ("memory", "cpuacct", "pids", "cpuset")})
    cgroup.set_memory(limit)
    memory = v1 / "memory" / "docker" / CONTAINER
    assert {(memory / f"memory{kind}.limit_in_bytes").read_text() for kind in ("", ".memsw")} == {str(limit)}
    cgroup.close()


def test_version_2_is_metered_from_the_beginning_of_an_execution(v2: Path, proc: Path) -> None:
    write(proc / "7", cgroup=f"0::/system.slice/docker-{CONTAINER}.scope")
    hierarchy = Hierarchy(v2, proc)
    assert hierarchy.layout == "v2"
    cgroup = hierarchy.of(7, CONTAINER)
    assert isinstance(cgroup, CgroupV2)
    cgroup.begin()
    group = v2 / "system.slice" / f"docker-{CONTAINER}.scope"
    write(group, memory__events="oom_kill 3", cpu__stat="usage_usec 5250000")
    (group / "memory.peak").write_text("4000\n")
    assert (cgroup.peak_bytes(), cgroup.oom_kills(), cgroup.cpu_s(), cgroup.tasks()) == (3000, 1, 0.25, 1)
    cgroup.set_memory(5000)
    cgroup.set_tasks(9)
    cgroup.set_cpus("1")
    assert [(group / n).read_text() for n in ("memory.max", "memory.swap.max", "pids.max", "cpuset.cpus")] == [
        "5000",
        "0",
        "9",
        "1",
    ]
    cgroup.close()


def test_version_2_samples_where_the_peak_cannot_be_reset(v2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = v2 / "system.slice" / f"docker-{CONTAINER}.scope"
    cgroup = CgroupV2(group)
    (group / "memory.peak").write_text("9000\n")

    def refuse(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("os.pwrite", refuse)
    cgroup.begin()
    write(group, memory__current=3500)
    cgroup.cpu_s()
    write(group, memory__current=1200)
    assert cgroup.peak_bytes() == 2500, "what was sampled, above what was used at the beginning"
    write(group, memory__peak=12000)
    assert cgroup.peak_bytes() == 11000, "a new peak is exact"
    cgroup.close()


def test_run_delays_are_those_of_every_living_task(v1: Path, v2: Path, proc: Path) -> None:
    folders = {name: v1 / name / "docker" / CONTAINER for name in ("memory", "cpuacct", "pids", "cpuset")}
    write(folders["memory"], tasks="10\n11\n12")
    first = CgroupV1(folders, proc)
    group = v2 / "system.slice" / f"docker-{CONTAINER}.scope"
    write(group, cgroup__threads="10\n11\n12")
    second = CgroupV2(group, proc)
    assert first.tasks_by_id() == second.tasks_by_id() == {"10": Task(0.5, 9.0, True), "11": Task(0.5, 1.5, True)}
    first.close()
    second.close()


def test_a_group_without_tasks_waits_for_nothing(v1: Path, proc: Path) -> None:
    cgroup = CgroupV1({name: v1 / name / "nowhere" for name in ("memory", "cpuacct", "pids", "cpuset")}, proc)
    assert cgroup.tasks_by_id() == {}
    cgroup.close()


def test_a_group_that_is_gone_is_our_fault(v1: Path) -> None:
    cgroup = CgroupV1({name: v1 / name / "nowhere" for name in ("memory", "cpuacct", "pids", "cpuset")})
    with pytest.raises(SandboxFault, match="is gone"):
        cgroup.tasks()
    with pytest.raises(SandboxFault, match="cannot write"):
        cgroup.set_tasks(1)
    cgroup.close()


def test_a_process_of_another_container_is_refused(v1: Path, proc: Path) -> None:
    write(proc / "7", cgroup="4:memory:/docker/other")
    with pytest.raises(SandboxFault, match="not in the container"):
        Hierarchy(v1, proc).of(7, CONTAINER)
    with pytest.raises(SandboxFault, match="not to be seen"):
        Hierarchy(v1, proc).of(99, CONTAINER)


def test_missing_controllers_are_named(tmp_path: Path) -> None:
    write(tmp_path, cgroup__controllers="cpu pids")
    with pytest.raises(SandboxUnavailable, match="lack cpuset, memory"):
        Hierarchy(tmp_path)
    with pytest.raises(SandboxUnavailable, match="lack cpuacct, cpuset, memory, pids"):
        Hierarchy(tmp_path / "nowhere")
