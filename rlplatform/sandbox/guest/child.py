"""After the fork the child becomes the submission. Nothing of it is trusted once ``RUNNING`` was recorded.

What can be done once is done before the fork: each page that the child touches is a page to copy.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal's wrappers touch far more memory
import builtins
import dis
import io
import json
import os
import resource
import sys
import traceback
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from . import gvisor, protocol, values
from .channel import read_all
from .finalization import Finalization
from .kernel import kernel
from .preload import reseed
from .program import BOX, Program

_RECORDS = 3
_INTERRUPTED = 256  # no exit status: KeyboardInterrupt was not caught
_GUEST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAX_DESCRIPTORS = 256
_TICKS_FACTOR = (
    2  # the kernel counts this limit in ticks, too many on a busy machine; the host measures, and stops first
)
_COMPILING, _RUNNING = protocol.record(protocol.COMPILING), protocol.record(protocol.RUNNING)
_finalization = Finalization()
_ALLOCATION_IS_SUBMISSIONS_OWN = frozenset({"RAISE_VARARGS", "RERAISE"})


class Request:
    """A function call that the host asks for."""

    def __init__(self, data: bytes) -> None:
        nonce, function, args, kwargs = data.split(b"\n")
        self.nonce = nonce
        self.function = function.decode()
        self.args = values.decode(args)
        self.kwargs = values.decode(kwargs)


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
    """Beginning of the children of one submission, which run ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._modules: dict[bool, ModuleType] = {}
        self._stack_mb = 0
        os.chdir(BOX)
        sys.argv = [program.entry]
        sys.orig_argv[1:] = [program.entry]

    def prepare(self, order: dict[str, Any]) -> None:
        """Before a fork: make what ``order`` needs. Nothing of it can be changed by another child."""
        if order["call"] not in self._modules:
            self._modules[order["call"]] = _main_module(self._program.entry, imported=order["call"])
        if order["memory_mb"] != self._stack_mb:
            self._stack_mb = order["memory_mb"]
            stack, hard = self._stack_mb << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]
            resource.setrlimit(resource.RLIMIT_STACK, (stack if hard < 0 else min(stack, hard), hard))

    def become(self, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """Run the program as ``order`` says, and exit with its status."""
        program = self._program
        request = Request(read_all(descriptors.pop())) if order["call"] else None
        _confine(order)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number, inheritable=number < _RECORDS)
        os.closerange(_RECORDS + 1, _MAX_DESCRIPTORS)  # the runner's socket too
        program.unpack(order.get("links"))
        program.shadow()
        _write(_COMPILING)
        code = _compile(program)
        _write(_RUNNING)
        status = _guarded(code, self._modules.pop(order["call"]), request)  # nothing else holds it
        interrupted = status == _INTERRUPTED
        status = _finalization.run(1 if interrupted else status)
        if interrupted:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)
        os._exit(status & 0xFF)


def _main_module(entry: str, imported: bool) -> ModuleType:
    """The submission's module: ``__main__``, or one that is imported so that its functions can be called. The collector
    must not pass over it: make it after the last freeze."""
    path = f"{BOX}/{entry}"
    name = entry.rpartition("/")[2].removesuffix(".py") if imported else "__main__"
    module = ModuleType(name)
    module.__loader__ = loader = SourceFileLoader(name, path)
    module.__file__ = path
    module.__dict__.update(__annotations__={}, __builtins__=builtins, __cached__=None)
    if imported:
        module.__spec__ = spec_from_loader(name, loader)
        module.__package__ = ""
    return module


def _confine(order: dict[str, Any]) -> None:
    if kernel.is_gvisor:
        gvisor.restore_signals()
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.setsid()
    cpu = gvisor.CPU_LIMIT_S if kernel.is_gvisor else int(_TICKS_FACTOR * order["cpu_s"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    reseed()


def _text(descriptor: int, name: str, mode: str, errors: str, line_buffering: bool = False) -> io.TextIOWrapper:
    """A standard stream as CPython makes it: newlines are not translated."""
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    text = io.TextIOWrapper(buffer, encoding="utf-8", errors=errors, newline="\n", line_buffering=line_buffering)
    text.mode = mode  # type: ignore[misc]
    return text


def _compile(program: Program) -> CodeType:
    code = None
    for path in program.sources:
        try:
            compiled = compile(program.files[path], path, "exec", dont_inherit=True)
        except BaseException as error:
            _refuse(path, error)
        code = code or compiled
    assert code is not None
    return code


def _refuse(path: str, error: BaseException) -> NoReturn:
    line = getattr(error, "lineno", None)
    message = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
    fault = {"file": path, "line": line if type(line) is int else None, "message": message[:500]}
    traceback.print_exception(type(error), error, None)
    sys.stderr.flush()
    _record(protocol.COMPILE_FAILED, json.dumps(fault).encode())
    os._exit(1)


def _guarded(code: CodeType, module: ModuleType, request: Request | None) -> int:
    """Run ``code`` and return its exit status: what an error means to CPython's own main program."""
    try:
        _work(code, module, request)
    except SystemExit as leaving:
        return _exit_status(leaving)
    except BaseException as error:
        error.__traceback__ = _own_frames(error.__traceback__)
        return _show(error)
    return 0


def _show(error: BaseException) -> int:
    if isinstance(error, MemoryError) and _was_refused(error.__traceback__):
        _record(protocol.MEMORY_REFUSED)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit as leaving:
        return _exit_status(leaving)
    except BaseException as failure:
        _show_failed_hook(failure, error)
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _show_failed_hook(failure: BaseException, error: BaseException) -> None:
    try:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(failure), failure, failure.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
    except BaseException:
        return


def _exit_status(leaving: SystemExit) -> int:
    code = leaving.code
    if code is None:
        return 0
    if isinstance(code, int):
        number = int.__index__(code)
        return number & 0xFF if -(1 << 63) <= number < 1 << 63 else 0xFF
    with suppress(BaseException):
        if sys.stderr is not None:
            print(code, file=sys.stderr)
    return 1


def _work(code: CodeType, module: ModuleType, request: Request | None) -> None:
    sys.modules.pop(module.__name__, None)
    sys.modules[module.__name__] = module  # at the end, where the finalization looks
    names = module.__dict__
    exec(code, names)
    if request is None:
        return
    name = request.function
    function = names.get(name)
    if not callable(function):
        _complain(f"{module.__file__} defines no function {name!r}")
    value = function(*request.args, **request.kwargs)
    try:
        encoded = values.encode(value)
    except values.ValueRefused as refusal:
        _complain(f"{name}() returned what cannot be judged: {refusal}")
    _record(protocol.VALUE, request.nonce + encoded)


def _complain(message: str) -> NoReturn:
    _record(protocol.COMPLAINT, message.encode()[:500])
    raise SystemExit(message)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_GUEST):
        trace = trace.tb_next
    return trace


def _was_refused(trace: TracebackType | None) -> bool:
    """Whether the interpreter itself raised: the failing instruction is not a ``raise``."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    operation = dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]]
    return operation not in _ALLOCATION_IS_SUBMISSIONS_OWN


def _record(kind: bytes, payload: bytes = b"") -> None:
    _write(protocol.record(kind, payload))


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_RECORDS, data) :]
