"""Stand-ins: modules, functions, classes and objects of the submission, as the suite imports them.

A function is called in the submission's sandbox. Nothing but messages comes back: no code of the submission runs here,
and nothing of the suite is there. Comparisons with values of the suite are never done by the submission.
"""

from __future__ import annotations

import builtins
import dis
import sys
from collections.abc import Callable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol

from . import wire

TRACE = "__submission_trace__"
"""Attribute of exceptions that the submission has raised: its traceback."""
_UNARY = ("neg", "pos", "abs", "invert", "len", "str", "repr", "int", "float", "next", "enter", "hash", "bool")


class Caller(Protocol):
    """Has the submission do something: a :class:`~rlplatform.evaluation.suites.guest.connection.Connection`."""

    def get(self, module: str, name: str) -> Any: ...

    def perform(self, operation: str, target: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...


class Missing:
    """A name that the submission does not define. Every use of it raises."""

    def __init__(self, module: str, name: str) -> None:
        self.__dict__["_raise"] = lambda: missing(module, name)

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise self.__dict__["_raise"]()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.__dict__["_raise"]()

    def _use(self, *_: Any) -> Any:
        raise self.__dict__["_raise"]()

    __bool__ = __eq__ = __iter__ = __len__ = __getitem__ = __add__ = __sub__ = __lt__ = __gt__ = __str__ = _use
    __hash__ = object.__hash__


def missing(module: str, name: str) -> AttributeError:
    """Return the error for a name that the submission does not define."""
    error = AttributeError(f"{module} defines no {name!r}")
    setattr(error, TRACE, "")
    return error


class Named:
    """A function or class of the submission, by module and dotted name: the same in every process."""

    def __init__(self, connection: Caller, module: str, name: str) -> None:
        self._connection, self.target = connection, [module, name]
        self.__module__, self.__qualname__ = module, name
        self.__name__ = name.rpartition(".")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._connection.perform("call", self.target, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._connection.get(self.target[0], f"{self.target[1]}.{name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and other.target == self.target

    def __hash__(self) -> int:
        return hash(tuple(self.target))


class RemoteFunction(Named):
    """A function of the submission."""

    def __init__(self, connection: Caller, module: str, name: str, doc: str) -> None:
        super().__init__(connection, module, name)
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} of the submission>"


class RemoteClass(Named):
    """A class of the submission. Its instances stay there; ``isinstance`` works with them."""

    def __init__(self, connection: Caller, module: str, name: str, bases: list[Any]) -> None:
        super().__init__(connection, module, name)
        self._bases = bases

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, RemoteObject) and _descends(_bases(instance), self._bases[:2])

    def __subclasscheck__(self, other: object) -> bool:
        return isinstance(other, RemoteClass) and _descends(other._bases, self._bases[:2])

    def __repr__(self) -> str:
        return f"<class {self.__qualname__} of the submission>"


def _descends(bases: list[Any], from_class: list[Any]) -> bool:
    return bases[:2] == from_class or any(_descends(base, from_class) for base in bases[2])


class RemoteObject:
    """An object of the submission. Operators work between objects of the submission, never with values of the suite:
    an object could claim to be equal to whatever is expected."""

    __slots__ = ("__connection", "__target", "__type")

    def __init__(self, connection: Caller, target: list[Any], bases: list[Any]) -> None:
        for name, value in (("connection", connection), ("target", target), ("type", bases)):
            object.__setattr__(self, f"_RemoteObject__{name}", value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _perform(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _perform(self, "setattr", name, value)

    def __delattr__(self, name: str) -> None:
        _perform(self, "delattr", name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _connection(self).perform("call", target_of(self), args, kwargs)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, RemoteObject):
            return target_of(self) == target_of(other) or _plain_bool(_special(self, "eq", other))
        return NotImplemented

    def __iter__(self) -> Iterator[Any]:
        iterator = _special(self, "iter")
        if not isinstance(iterator, RemoteObject):
            raise wire.WireError("an iterator that is a plain value")
        while True:
            try:
                yield _special(iterator, "next")
            except StopIteration:
                return

    def __getitem__(self, key: Any) -> Any:
        return _special(self, "getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _special(self, "setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        _special(self, "delitem", key)

    def __exit__(self, *raised: object) -> Any:
        return _special(self, "exit")


def _connection(remote: RemoteObject) -> Caller:
    found: Caller = object.__getattribute__(remote, "_RemoteObject__connection")
    return found


def target_of(remote: RemoteObject) -> list[Any]:
    found: list[Any] = object.__getattribute__(remote, "_RemoteObject__target")
    return found


def _bases(remote: RemoteObject) -> list[Any]:
    found: list[Any] = object.__getattribute__(remote, "_RemoteObject__type")
    return found


def _perform(remote: RemoteObject, operation: str, *args: Any) -> Any:
    return _connection(remote).perform(operation, target_of(remote), args, {})


def _special(remote: RemoteObject, name: str, *args: Any) -> Any:
    return _perform(remote, "special", name, *args)


def _plain_bool(value: Any) -> bool:
    return value is True


def _operator(name: str, unary: bool) -> Callable[..., Any]:
    def operate(self: RemoteObject, *others: Any) -> Any:
        if not unary and not isinstance(others[0], RemoteObject):
            return NotImplemented
        return _special(self, name, *others)

    operate.__name__ = f"__{name}__"
    return operate


for _name in _UNARY:
    setattr(RemoteObject, f"__{_name}__", _operator(_name, unary=True))
for _name in (*wire.BINARY, *wire.COMPARISONS):
    setattr(RemoteObject, f"__{_name}__", _operator(_name, unary=False))


class RemoteModule(ModuleType):
    """A module of the submission."""

    def __init__(self, connection: Caller, name: str) -> None:
        super().__init__(name)
        self.__dict__["_connection"] = connection

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._new_names(sys._getframe(1).f_globals)
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.__dict__["_connection"].get(self.__name__, name)
        except AttributeError:
            if _is_imported_from(sys._getframe(1)):
                return Missing(self.__name__, name)  # its tests fail, and the others stand
            raise

    def _new_names(self, taken: dict[str, Any]) -> list[str]:
        """Return the submission's public names for ``from module import *``. A submission replaces neither a name that
        the suite has, nor a built-in function: it could give ``sorted`` or ``np`` another meaning in the tests."""
        names = self.__dict__["_connection"].get(self.__name__, "__all__")
        if type(names) is not list:
            raise wire.WireError("names that are no list")
        return [name for name in names if type(name) is str and name not in taken and not hasattr(builtins, name)]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") or isinstance(value, ModuleType):
            super().__setattr__(name, value)
        else:
            self.__dict__["_connection"].perform("setattr", [self.__name__, ""], (name, value), {})

    def __delattr__(self, name: str) -> None:
        self.__dict__["_connection"].perform("delattr", [self.__name__, ""], (name,), {})


def _is_imported_from(frame: Any) -> bool:
    """Return True if ``frame`` is in the middle of ``from module import name``."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM" if frame.f_lasti >= 0 else False


class RemoteModules(MetaPathFinder, Loader):
    """Finds the modules of the submission for ``import``."""

    def __init__(self, connection: Caller, names: list[str]) -> None:
        self._connection, self._names = connection, names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Find a module or a folder of modules of the submission."""
        folder = any(name.startswith(f"{fullname}.") for name in self._names)
        if fullname not in self._names and not folder:
            return None
        return ModuleSpec(fullname, self, is_package=folder)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the module, which holds nothing."""
        return RemoteModule(self._connection, spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Execute nothing: the module is the submission's."""
