"""After the fork the child becomes the submission. Nothing of it is trusted once ``RUNNING`` was recorded.

What can be done once is done before the fork: each page that the child touches is a page to copy.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal's wrappers touch far more memory
import io
import os
import resource
import sys
from types import ModuleType
from typing import Any, NoReturn

from . import protocol
from .channel import read_all
from .finalization import Finalization
from .isolation import gvisor
from .isolation.kernel_calls import kernel
from .program import BOX, INTERRUPTED, Program, Request
from .records import RECORDS_FD, write

_GUEST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAX_DESCRIPTORS = 256
_TICKS_FACTOR = (
    2  # the kernel counts this limit in ticks, too many on a busy machine; the host measures, and stops first
)
_COMPILING, _RUNNING = protocol.record(protocol.COMPILING), protocol.record(protocol.RUNNING)
_finalization = Finalization()


def prepare() -> None:
    """Before any fork: make the interpreter look as the submission will find it."""
    for name in [name for name in sys.modules if name == __package__ or name.startswith(f"{__package__}.")]:
        del sys.modules[name]
    sys.path[:] = [BOX, *(path for path in sys.path if path != _GUEST)]
    sys.dont_write_bytecode = True
    sys.orig_argv[:] = ["python3"]
    sys.modules["__main__"] = ModuleType("__main__")
    ends = os.pipe()  # what the streams find out must fit pipes
    for descriptor, end in zip((0, 1, 2), (*ends, 1), strict=True):
        os.dup2(end, descriptor)
    sys.stdin = sys.__stdin__ = _text(0, "<stdin>", "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(1, "<stdout>", "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(2, "<stderr>", "w", "backslashreplace", line_buffering=True)  # type: ignore[misc]
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):  # a pipe of the runner could carry words from one execution to the next
        os.dup2(nothing, descriptor)
    for descriptor in (nothing, *ends):
        os.close(descriptor)
    _finalization.note()


class Start:
    """Beginning of the children of one submission, which run ``program``; ``language`` is one of ``LANGUAGES``."""

    def __init__(self, program: Program, language: ModuleType) -> None:
        self._program = program
        self._language = language
        self._modules: dict[bool, ModuleType] = {}
        self._stack_mib = 0
        os.chdir(BOX)
        sys.argv = [program.entry]
        sys.orig_argv[1:] = [program.entry]

    def prepare(self, order: dict[str, Any]) -> None:
        """Before a fork: make what ``order`` needs. Nothing of it can be changed by another child."""
        if order["call"] not in self._modules:
            self._modules[order["call"]] = self._language.make_module(self._program.entry, imported=order["call"])
        if order["memory_mib"] != self._stack_mib:
            self._stack_mib = order["memory_mib"]
            stack, hard = self._stack_mib << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]
            resource.setrlimit(resource.RLIMIT_STACK, (stack if hard < 0 else min(stack, hard), hard))

    def run_submission(self, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """Run the program as ``order`` says, and exit with its status."""
        program, language = self._program, self._language
        request = Request(read_all(descriptors.pop())) if order["call"] else None
        _confine(order)
        language.after_fork()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number, inheritable=number < RECORDS_FD)
        os.closerange(max(len(descriptors), RECORDS_FD + 1), _MAX_DESCRIPTORS)  # the runner's socket too
        program.unpack(order.get("links"))
        program.shadow()
        write(_COMPILING)
        compiled = language.compile_program(program)
        write(_RUNNING)
        status = language.run(compiled, self._modules.pop(order["call"]), request)  # nothing else holds it
        interrupted = status == INTERRUPTED
        status = _finalization.run(1 if interrupted else status)
        if interrupted:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)
        os._exit(status & 0xFF)


def _confine(order: dict[str, Any]) -> None:
    if kernel.is_gvisor:
        gvisor.restore_signals()
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.setsid()
    cpu = gvisor.CPU_LIMIT_S if kernel.is_gvisor else int(_TICKS_FACTOR * order["cpu_s"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))


def _text(descriptor: int, name: str, mode: str, errors: str, line_buffering: bool = False) -> io.TextIOWrapper:
    """A standard stream as CPython makes it: newlines are not translated."""
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    text = io.TextIOWrapper(buffer, encoding="utf-8", errors=errors, newline="\n", line_buffering=line_buffering)
    text.mode = mode  # type: ignore[misc]
    return text
