"""End of a submission, as CPython's ``Py_FinalizeEx`` ends a program, without its cost.

Finalizing the whole interpreter takes longer than a small submission: it frees everything that the zygote imported.
Here only what came after the fork is freed, in CPython's order. Non-daemon threads are joined. ``atexit`` callbacks
run, standard streams are flushed, garbage is collected. Then the modules of the submission are removed and cleared,
and names are forgotten that it added to other modules. That runs finalizers, which can neither import nor open files
any more. At last the files that are still open are flushed.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import gc
import io
import sys
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

from .isolation.kernel_calls import kernel

_WITNESS = "__witness__"
_FLUSH_FAILED = 120
_RESTORED = ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook")
_WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)  # in the order in which they are flushed
_CLEARED = ("path", "argv", "ps1", "ps2", "last_type", "last_value", "last_traceback", "path_hooks", "meta_path")


_HARMLESS = frozenset(
    {list, dict, tuple, set, frozenset, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CellType}
)


def _is_harmless(kind: type) -> bool:
    return kind not in (type, weakref.ref) and not hasattr(kind, "__del__")


class _Witness:
    """Lives as long as the names of a module do."""

    __slots__ = ("__weakref__", "names")

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names


class Finalization:
    """Ends the program of a child, which owns the modules and names that are not there before the fork."""

    def note(self) -> None:
        """Take note of what there is before the fork."""
        self._modules = frozenset(id(module) for name, module in sys.modules.items() if name != "__main__")
        self._kept = [*{id(module): module for module in sys.modules.values() if module is not sys}.values(), sys]
        self._names = [(vars(module), frozenset(vars(module))) for module in self._kept if hasattr(module, "__dict__")]
        self._builtins = {name: value for name, value in vars(builtins).items() if name != "open"}
        self._streams = (sys.stdout, sys.stderr, sys.stdout.buffer, sys.stderr.buffer)
        self._threading, self._count_callbacks = threading.__dict__, atexit._ncallbacks
        self._own_locks = set(threading._shutdown_locks)  # type: ignore[attr-defined]  # that of the main thread
        self._harmless = _HARMLESS | frozenset(filter(_is_harmless, set(map(type, gc.get_objects()))))

    def run(self, status: int) -> int:
        """Finalize the program that ended with ``status``; return its exit status. Never raises."""
        shut = self._has_callbacks()
        if shut:
            self._shut()
        flushed = _flush_standard_streams()
        freed = self._has_finalizers()
        if freed:
            if not shut:
                self._shut()
            self._free()
        stdout, stderr = self._streams[:2]
        replaced = getattr(sys, "stdout", None) is not stdout or getattr(sys, "stderr", None) is not stderr
        if freed or replaced or not flushed:
            for stream in self._streams:
                _attempt(stream.flush)
        kernel.flush()
        return status if flushed else _FLUSH_FAILED

    def _has_callbacks(self) -> bool:
        """True if there is a thread to join or anything to call."""
        names = self._threading
        try:
            threads = names["_shutdown_locks"] != self._own_locks or names["_threading_atexits"]
            return bool(threads) or self._count_callbacks() > 0
        except BaseException:
            return True

    @staticmethod
    def _shut() -> None:
        _attempt(threading._shutdown, threading)  # type: ignore[attr-defined]
        _attempt(atexit._run_exitfuncs, atexit)

    def _has_finalizers(self) -> bool:
        """True if freeing the objects of the program can run code or write: files, generators, weak references.

        Most small programs have none of these; what they leave need not be freed.
        """
        try:
            objects = gc.get_objects()
            kinds = set(map(type, objects))
            if kinds <= self._harmless:
                return False
            if weakref.ref in kinds or any(hasattr(kind, "__del__") for kind in kinds):
                return True
            return type in kinds and any(type(item) is type and hasattr(item, "__del__") for item in objects)
        except BaseException:
            return True

    def _free(self) -> None:
        sys.is_finalizing = True.__bool__
        if gc.isenabled():
            _attempt(gc.collect, gc)
        for name in _RESTORED:
            setattr(sys, name, getattr(sys, f"__{name}__", None))
        for name in _CLEARED:
            setattr(sys, name, None)
        _attempt(self._free_modules, sys)
        _attempt(self._forget_names, sys)
        _attempt(_flush_writers, sys)

    def _forget_names(self) -> None:
        """Delete the names that were added to modules of before the fork: those of ``sys`` last, and without stdout."""
        for names, known in self._names:
            if names is vars(sys):
                gc.collect()
                sys.stdout = None
            for name in _latest(names, known.__contains__):
                del names[name]
        gc.collect()

    def _restore_builtins(self) -> None:
        """Put the builtins back that the interpreter was made with: ``open`` was added by ``io``."""
        names = vars(builtins)
        for name in [name for name in names if name not in self._builtins]:
            del names[name]
        names.update(self._builtins)

    def _free_modules(self) -> None:
        modules = sys.modules
        witnesses: list[weakref.ref[_Witness]] = []
        for name in _latest(modules, lambda name: id(modules[name]) in self._modules):
            module = modules.pop(name)
            if isinstance(module, types.ModuleType):
                names = module.__dict__
                names[_WITNESS] = witness = _Witness(names)
                witnesses.append(weakref.ref(witness))
        module = names = witness = None  # type: ignore[assignment]
        modules.clear()  # nothing can be imported; that of before the fork lives on
        self._restore_builtins()
        gc.collect()
        cleared = False
        for reference in witnesses:
            if (survivor := reference()) is not None:
                names, survivor, cleared = survivor.names, None, True
                _clear(names)
                names = None  # type: ignore[assignment]
        if cleared:
            gc.collect()


def _latest(names: dict[str, Any], is_known: Callable[[str], bool]) -> list[str]:
    """Names that were added last, newest first. Known ones are not looked at: what is touched is copied."""
    found = []
    for name in reversed(names):
        if is_known(name):
            break
        found.append(name)
    return found


def _clear(names: dict[str, Any]) -> None:
    """Clear a module as CPython does: private names first, builtins never."""
    for private in (True, False):
        for name in list(names):
            is_private = isinstance(name, str) and name[:1] == "_" and name[1:2] != "_"
            if name != "__builtins__" and is_private is private and names.get(name) is not None:
                names[name] = None


def _flush_writers() -> None:
    """Flush the files that live on because something outlives all modules: a class of before the fork, the context."""
    if _thread._count() > 0:
        return  # a daemon thread's files are not flushed
    objects = gc.get_objects()
    for kind in _WRITERS:
        for item in objects:
            if issubclass(type(item), kind) and not _is_closed(item):
                _attempt(item.flush)


def _flush_standard_streams() -> bool:
    """Flush ``sys.stdout`` and ``sys.stderr``; True if that worked. A failure of stdout is shown."""
    flushed = True
    for stream, shown in ((getattr(sys, "stdout", None), True), (getattr(sys, "stderr", None), False)):
        if stream is None or _is_closed(stream):
            continue
        try:
            stream.flush()
        except BaseException as error:
            flushed = False
            if shown:
                show_ignored(error, stream)
    return flushed


def _is_closed(stream: Any) -> bool:
    try:
        return bool(stream.closed)
    except BaseException:
        return False


def _attempt(work: Callable[[], object], shown: object = None) -> None:
    try:
        work()
    except BaseException as error:
        if shown is not None:
            show_ignored(error, shown)


def _unraisable_arguments() -> type:
    """Return the type of the argument of ``sys.unraisablehook``, which has no name anywhere."""

    class Failing:
        def __del__(self) -> None:
            raise ValueError

    found: list[type] = []
    sys.unraisablehook = lambda arguments: found.append(type(arguments))
    Failing()
    sys.unraisablehook = sys.__unraisablehook__
    return found[0]


_UnraisableArguments = _unraisable_arguments()


def show_ignored(error: BaseException, source: object) -> None:
    """Report an error that cannot be raised, as ``sys.unraisablehook`` does."""
    try:
        hook = sys.unraisablehook
        if hook is not sys.__unraisablehook__:
            hook(_UnraisableArguments((type(error), error, error.__traceback__, None, source)))
            return
        print(f"Exception ignored in: {source!r}", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
        sys.stderr.flush()
    except BaseException:
        return
