"""After the fork the child becomes the submission. Nothing of it is trusted once ``RUNNING`` was recorded.

What can be done once is done before the fork: each page that the child touches is a page to copy.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal's wrappers touch far more memory
import atexit
import dis
import io
import json
import os
import resource
import sys
import threading
import traceback
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from . import gvisor, protocol, values
from .channel import read_all
from .kernel import kernel
from .preload import reseed
from .program import BOX, Program

_RECORDS = 3
_GUEST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAIN = ModuleType("__main__")
_STACK_BYTES = 64 << 20
_MAX_DESCRIPTORS = 256
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
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES, _STACK_BYTES))
    for name in [name for name in sys.modules if name == __package__ or name.startswith(f"{__package__}.")]:
        del sys.modules[name]
    sys.path[:] = [BOX, *(path for path in sys.path if path != _GUEST)]
    sys.dont_write_bytecode = True
    sys.modules["__main__"] = _MAIN
    ends = os.pipe()  # what the streams find out must fit pipes
    for descriptor, end in zip((0, 1, 2), (*ends, 1), strict=True):
        os.dup2(end, descriptor)
    sys.stdin = sys.__stdin__ = _text(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(1, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(2, "w", "backslashreplace", line_buffering=True)  # type: ignore[misc]
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):  # a pipe of the runner could carry words from one execution to the next
        os.dup2(nothing, descriptor)
    for descriptor in (nothing, *ends):
        os.close(descriptor)


def become(program: Program, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Run ``program`` as the order says, and exit with its status."""
    request = Request(read_all(descriptors.pop())) if order["call"] else None
    _confine(order)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number, inheritable=number < _RECORDS)
    os.closerange(_RECORDS + 1, _MAX_DESCRIPTORS)
    os.chdir(BOX)
    program.unpack()
    program.shadow()
    sys.argv = [program.entry]
    _MAIN.__file__ = f"{BOX}/{program.entry}"
    _record(protocol.COMPILING)
    code = _compile(program)
    _record(protocol.RUNNING)
    os._exit(_run(code, request) & 0xFF)


def _confine(order: dict[str, Any]) -> None:
    if kernel.is_gvisor:
        gvisor.restore_signals()
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.setsid()
    cpu = gvisor.CPU_LIMIT_S if kernel.is_gvisor else int(order["cpu_s"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    reseed()


def _text(descriptor: int, mode: str, errors: str, line_buffering: bool = False) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, mode, closefd=False)
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8", errors=errors, line_buffering=line_buffering)


def _compile(program: Program) -> CodeType:
    code = None
    for path in sorted(program.files, key=lambda path: path != program.entry):
        if path.endswith(".py") or path == program.entry:
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


def _run(code: CodeType, request: Request | None) -> int:
    try:
        status = _guarded(lambda: _work(code, request))
        if threading.active_count() > 1:
            status = _guarded(threading._shutdown) or status  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        return 120
    return status


def _guarded(work: Any) -> int:
    try:
        work()
    except SystemExit as leaving:
        return _exit_status(leaving.code)
    except BaseException as error:
        shown = _own_frames(error.__traceback__)
        if isinstance(error, MemoryError) and _was_refused(shown):
            _record(protocol.MEMORY_REFUSED)
        sys.excepthook(type(error), error.with_traceback(shown), shown)
        return 1
    return 0


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    print(code, file=sys.stderr)
    return 1


def _work(code: CodeType, request: Request | None) -> None:
    exec(code, _MAIN.__dict__)
    if request is None:
        return
    name = request.function
    function = _MAIN.__dict__.get(name)
    if not callable(function):
        _complain(f"{_MAIN.__file__} defines no function {name!r}")
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
    data = protocol.record(kind, payload)
    while data:
        data = data[os.write(_RECORDS, data) :]
