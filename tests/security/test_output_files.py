"""Output files of programs on every tier: what a path may lead to, and what hostile programs put in its place."""

from __future__ import annotations

from contextlib import closing

import pytest

from rlplatform.sandbox.models import (
    MAX_OUTPUT_FILE_BYTES,
    Call,
    Execution,
    FileFault,
    Limits,
    Outcome,
    OutcomeKind,
    Program,
    Tier,
)
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

LIMITS = Limits(cpu_time_s=5, wall_time_s=20, memory_mib=128)
TIERS = [Tier.SINGLE_USE, Tier.JAIL, Tier.GVISOR]


@pytest.fixture(params=TIERS)
def opened(request: pytest.FixtureRequest) -> tuple[DockerPool, Tier]:
    tier: Tier = request.param
    return request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool"), tier


def run(opened: tuple[DockerPool, Tier], source: str, *collect: str, runs: int = 1) -> list[Outcome]:
    pool, tier = opened
    with closing(pool.open(Program({"main.py": source.encode()}), LIMITS, tier, "school")) as sandbox:
        return [sandbox.run(Execution(LIMITS, collect=collect)) for _ in range(runs)]


def test_files_are_collected_byte_by_byte(opened: tuple[DockerPool, Tier]) -> None:
    source = """
import os
os.makedirs("plots/deep")
open("out.txt", "w").write("é\\n")
open("plots/deep/a.bin", "wb").write(bytes(range(256)) * 40000)
open("empty", "w")
left_open = open("left open", "w")
left_open.write("flushed at the end")
"""
    (outcome,) = run(opened, source, "out.txt", "plots/deep/a.bin", "empty", "left open", "main.py", "none")
    assert outcome.files == {
        "out.txt": "é\n".encode(),
        "plots/deep/a.bin": bytes(range(256)) * 40000,
        "empty": b"",
        "left open": b"flushed at the end",
        "main.py": source.encode(),
        "none": FileFault.MISSING,
    }


def test_a_function_call_collects_files_too(opened: tuple[DockerPool, Tier]) -> None:
    pool, tier = opened
    source = b"def solve(n):\n    open('out', 'w').write('x' * n)\n    return n\n"
    with closing(pool.open(Program({"main.py": source}), LIMITS, tier)) as sandbox:
        outcome = sandbox.run(Execution(LIMITS, call=Call("solve", [3]), collect=("out",)))
    assert (outcome.returned, outcome.files) == (b"3", {"out": b"xxx"})


@pytest.mark.parametrize(
    "attempt",
    [
        "os.symlink('/etc/passwd', 'out')",
        "os.symlink('main.py', 'out')",
        "os.symlink('out', 'out')",
        "os.symlink('/proc/1/environ', 'out')",
        "os.mkdir('out')",
    ],
)
def test_what_is_no_file_is_not_read(opened: tuple[DockerPool, Tier], attempt: str) -> None:
    source = f"import os\n{attempt}\n"
    for outcome in run(opened, source, "out", "main.py", runs=2):
        assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), outcome.stderr
        assert outcome.files == {"out": FileFault.NOT_REGULAR, "main.py": source.encode()}


def test_a_socket_is_not_read(opened: tuple[DockerPool, Tier]) -> None:
    source = "import socket\ntry:\n    socket.socket(1).bind('out')\nexcept OSError:\n    pass\n"
    (outcome,) = run(opened, source, "out")
    refused = FileFault.MISSING if opened[1] is Tier.JAIL else FileFault.NOT_REGULAR
    assert outcome.files == {"out": refused}


@pytest.mark.parametrize(
    "attempt", ["os.mkfifo('out')", "os.mknod('out')", "os.mknod('out', 0o20666, os.makedev(1, 5))"]
)
def test_pipes_and_devices_cannot_be_made(opened: tuple[DockerPool, Tier], attempt: str) -> None:
    source = f"import os\ntry:\n    {attempt}\nexcept OSError:\n    pass\n"
    (outcome,) = run(opened, source, "out")
    assert outcome.files["out"] in (FileFault.MISSING, b"")


def test_a_file_without_permissions_is_not_read(opened: tuple[DockerPool, Tier]) -> None:
    source = "import os\nopen('out', 'w').write('x')\nos.chmod('out', 0)\n"
    for outcome in run(opened, source, "out", runs=2):
        assert outcome.files == {"out": FileFault.UNREADABLE}


@pytest.mark.parametrize("size", [(16 << 20) + 1, 1 << 40])
def test_no_file_is_larger_than_what_a_file_may_have(opened: tuple[DockerPool, Tier], size: int) -> None:
    source = f"import os\nos.truncate(os.open('out', os.O_RDWR | os.O_CREAT), {size})\n"
    (outcome,) = run(opened, source, "out")
    assert outcome.files == {"out": b""}, "the system refuses the size"


@pytest.mark.parametrize("link", ["/", "/etc", "/tmp", "..", "."])
def test_folders_are_not_entered_through_links(opened: tuple[DockerPool, Tier], link: str) -> None:
    source = f"import os\nos.symlink({link!r}, 'sub')\nopen('/tmp/hostname', 'w').write('mine')\n"
    (outcome,) = run(opened, source, "sub/hostname", "sub/main.py", "sub/etc/passwd")
    assert set(outcome.files.values()) == {FileFault.NOT_REGULAR}


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "a/../../etc/passwd", "..", "."])
def test_paths_out_of_the_box_lead_nowhere_even_if_the_host_asks_for_them(
    opened: tuple[DockerPool, Tier], path: str
) -> None:
    source = "import os\nos.makedirs('a', exist_ok=True)\n"
    (outcome,) = run(opened, source, path)
    assert isinstance(outcome.files[path], FileFault)


def test_files_of_an_earlier_test_are_gone(opened: tuple[DockerPool, Tier]) -> None:
    source = """
import os
if os.path.exists("/tmp/again") or os.path.exists("out"):
    open("seen", "w")
open("out", "w").write("first")
open("/tmp/again", "w")
os.mkdir("d")
os.symlink("/tmp", "d/t")
"""
    for outcome in run(opened, source, "out", "seen", "d/t/again", runs=3):
        assert outcome.files == {"out": b"first", "seen": FileFault.MISSING, "d/t/again": FileFault.NOT_REGULAR}


def test_all_files_of_a_test_together_have_a_limit(opened: tuple[DockerPool, Tier]) -> None:
    source = """
def sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
sparse("a", 10 << 20)
sparse("b", 10 << 20)
sparse("c", 6 << 20)
"""
    (outcome,) = run(opened, source, "a", "b", "c")
    assert outcome.files == {"a": bytes(10 << 20), "b": FileFault.TOO_LARGE, "c": bytes(6 << 20)}
    assert MAX_OUTPUT_FILE_BYTES == 16 << 20


def test_processes_that_stay_behind_write_nothing_more(opened: tuple[DockerPool, Tier]) -> None:
    source = """
import os, time
open("out", "w").write("x")
ready, done = os.pipe()
if os.fork() == 0:
    os.setsid()
    os.write(done, b"x")
    while True:
        with open("out", "r+") as file:
            file.write("y" * 100000)
        os.rename("out", "other"); os.symlink("/etc/passwd", "out"); os.unlink("out"); os.rename("other", "out")
os.read(ready, 1)
time.sleep(0.05)
os._exit(0)
"""
    for outcome in run(opened, source, "out", runs=3):
        found = outcome.files["out"]
        assert found in (FileFault.MISSING, FileFault.NOT_REGULAR) or set(found) <= set(b"xy")
        assert b"root" not in (found if isinstance(found, bytes) else b"")


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "while True: pass", "raise SystemExit(0)"])
def test_files_are_collected_however_the_program_ends(opened: tuple[DockerPool, Tier], end: str) -> None:
    pool, tier = opened
    limits = LIMITS.model_copy(update={"cpu_time_s": 0.3})
    source = f"import os\nwith open('out', 'w') as file:\n    file.write('x')\n{end}\n"
    with closing(pool.open(Program({"main.py": source.encode()}), limits, tier)) as sandbox:
        assert sandbox.run(Execution(limits, collect=("out",))).files == {"out": b"x"}


def test_the_program_cannot_write_to_the_pipe_of_files(opened: tuple[DockerPool, Tier]) -> None:
    source = """
import os
for number in range(4, 300):
    try:
        os.write(number, b"F\\0\\0\\0\\1x" * 10)
        print(number)
    except OSError:
        pass
open("out", "w").write("mine")
"""
    (outcome,) = run(opened, source, "out")
    assert (outcome.files, outcome.stdout) == ({"out": b"mine"}, b"")


def test_a_program_that_takes_the_box_away_has_no_files(opened: tuple[DockerPool, Tier]) -> None:
    source = """
import os
open("out", "w").write("x")
os.mkdir("d")
open("d/x", "w")
os.chmod("d", 0)
os.chmod(".", 0)
"""
    for outcome in run(opened, source, "out", "d/x", runs=2):
        assert outcome.files == {"out": FileFault.UNREADABLE, "d/x": FileFault.UNREADABLE}
