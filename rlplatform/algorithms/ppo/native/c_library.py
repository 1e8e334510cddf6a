"""Find or compile the C kernels. If there are none, everything else still works, and ``why_no_kernel()`` says why.

A binary is compiled for a named level of the instruction set, never for "native". Its file name contains that level
and a hash of sources and flags. A level is loaded only if this machine has all its CPU flags, so that a binary made on
another machine cannot cause an illegal instruction. The binary is looked for in this folder, then in the user's cache.
Otherwise it is compiled into the cache, or, if the cache cannot be trusted or written, for this process alone.
``python -m rlplatform.algorithms.ppo.native.c_library`` compiles every level into this folder, for images without a
compiler.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_HERE = Path(__file__).parent
UNITS = (_HERE / "kernel.c", _HERE / "rollout.c")
SOURCES = (*UNITS, _HERE / "dense.h")
BESIDE = _HERE / "_build"
# hidden layers of a tower, outputs of the policy head, components of a MultiDiscrete action: the kernels' limits
MAX_DEPTH, MAX_OUTPUTS, MAX_COMPONENTS = 4, 256, 64
FLAGS = (
    "-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-fassociative-math",
    "-freciprocal-math", "-ffp-contract=fast", "-fPIC", "-shared",
    f"-DMAX_DEPTH={MAX_DEPTH}", f"-DMAX_OUTPUTS={MAX_OUTPUTS}", f"-DMAX_COMPONENTS={MAX_COMPONENTS}",
)  # fmt: skip
# level -> (CPU flags as Linux names them, compiler flags), best first
LEVELS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "avx512": (
        frozenset({"avx512f", "avx512dq", "avx512vl", "avx512bw", "avx2", "fma"}),
        ("-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mavx2", "-mfma", "-mprefer-vector-width=512"),
    ),
    "avx2": (frozenset({"avx2", "fma"}), ("-mavx2", "-mfma")),
    "generic": (frozenset(), ()),
}
COMPILE_TIMEOUT_S = 120.0


class Net(ctypes.Structure):
    """Structure ``Net`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("inputs", "shared", "relu", "kind", "outputs", "components")),
        ("depth", ctypes.c_int32 * 2),
        ("width", ctypes.c_int32 * MAX_DEPTH * 2),
        ("nvec", ctypes.c_int32 * MAX_COMPONENTS),
    ]


BATCH_NAMES = ("obs", "actions", "logp", "advantages", "returns", "values")


class CBatch(ctypes.Structure):
    """Structure ``Batch`` of ``kernel.c``."""

    _fields_ = [(name, ctypes.c_void_p) for name in BATCH_NAMES]


_FLOAT_SETTINGS = (
    "learning_rate", "clip_range", "clip_range_vf", "ent_coef", "vf_coef", "max_grad_norm",
    "beta1", "beta2", "epsilon", "kl_limit",
)  # fmt: skip


class CSettings(ctypes.Structure):
    """Structure ``Settings`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_float) for name in _FLOAT_SETTINGS),
        ("normalize_advantage", ctypes.c_int32),
    ]


class CStats(ctypes.Structure):
    """Structure ``Stats`` of ``kernel.c``."""

    _fields_ = [(name, ctypes.c_double) for name in ("policy", "value", "entropy", "kl", "clipped")]


class Library:
    """The loaded C library. Its functions release the GIL and are thread-safe: each thread brings its own workspace."""

    def __init__(self, path: Path, isa: str) -> None:
        self.path = path
        self.isa = isa
        dll = ctypes.CDLL(str(path))
        pointer, int64 = ctypes.c_void_p, ctypes.c_int64
        self.workspace = dll.ppo_workspace
        self.workspace.argtypes, self.workspace.restype = [pointer], int64
        self.backward = dll.ppo_backward
        self.backward.argtypes = [*[pointer] * 4, int64, *[pointer] * 2, int64, *[pointer] * 2]
        self.backward.restype = None
        self.step = dll.ppo_step
        self.step.argtypes, self.step.restype = [*[pointer] * 5, int64, int64], None
        self.minibatches = dll.ppo_minibatches
        self.minibatches.argtypes = [*[pointer] * 5, int64, *[pointer] * 4, int64, int64, *[pointer] * 3]
        self.minibatches.restype = int64
        self.act = dll.ppo_act
        self.act.argtypes, self.act.restype = [*[pointer] * 4, int64, *[pointer] * 3], None
        self.values = dll.ppo_values
        self.values.argtypes, self.values.restype = [*[pointer] * 3, int64, *[pointer] * 2], None
        real, single = ctypes.c_double, ctypes.c_float
        self.normalize = dll.ppo_normalize
        self.normalize.argtypes = [*[pointer] * 3, ctypes.c_int32, int64, int64, real, single, pointer]
        self.normalize.restype = None
        self.normalize_rewards = dll.ppo_normalize_rewards
        self.normalize_rewards.argtypes = [*[pointer] * 5, int64, real, real, single, pointer]
        self.normalize_rewards.restype = None
        self.gae = dll.ppo_gae
        self.gae.argtypes, self.gae.restype = [*[pointer] * 5, int64, int64, single, single, pointer], None


class CMoments(ctypes.Structure):
    """Structure ``Moments`` of ``rollout.c``."""

    _fields_ = [("mean", ctypes.c_void_p), ("var", ctypes.c_void_p), ("count", ctypes.c_double)]


class KernelUnavailable(Exception):
    """No binary fits this machine and none could be compiled; the message says why."""


_lock = threading.Lock()
_loaded: Library | KernelUnavailable | None = None


def load() -> Library:
    """Return the library, loaded (and compiled if necessary) once per process.

    Raises:
        KernelUnavailable: there is no library for this machine; says why.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            try:
                _loaded = _find_or_compile()
            except KernelUnavailable as error:
                _loaded = error
        if isinstance(_loaded, KernelUnavailable):
            raise _loaded
        return _loaded


def load_or_none() -> Library | None:
    """Return the library, or None if it is not available."""
    try:
        return load()
    except KernelUnavailable:
        return None


def why_no_kernel() -> str:
    """Return the reason why the library is not available on this machine; empty if it is."""
    try:
        load()
    except KernelUnavailable as error:
        return str(error)
    return ""


def cpu_flags() -> frozenset[str]:
    """Return this CPU's flags as Linux reports them; empty if they cannot be determined."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return frozenset()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.split(":", 1)[1].split())
    except OSError:
        pass
    return frozenset()


def usable_levels(flags: frozenset[str] | None = None) -> list[str]:
    """Return the levels whose binaries may run on this machine, best first."""
    flags = cpu_flags() if flags is None else flags
    return [level for level, (needed, _) in LEVELS.items() if needed <= flags]


def file_name(level: str) -> str:
    """Return the name of a level's binary. It changes with sources, compiler flags and kind of machine."""
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    digest.update(" ".join((*FLAGS, *LEVELS[level][1], platform.machine(), platform.system())).encode())
    return f"kernel-{level}-{digest.hexdigest()[:16]}.so"


def cache_directory() -> Path | None:
    """Return the folder that caches the user's binaries; None if it cannot be trusted or written."""
    try:
        directory = Path.home() / ".cache" / "rlplatform" / "kernels"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
        ours = status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return directory if ours and os.access(directory, os.W_OK) else None
    except (OSError, RuntimeError):
        return None


def compiler() -> str | None:
    """Return the path of a C compiler; None if there is none."""
    return next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def compile_level(level: str, directory: Path) -> Path:
    """Compile one level into ``directory``, atomically.

    Raises:
        KernelUnavailable: the compiler failed.
    """
    cc = compiler()
    if cc is None:
        raise KernelUnavailable("there is no C compiler (cc, gcc or clang) on the path")
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / file_name(level)
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=directory)
    os.close(handle)
    try:
        command = [cc, *FLAGS, *LEVELS[level][1], "-o", temporary, *map(str, UNITS), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
        if done.returncode:
            raise KernelUnavailable(f"{cc} failed: {done.stderr.strip()[-400:]}")
        Path(temporary).replace(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelUnavailable(f"compiling failed: {error}") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target


def _find_or_compile() -> Library:
    if platform.system() == "Windows" or sys.maxsize < 2**32:
        raise KernelUnavailable("64-bit Linux or macOS is needed")
    levels = usable_levels()
    can_compile = compiler() is not None
    wanted = levels[:1] if can_compile else levels
    if (library := _find(BESIDE, wanted)) is not None:
        return library
    cache = cache_directory()
    if cache is None:
        # a loaded library does not need its file
        with tempfile.TemporaryDirectory(prefix="rlplatform-kernel-") as folder:
            return _compile(levels[0], Path(folder))
    return _find(cache, wanted) or _compile(levels[0], cache)


def _find(directory: Path, levels: Sequence[str]) -> Library | None:
    for level in levels:
        path = directory / file_name(level)
        if path.is_file():
            with suppress(OSError, AttributeError):
                return Library(path, level)
    return None


def _compile(level: str, directory: Path) -> Library:
    path = compile_level(level, directory)
    try:
        return Library(path, level)
    except (OSError, AttributeError) as error:
        raise KernelUnavailable(f"the compiled kernel does not load: {error}") from error


if __name__ == "__main__":
    for name in LEVELS:
        if LEVELS[name][0] and platform.machine() not in ("x86_64", "AMD64"):
            continue
        sys.stdout.write(f"{compile_level(name, BESIDE)}\n")
