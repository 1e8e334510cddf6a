"""A hostile program takes all it can get of every resource that the kernel counts for a user of the host, or for the
host. A correct program of another tenant, in another container at the same time, does not notice."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import OWNER_LABEL, Engine
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

pytestmark = pytest.mark.docker

LIMITS = Limits(cpu_time_s=10, wall_time_s=60)
HOSTILE = {
    "pipe_buffers": """
import fcntl, os
ends = []
try:
    while True:
        ends.append(os.pipe())
        fcntl.fcntl(ends[-1][1], 1031, 1 << 20)
except OSError:
    pass
for _, end in ends:
    os.set_blocking(end, False)
    try:
        while os.write(end, bytes(65536)): pass
    except OSError:
        pass
""",
    "descriptors_in_flight": """
import array, socket
kept = []
try:
    while True:
        kept.append(socket.socketpair())
        for _ in range(8):
            socket.send_fds(kept[-1][0], [b"x"], [kept[-1][0].fileno()] * 8)
except OSError:
    pass
""",
    "pending_signals": """
import ctypes
libc = ctypes.CDLL(None)
made = ctypes.c_int()
for _ in range(300_000):
    if libc.syscall(222, 0, None, ctypes.byref(made)) != 0: break
""",
    "terminals": """
import os
kept = []
try:
    while True: kept.append(os.open("/dev/ptmx", os.O_RDWR))
except OSError:
    pass
""",
    "processes": """
import os, time
try:
    while os.fork(): pass
    time.sleep(60)
except OSError:
    pass
""",
    "watches": """
import os, select
kept = []
try:
    while True:
        poll = select.epoll()
        kept.append(poll)
        for other in kept[:-1]: poll.register(other)
except OSError:
    pass
""",
    "files": """
import os
kept = []
try:
    while True: kept.append(os.memfd_create("x"))
except OSError:
    pass
""",
}
TAKEN = "\nprint('taken', flush=True)\nimport time\ntime.sleep(60)\n"
CORRECT = """
import ctypes, fcntl, os, select, signal, socket, subprocess, sys, tempfile, threading
sizes = []
pipes = [os.pipe() for _ in range(8)]
for end, start in pipes:
    sizes.append(fcntl.fcntl(start, 1032))
    assert os.write(start, bytes(65536)) == 65536
assert sizes == [65536] * 8, sizes
one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [pipes[0][0]] * 100)
assert len(socket.recv_fds(other, 1, 100)[1]) == 100
libc, made = ctypes.CDLL(None, use_errno=True), ctypes.c_int()
for _ in range(100):
    assert libc.syscall(222, 0, None, ctypes.byref(made)) == 0, os.strerror(ctypes.get_errno())
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.sigpending() == {signal.SIGUSR1}
poll = select.epoll()
poll.register(one)
threads = [threading.Thread(target=int) for _ in range(8)]
for thread in threads: thread.start()
with tempfile.TemporaryFile() as file: file.write(bytes(1 << 20))
assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True).stdout == b"1\\n"
print("correct")
"""


@pytest.fixture(scope="module")
def pools(make_pool) -> Iterator[list[DockerPool]]:
    """Two evaluators on one node."""
    pools = [make_pool(f"tests-neighbour-{number}", warm=1, slots=4) for number in range(2)]
    yield pools
    for pool in pools:
        pool.close()


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL, Tier.GVISOR])
@pytest.mark.parametrize("resource", sorted(HOSTILE))
def test_what_one_tenant_takes_no_other_misses(
    request: pytest.FixtureRequest, pools: list[DockerPool], tier: Tier, resource: str
) -> None:
    gvisor = tier is Tier.GVISOR
    first, second = [request.getfixturevalue("gvisor_pool")] * 2 if gvisor else pools
    hostile = first.open(Program({"main.py": (HOSTILE[resource] + TAKEN).encode()}), LIMITS, tier, "hostile")
    taken = threading.Event()
    held = threading.Thread(target=_hold, args=(hostile, taken))
    held.start()
    try:
        assert taken.wait(60)
        correct = second.open(Program({"main.py": CORRECT.encode()}), LIMITS, tier, "correct")
        outcome = correct.run(Execution(LIMITS))
        correct.close()
    finally:
        hostile.cancel()
        held.join()
        hostile.close()
    assert (outcome.kind, outcome.stdout) == (OutcomeKind.EXITED, b"correct\n"), outcome.stderr[-500:]


def _hold(sandbox, taken: threading.Event) -> None:
    sandbox.run(Execution(LIMITS), None, lambda chunk: taken.set() if b"taken" in chunk else None)
    taken.set()


def test_no_two_living_containers_have_one_user(pools: list[DockerPool]) -> None:
    program = Program({"main.py": b"pass"})
    tiers = [Tier.SINGLE_USE, Tier.JAIL]
    sandboxes = [pool.open(program, LIMITS, tier, str(pool)) for pool in pools for tier in tiers]
    engine = Engine()
    users = [
        engine.api.inspect_container(entry.id)["Config"]["User"]
        for number in range(2)
        for entry in engine.list(**{OWNER_LABEL: f"tests-neighbour-{number}"})
    ]
    engine.close()
    for sandbox in sandboxes:
        sandbox.close()
    assert len(users) >= 4
    assert len(set(users)) == len(users)
    assert all(int(user.partition(":")[0]) >= 10_000 for user in users)


def test_a_user_is_taken_until_its_container_is_gone(make_pool, sandbox_state) -> None:
    settings = {"warm": 0, "slots": 2, "uids": "1777777777-1777777777"}
    first, second = (make_pool(f"tests-one-user-{number}", **settings) for number in range(2))
    program = Program({"main.py": b"import os, pwd\nprint(os.getuid() > 999, pwd.getpwuid(os.getuid()).pw_name)"})
    sandbox = first.open(program, LIMITS, Tier.SINGLE_USE)
    try:
        with pytest.raises(SandboxFault, match="no user id is free"):
            second.open(program, LIMITS, Tier.JAIL)
        assert sandbox.run(Execution(LIMITS)).stdout == b"True nobody\n", "the other pool must leave it alone"
    finally:
        sandbox.close()
        first.close()
        second.close()


def test_a_range_that_cannot_be_read_is_said_at_the_start(make_pool, pools: list[DockerPool], sandbox_state) -> None:
    with pytest.raises(Exception, match="RLP_SANDBOX__UIDS is '7'"):
        DockerPool(SandboxSettings(state_dir=sandbox_state, uids="7"), "tests-bad-range")
