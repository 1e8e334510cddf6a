"""Self-check: hostile programs and one good program in a real sandbox. Readiness and ``rlp doctor`` depend on it.

It shows that each part of the hardening works on this machine. It does not replace the hostile corpus of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rlplatform.errors import ServiceError
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier
from rlplatform.sandbox.ports import SandboxPool

_LIMITS = Limits(cpu_time_s=1.0, wall_time_s=3.0, memory_mib=64, output_kib=16, processes=8)


class CheckResult(NamedTuple):
    """One check: its name, True if it passed, and the meaning of a failure."""

    name: str
    ok: bool
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Canary:
    """A program, its expected outcome, and the meaning of any other outcome."""

    name: str
    source: str
    kind: OutcomeKind
    stdout: bytes
    meaning: str
    limits: Limits = _LIMITS
    linux_only: bool = False

    def judge(self, outcome: Outcome) -> CheckResult:
        """Compare ``outcome`` with the expected one."""
        if outcome.kind is self.kind and outcome.stdout == self.stdout:
            return CheckResult(self.name, True)
        seen = f"{outcome.kind.value}, output {outcome.stdout[:80]!r}, stderr {outcome.stderr[-160:]!r}"
        return CheckResult(self.name, False, f"{self.meaning} (seen: {seen})")


def _blocked(name: str, attempt: str, meaning: str, linux_only: bool = False) -> Canary:
    source = (
        f"import ctypes, os, resource, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"try:\n    done = {attempt}\nexcept OSError:\n    done = False\nprint('open' if done else 'closed')\n"
    )
    return Canary(name, source, OutcomeKind.EXITED, b"closed\n", meaning, linux_only=linux_only)


CANARIES = (
    Canary(
        "good program",
        "import json, math\nprint(json.dumps(math.comb(10, 5)))",
        OutcomeKind.EXITED,
        b"252\n",
        "an ordinary program does not run: rebuild the image with rlp sandbox build",
    ),
    Canary(
        "cpu time",
        "while True: pass",
        OutcomeKind.CPU_TIME_EXCEEDED,
        b"",
        "CPU time is not metered from the control group",
        Limits(cpu_time_s=0.3, wall_time_s=6.0),
    ),
    Canary(
        "wall time",
        "import time; time.sleep(60)",
        OutcomeKind.WALL_TIME_EXCEEDED,
        b"",
        "a program that sleeps is not stopped",
        Limits(cpu_time_s=0.2, wall_time_s=0.2),
    ),
    Canary(
        "memory",
        "x = bytearray(1 << 28)",
        OutcomeKind.MEMORY_EXCEEDED,
        b"",
        "the kernel does not enforce the memory limit, or its OOM counter cannot be read",
    ),
    Canary(
        "output",
        "while True: print('x' * 1000)",
        OutcomeKind.OUTPUT_EXCEEDED,
        ((b"x" * 1000 + b"\n") * 17)[: 16 << 10],
        "output is not capped",
    ),
    Canary(
        "processes",
        "import os, time\nn = 0\ntry:\n    while n < 100:\n        if os.fork() == 0: time.sleep(9)\n        n += 1\n"
        "except OSError: pass\nprint(n < 10)",
        OutcomeKind.EXITED,
        b"True\n",
        "the pids controller does not limit processes: a fork bomb would reach the host",
        linux_only=True,  # in gVisor a fork bomb is stopped by the memory limit
    ),
    Canary(
        "privileges",
        "import ctypes, os\nread = ctypes.CDLL(None).prctl\n"
        "held = [c for c in range(64) if read(23, c, 0, 0, 0) == 1]\n"
        "print(held, read(39, 0, 0, 0, 0), read(21, 0, 0, 0, 0), os.getuid() > 999)",
        OutcomeKind.EXITED,
        b"[] 1 2 True\n",
        "capabilities, no-new-privileges, seccomp or the user are not as created: check the engine's runtime",
    ),
    _blocked("network", "socket.socket(socket.AF_INET)", "sockets can be made: seccomp is not enforced"),
    _blocked("hypervisor socket", "socket.socket(40, socket.SOCK_STREAM)", "AF_VSOCK is open: seccomp is not enforced"),
    _blocked("io_uring", "libc.syscall(425, 4, ctypes.create_string_buffer(120)) >= 0", "io_uring is open"),
    _blocked(
        "runner's limits",
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (64, 64)) is not None",
        "a program can limit the runner, and so turn its failures into ours",
    ),
    _blocked("root file system", "open('/var/tmp/x', 'w') is not None", "the root file system can be written"),
    _blocked(
        "kernel tables",
        "bool(os.listdir('/sys'))",
        "/sys is not masked: the engine ignores MaskedPaths",
        linux_only=True,  # gVisor emulates /sys
    ),
)


def run_selfcheck(pool: SandboxPool, tier: Tier = Tier.SINGLE_USE, further: Sequence[Canary] = ()) -> list[CheckResult]:
    """Run every check, also those in ``further``, in a sandbox of its own, which takes some seconds.

    Never raises: our own failures are results, too.
    """
    gvisor = tier is Tier.GVISOR
    return [_check(pool, tier, canary) for canary in (*CANARIES, *further) if not (gvisor and canary.linux_only)]


def _check(pool: SandboxPool, tier: Tier, canary: Canary) -> CheckResult:
    try:
        sandbox = pool.open(Program({"main.py": canary.source.encode()}), canary.limits, tier)
        try:
            return canary.judge(sandbox.run(Execution(canary.limits)))
        finally:
            sandbox.close()
    except ServiceError as error:
        return CheckResult(canary.name, False, str(error))
