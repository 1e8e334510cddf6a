"""The few system calls that the standard library does not offer."""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 1, 4, 22, 24
_SECCOMP_MODE_FILTER = 2
_MNT_DETACH = 2
_THREAD_ATTRIBUTES = 64  # bytes of a pthread_attr_t, rounded up
_KERNEL_LOG_READ, _KERNEL_LOG_BYTES = 3, 1 << 16
_SYS_CLONE, _SYS_CAPSET, _SYS_PIVOT_ROOT = 56, 126, 155
_TOUCH = 0x100 | 0x4000 | 17  # CLONE_VM, CLONE_VFORK, SIGCHLD
_STACK_BYTES = 1 << 14
_CAPABILITY_VERSION_3 = 0x20080522


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Filter:
    """A BPF program as the kernel takes it; made once, used in many processes."""

    def __init__(self, program: bytes) -> None:
        self._instructions = ctypes.create_string_buffer(program, len(program))
        self._program = _FilterProgram(len(program) // 8, ctypes.cast(self._instructions, ctypes.c_void_p))
        self.pointer = ctypes.byref(self._program)


class _Kernel:
    """Each call raises OSError when it fails."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._interpreter = ctypes.PyDLL(None, use_errno=True)  # calls that must not let go of the interpreter's lock
        self._nothing = ctypes.cast(self._libc.getppid, ctypes.c_void_p)
        self._stack = ctypes.create_string_buffer(_STACK_BYTES)
        self._stack_top = ctypes.c_void_p((ctypes.addressof(self._stack) + _STACK_BYTES) & ~15)
        self._capabilities = ctypes.create_string_buffer(struct.pack("II", _CAPABILITY_VERSION_3, 0))
        self._no_capabilities = ctypes.create_string_buffer(24)
        self._fflush = self._interpreter.fflush
        self._fflush(None)
        self.is_gvisor = self._log_names(b"Starting gVisor")

    def set_dumpable(self, dumpable: bool) -> None:
        """Let other processes of the same user look into this one (``/proc/<pid>/mem``, ptrace), or forbid it."""
        self._check(self._libc.prctl(_PR_SET_DUMPABLE, int(dumpable), 0, 0, 0), "dumpable")

    def die_with_parent(self, signal: int) -> None:
        self._check(self._libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "pdeathsig")

    def fork(self) -> int:
        """Like ``os.fork``, in a process of one thread, without what Python does in a child by itself: that touches,
        and so copies, more memory than all the rest of a small child."""
        pid: int = self._interpreter._Fork()
        self._check(pid, "fork")
        return pid

    def touch_pid(self) -> int:
        """Take a process id and give it back: a process in this one's memory does nothing but end, which is waited for.
        It is the id."""
        pid: int = self._interpreter.clone(self._nothing, self._stack_top, _TOUCH, None)
        self._check(pid, "clone")
        os.waitpid(pid, 0)
        return pid

    def unshare(self, flags: int) -> None:
        self._check(self._libc.unshare(flags), "unshare")

    def clone(self, flags: int) -> int:
        """Like fork, into new namespaces: 0 in the child, its pid in the parent. There must be one thread."""
        pid: int = self._interpreter.syscall(_SYS_CLONE, ctypes.c_ulong(flags), None, None, None, None)
        self._check(pid, "clone")
        return pid

    def mount(self, source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
        encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
        self._check(self._libc.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]), f"mount {target}")

    def pivot_root(self, new: str, old: str) -> None:
        self._check(self._libc.syscall(_SYS_PIVOT_ROOT, new.encode(), old.encode()), "pivot_root")

    def detach(self, target: str) -> None:
        """Unmount, now or as soon as nobody uses it."""
        self._check(self._libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")

    def drop_capabilities(self) -> None:
        """All of them, for good."""
        capability, prctl = 0, self._libc.prctl
        while prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
            capability += 1
        self._check(self._libc.syscall(_SYS_CAPSET, self._capabilities, self._no_capabilities), "capset")

    def filter_calls(self, program: Filter) -> None:
        """Install ``program`` as a seccomp filter of this process."""
        self._check(self._libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program.pointer, 0, 0), "seccomp")

    def set_thread_stack(self, size: int) -> None:
        """Stack of the threads to come, in bytes: the C library takes it from the main thread's, which is larger."""
        attributes = ctypes.create_string_buffer(_THREAD_ATTRIBUTES)
        self._libc.pthread_attr_init(attributes)
        self._libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(size))
        self._libc.pthread_setattr_default_np(attributes)

    def flush(self) -> None:
        """Flush the streams of the C library."""
        self._fflush(None)

    def _log_names(self, name: bytes) -> bool:
        """gVisor says in its log what it is; that of Linux cannot be read from a container."""
        log = ctypes.create_string_buffer(_KERNEL_LOG_BYTES)
        return self._libc.klogctl(_KERNEL_LOG_READ, log, _KERNEL_LOG_BYTES) > 0 and name in log.raw

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{what}: {os.strerror(number)}")


kernel = _Kernel()
