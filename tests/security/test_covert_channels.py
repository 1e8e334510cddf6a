"""Covert channels between tests of one submission: each is tried, on every tier.

Hidden tests' input must not reach the submitter through a later test whose output is shown.
"""

from __future__ import annotations

import json
import time

import pytest

from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

LIMITS = Limits(cpu_time_s=10, wall_time_s=30)
TIERS = [Tier.SINGLE_USE, Tier.JAIL, Tier.GVISOR]
VIEW = """
import json, os
def view():
    seen = {"pid": os.getpid(), "parent": os.getppid()}
    for folder in ("/box", "/tmp", "/dev/shm"):
        found = os.stat(folder)
        times = [found.st_atime_ns, found.st_mtime_ns]
        seen[folder] = [*times, found.st_mode, found.st_size, found.st_nlink, sorted(os.listdir(folder))]
        with open(folder + "/new", "w") as file: seen[folder].append(os.fstat(file.fileno()).st_ino)
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
    seen["child"] = child
    print(json.dumps(seen))
"""
LEAVE = {
    "times": "os.utime('/tmp', (n, n)); os.utime('/dev/shm', (n, n)); os.utime('/box', (n, n))",
    "files": "[open(f'/tmp/{i}', 'w') for i in range(n)]; [os.mkdir(f'/dev/shm/{i}') for i in range(n)]",
    "box": "[open(f'/box/{i}', 'w').close() for i in range(n)]",
    "anonymous": "[os.open('/tmp', os.O_TMPFILE | os.O_WRONLY) for i in range(n)]",
    "hidden": (
        "seen = os.stat('/tmp'); open(f'/tmp/{n}', 'w').close(); "
        "os.utime('/tmp', ns=(seen.st_atime_ns, seen.st_mtime_ns))"
    ),
    "replaced": "os.unlink('main.py'); os.mkdir('main.py'); [open(f'main.py/{i}', 'w').close() for i in range(n)]",
    "removed": "[(open('/tmp/x', 'w').close(), os.unlink('/tmp/x')) for i in range(100 * n)]",
    "processes": "[os.waitpid(os.fork() or os._exit(0), 0) for i in range(n)]",
    "many_processes": "[os.waitpid(os.fork() or os._exit(0), 0) for i in range(20 * n)]",
    "threads": "import threading; [threading.Thread(target=int).start() for i in range(n)]",
    "flags": "import fcntl; fcntl.ioctl(os.open('/tmp', 0), 0x40086602, bytes([0x40 * (1 + n // 5)] + [0] * 7))",
    "modes": "os.chmod('/tmp', 0o700 + n); os.chmod('/box', 0o700 + n)",
}
SHOW = (
    VIEW
    + """
import sys
n = int(input())
if n:
    try:
        exec(sys.argv[0] and LEAVE)
    except OSError as error:
        print("refused", error, file=sys.stderr)
else:
    view()
"""
)


def pool_of(request: pytest.FixtureRequest, tier: Tier) -> DockerPool:
    return request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool")


def shown(pool: DockerPool, tier: Tier, source: str, secrets: list[int], with_folder: bool = False) -> str:
    """Return the output of the test after those with ``secrets``."""
    files = {"main.py": source.encode()} | ({"lib/a.py": b""} if with_folder else {})
    sandbox = pool.open(Program(files), LIMITS, tier)
    try:
        for secret in secrets:
            assert sandbox.run(Execution(LIMITS, b"%d" % secret)).kind is OutcomeKind.EXITED
        outcome = sandbox.run(Execution(LIMITS, b"0"))
    finally:
        sandbox.close()
    assert outcome.kind is OutcomeKind.EXITED
    assert outcome.stdout, outcome.stderr
    seen: str = outcome.stdout.decode()
    return _without_own_clock(seen)


def _without_own_clock(seen: str) -> str:
    """Times that are of today, as those of the folders are when nobody sets them, are all the same."""
    view = json.loads(seen)
    for folder in ("/box", "/tmp", "/dev/shm"):
        view[folder][:2] = [abs(at - time.time_ns()) < 3600 * 10**9 for at in view[folder][:2]]
    return json.dumps(view)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("channel", sorted(LEAVE))
def test_no_number_passes_from_one_test_to_the_next(request: pytest.FixtureRequest, tier: Tier, channel: str) -> None:
    pool = pool_of(request, tier)
    source = f"LEAVE = {LEAVE[channel]!r}\n" + SHOW
    assert shown(pool, tier, source, [3]) == shown(pool, tier, source, [9])


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("channel", ["box", "replaced"])
def test_no_number_passes_where_the_program_has_a_folder(
    request: pytest.FixtureRequest, tier: Tier, channel: str
) -> None:
    pool = pool_of(request, tier)
    source = f"LEAVE = {LEAVE[channel]!r}\n" + SHOW
    assert shown(pool, tier, source, [3], with_folder=True) == shown(pool, tier, source, [9], with_folder=True)


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
@pytest.mark.parametrize("channel", ["times", "modes", "flags"])
def test_what_is_put_back_leaves_no_trace_at_all(request: pytest.FixtureRequest, tier: Tier, channel: str) -> None:
    pool = pool_of(request, tier)
    left = f"LEAVE = {LEAVE[channel]!r}\n" + SHOW
    nothing = f"LEAVE = {'pass'!r}\n" + SHOW
    assert shown(pool, tier, left, [3, 9]) == shown(pool, tier, nothing, [3, 9])


@pytest.mark.parametrize("tier", TIERS)
def test_a_long_history_is_one_of_files_and_none(request: pytest.FixtureRequest, tier: Tier) -> None:
    """Sandboxes that were replaced and sandboxes that were not show the same numbers."""
    pool = pool_of(request, tier)
    source = f"LEAVE = {LEAVE['many_processes']!r}\n" + SHOW
    assert shown(pool, tier, source, [1, 9, 2]) == shown(pool, tier, source, [9, 1, 1])


CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
python = os.open("/usr/bin/python3", os.O_RDONLY)
page = ctypes.create_string_buffer(4096)
vector = (ctypes.c_ulong * 2)(ctypes.addressof(page), 4096)
attempts = {
    "fadvise64": (221, python, 0, 0, 4), "readahead": (187, python, 0, 4096), "mincore": (27, 0x10000, 4096, page),
    "cachestat": (451, python, page, page, 0), "preadv2 NOWAIT": (327, python, vector, 1, 0, 0, 8),
    "madvise WILLNEED": (28, 0, 0, 3), "madvise COLD": (28, 0, 0, 20), "madvise PAGEOUT": (28, 0, 0, 21),
    "clock of the runner": (228, -14 & 0xFFFFFFFF, page), "timer on the runner": (222, -14 & 0xFFFFFFFF, None, page),
}
for name, call in attempts.items():
    ctypes.set_errno(0)
    if libc.syscall(*call) != -1 or ctypes.get_errno() not in (1, 38): print(name, ctypes.get_errno())
print("done")
"""


@pytest.mark.parametrize("tier", TIERS)
def test_no_call_probes_the_page_cache_or_the_runner(request: pytest.FixtureRequest, tier: Tier) -> None:
    sandbox = pool_of(request, tier).open(Program({"main.py": CALLS.encode()}), LIMITS, tier)
    outcome = sandbox.run(Execution(LIMITS))
    sandbox.close()
    assert outcome.stdout == b"done\n", outcome


USUAL = """
import multiprocessing, os, sqlite3, subprocess, sys, tempfile, threading, time, pathlib, mmap
with tempfile.NamedTemporaryFile() as file:
    file.write(b"x" * 100000); file.flush()
    mapped = mmap.mmap(file.fileno(), 0); assert mapped[5] == 120; mapped.close()
base = sqlite3.connect("/tmp/base"); base.execute("create table t (x)"); base.execute("insert into t values (1)")
base.commit(); assert base.execute("select * from t").fetchall() == [(1,)]; base.close()
assert subprocess.run([sys.executable, "-c", "print(2)"], capture_output=True).stdout == b"2\\n"
with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, 2]) == [1, 2]
assert time.process_time() > 0 and time.thread_time() > 0 and time.monotonic() > 0
pathlib.Path("notes.txt").write_text("x")
print(sorted(path.name for path in pathlib.Path(".").iterdir()), len(list(pathlib.Path("/tmp").iterdir())))
"""


@pytest.mark.parametrize("tier", TIERS)
def test_usual_programs_work_in_every_test(request: pytest.FixtureRequest, tier: Tier) -> None:
    sandbox = pool_of(request, tier).open(Program({"main.py": USUAL.encode()}), LIMITS, tier)
    outcomes = [sandbox.run(Execution(LIMITS)) for _ in range(3)]
    sandbox.close()
    for outcome in outcomes:
        assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0), outcome.stderr[-600:]
        assert outcome.stdout == b"['main.py', 'notes.txt'] 1\n"
