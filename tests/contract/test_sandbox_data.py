"""Files that programs can only read: shared by all runs of a submission, or of one run alone; on every tier."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from tests.conftest import MakePool

pytestmark = pytest.mark.docker

LIMITS = Limits(cpu_time_s=5, wall_time_s=20, memory_mib=64)
TIERS = [Tier.SINGLE_USE, Tier.JAIL, Tier.GVISOR]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of files, as a node has it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pools(make_pool: MakePool, folder: Path, request: pytest.FixtureRequest) -> Iterator[dict[Tier, DockerPool]]:
    pool = make_pool(f"data-{os.getpid()}", data_dir=folder / "mounts")
    yield {Tier.SINGLE_USE: pool, Tier.JAIL: pool}
    pool.close()
    assert not (folder / "mounts" / f"data-{os.getpid()}").exists()


@pytest.fixture(params=TIERS)
def opened(request: pytest.FixtureRequest) -> tuple[DockerPool, Tier]:
    tier: Tier = request.param
    pool = request.getfixturevalue("gvisor_pool") if tier is Tier.GVISOR else request.getfixturevalue("pools")[tier]
    return pool, tier


def cached(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    if not path.exists():
        path.write_bytes(content)
        path.chmod(0o444)
    return path


def run(pool: DockerPool, tier: Tier, source: str, data: dict[str, Path], *files: dict[str, Path]) -> list[Outcome]:
    """Run the program once for each of ``files``; return the outcomes."""
    sandbox = pool.open(Program({"main.py": source.encode()}, data=data), LIMITS, tier, "school")
    try:
        return [sandbox.run(Execution(LIMITS, files=own)) for own in files or ({},)]
    finally:
        sandbox.close()


def printed(outcome: Outcome) -> str:
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), (outcome.kind, outcome.stderr[-500:])
    return outcome.stdout.decode()


def test_data_is_read_from_its_path(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    content = bytes(range(256)) * 1000
    data = {"weights.bin": cached(folder, "w", content), "deep/er/x.txt": cached(folder, "x", b"text")}
    source = """
import hashlib
print(hashlib.sha256(open("weights.bin", "rb").read()).hexdigest(), open("deep/er/x.txt").read())
"""
    for outcome in run(*opened, source, data, {}, {}):
        assert printed(outcome) == f"{hashlib.sha256(content).hexdigest()} text\n"


def test_files_of_a_test_are_there_in_that_test_alone(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    first, second = cached(folder, "1", b"first"), cached(folder, "2", b"second")
    source = """
import os
print(open("own").read() if os.path.exists("own") else "-", open("all").read(), sorted(os.listdir("/data")))
print(os.stat("/data").st_mtime_ns)
"""
    data = {"all": cached(folder, "a", b"shared")}
    lines = [
        printed(outcome).splitlines() for outcome in run(*opened, source, data, {}, {"own": first}, {"own": second}, {})
    ]
    assert [line for line, _ in lines] == [
        "- shared ['d0']",
        "first shared ['d0', 't0']",
        "second shared ['d0', 't0']",
        "- shared ['d0']",
    ]
    if opened[1] is not Tier.GVISOR:
        assert len({when for _, when in lines[1:]}) == 1, "when earlier files came and went is not to be seen"


def test_a_later_submission_finds_nothing_of_an_earlier_one(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    source = "import os; print(os.listdir('/data'), os.listdir())"
    data = {"secret": cached(folder, "s", b"secret")}
    assert "secret" in printed(run(*opened, source, data, {"own": data["secret"]})[0])
    assert printed(run(*opened, source, {})[0]) == "[] ['main.py']\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "open('w', 'r+b')",
        "open('w', 'ab')",
        "open('/data/d0', 'wb')",
        "os.chmod('/data/d0', 0o777)",
        "os.truncate('w', 0)",
        "os.unlink('/data/d0')",
        "os.rename('/data/d0', '/data/x')",
        "os.symlink('/etc/passwd', '/data/x')",
        "open('/data/new', 'w')",
        "os.utime('w', (0, 0))",
        "os.link('/data/d0', '/data/hard')",
        "os.link('/data/d0', 'hard')",
        "os.execv('/data/d0', ['x'])",
        "os.setxattr('w', 'user.x', b'1')",
    ],
)
def test_data_cannot_be_changed(opened: tuple[DockerPool, Tier], folder: Path, attempt: str) -> None:
    kept = cached(folder, "kept", b"#!/bin/sh\necho executed\n")
    source = f"import os\ntry:\n    {attempt}\n    print('done')\nexcept OSError:\n    print('refused')\n"
    before = kept.stat()
    outcome, after = run(*opened, source, {"w": kept}, {}, {})
    assert printed(outcome) == printed(after) == "refused\n"
    assert kept.read_bytes() == b"#!/bin/sh\necho executed\n"
    assert (kept.stat().st_mode, kept.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_links_can_be_removed_and_are_there_again(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    source = "import os; print(open('w').read()); os.unlink('w'); open('w', 'w').write('mine'); print(open('w').read())"
    for outcome in run(*opened, source, {"w": cached(folder, "y", b"theirs")}, {}, {}):
        assert printed(outcome) == "theirs\nmine\n"


def test_modules_may_be_data(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    data = {"lib/__init__.py": cached(folder, "m", b"VALUE = 42\n")}
    (outcome,) = run(*opened, "import lib; print(lib.VALUE)", data)
    assert printed(outcome) == "42\n"


def test_weights_of_100_mib_cost_neither_time_nor_memory(opened: tuple[DockerPool, Tier], folder: Path) -> None:
    weights = folder / "large"
    if not weights.exists():
        weights.write_bytes(os.urandom(1 << 20) * 100)
        weights.chmod(0o444)
    pool, tier = opened
    run(pool, tier, "pass", {})
    started = time.monotonic()
    source = """
import os
print(os.stat("weights").st_size)
file = open("weights", "rb")
file.seek(99 << 20)
print(len(file.read(1000)))
"""
    (outcome,) = run(pool, tier, source, {"weights": weights})
    assert printed(outcome) == f"{100 << 20}\n1000\n"
    assert time.monotonic() - started < 5
    if tier is not Tier.GVISOR:
        whole = "size = 0\nf = open('weights', 'rb')\nwhile chunk := f.read(1 << 20): size += len(chunk)\nprint(size)"
        (outcome,) = run(pool, tier, whole, {"weights": weights})
        assert printed(outcome) == f"{100 << 20}\n", "reading all of it does not count against 64 MiB of memory"


def test_paths_are_checked(pools: dict[Tier, DockerPool], folder: Path) -> None:
    path = cached(folder, "p", b"")
    for data in (
        {"../x": path},
        {"/etc/passwd": path},
        {"main.py": path},
        {"main.py/x": path},
        {"a": path, "a/b": path},
    ):
        with pytest.raises(InvalidRequest):
            run(pools[Tier.JAIL], Tier.JAIL, "", data)


def test_what_dead_owners_left_is_removed(make_pool: MakePool, folder: Path) -> None:
    left = folder / "mounts" / "dead" / "data-0"
    left.mkdir(parents=True)
    pool = make_pool(f"data-later-{os.getpid()}", warm=0, data_dir=folder / "mounts")
    assert not left.exists()
    pool.close()
