"""Python: how a submission is compiled and run, and what its errors mean to CPython's own main program."""

from __future__ import annotations

import builtins
import dis
import json
import os
import sys
import traceback
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from types import CodeType, ModuleType, TracebackType
from typing import NoReturn

from .. import protocol, values
from ..program import BOX, INTERRUPTED, Program, Request
from ..records import write_record
from .python_preload import preload, reseed

SUFFIX = ".py"
_GUEST = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_ALLOCATION_IS_SUBMISSIONS_OWN = frozenset({"RAISE_VARARGS", "RERAISE"})


def prepare() -> None:
    """Import the modules that every submission finds imported."""
    preload()


def after_fork() -> None:
    """Reseed the generators of random numbers."""
    reseed()


def make_module(entry: str, imported: bool) -> ModuleType:
    """Make the submission's module: ``__main__``, or an imported one whose functions can be called.

    The garbage collector must see it: make it after the last freeze.
    """
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


def compile_program(program: Program) -> CodeType:
    """Compile the sources of ``program`` and return the code of its entry. An error ends the process."""
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
    write_record(protocol.COMPILE_FAILED, json.dumps(fault).encode())
    os._exit(1)


def run(code: CodeType, module: ModuleType, request: Request | None) -> int:
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
    if isinstance(error, MemoryError) and _is_interpreters_own(error.__traceback__):
        write_record(protocol.MEMORY_REFUSED)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit as leaving:
        return _exit_status(leaving)
    except BaseException as failure:
        _show_failed_hook(failure, error)
    return INTERRUPTED if type(error) is KeyboardInterrupt else 1


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
    write_record(protocol.VALUE, request.nonce + encoded)


def _complain(message: str) -> NoReturn:
    write_record(protocol.COMPLAINT, message.encode()[:500])
    raise SystemExit(message)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_GUEST):
        trace = trace.tb_next
    return trace


def _is_interpreters_own(trace: TracebackType | None) -> bool:
    """Return True if the interpreter itself raised: the failing instruction is not a ``raise``."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    operation = dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]]
    return operation not in _ALLOCATION_IS_SUBMISSIONS_OWN
