"""The suite's side: modules of the submission, as the suite imports them.

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
from typing import Any, BinaryIO

from . import wire

TRACE = "__submission_trace__"
"""Attribute of exceptions that the submission has raised: its traceback."""
_ENDED = {"ended": True}
_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
_COMPARED = ("lt", "le", "gt", "ge")
_UNARY = ("neg", "pos", "abs", "invert", "len", "str", "repr", "int", "float", "next", "enter", "hash", "bool")


class SubmissionEnded(BaseException):
    """The submission's process has ended in the middle of a test."""


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


class Connection:
    """Sends requests to the submission, and gives them meaning here."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer
        self._callbacks: list[Callable[..., Any]] = []
        self._classes: dict[tuple[str, str], type[BaseException]] = {}
        self._objects: dict[int, RemoteObject] = {}

    def forget(self) -> None:
        """Forget the objects of a process of the submission that has ended."""
        self._objects.clear()
        self._callbacks.clear()

    def get(self, module: str, name: str) -> Any:
        """Return what the submission calls ``name``.

        Raises:
            AttributeError: it has none.
        """
        answer = self._exchange({"op": "get", "module": module, "name": name})
        if answer.get("missing"):
            raise missing(module, name)
        if "raised" in answer:
            raise self._exception(answer["raised"])
        return self._decode(answer["value"])

    def perform(self, operation: str, target: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do something with what ``target`` names, and return what comes of it. Lists, dicts, sets and arrays among the
        arguments are changed as the submission has changed them."""
        request = {"op": operation, "target": target, "args": self._encode(list(args)), "kwargs": self._encode(kwargs)}
        answer = self._exchange(request)
        for name, tree in answer.get("changed", {}).items():
            _change(kwargs[name] if name in kwargs else args[int(name)], self._decode(tree))
        if "raised" in answer:
            raise self._exception(answer["raised"])
        return self._decode(answer["value"])

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its answer; callbacks of the submission are done meanwhile."""
        while True:
            self._writer.write(wire.dump(message))
            self._writer.flush()
            answer = wire.load(self._reader.readline() or wire.dump(_ENDED))
            if answer == _ENDED:
                raise SubmissionEnded("the submission's process has ended")
            if type(printed := answer.get("printed")) is str:
                sys.stdout.write(printed)
            if "callback" not in answer:
                return _checked(answer)
            message = self._call_back(answer)

    def _call_back(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            function = self._callback(request["callback"])
            args, kwargs = self._decode(request["args"]), self._decode(request["kwargs"])
            return {"answer": self._encode(function(*args, **kwargs))}
        except Exception as error:
            return {"raised": [type(error).__name__, str(error)]}

    def _callback(self, name: Any) -> Callable[..., Any]:
        standard: dict[Any, Callable[..., Any]] = {
            "input": builtins.input,
            "readline": sys.stdin.readline,
            "read": sys.stdin.read,
        }
        if name in standard:
            return standard[name]
        if type(name) is not int or not 0 <= name < len(self._callbacks):
            raise wire.WireError("there is no such function")
        return self._callbacks[name]

    def _encode(self, value: Any) -> wire.Tree:
        return wire.encode(value, self._hook)

    def _decode(self, tree: wire.Tree) -> Any:
        return wire.decode(tree, self._unhook)

    def _hook(self, value: Any) -> wire.Tree:
        if isinstance(value, _Named):
            return {"named": value._target}
        if isinstance(value, RemoteObject):
            target = _target(value)
            return {"object": target[0]} if len(target) == 1 else {"named": target}
        if callable(value) and not isinstance(value, type):
            self._callbacks.append(value)
            return {"callback": len(self._callbacks) - 1}
        raise TypeError(
            f"a {type(value).__name__} cannot be passed to the submission: give plain values, NumPy arrays or "
            "functions, or run the suite with isolation 'shared'"
        )

    def _unhook(self, tag: str, content: Any) -> Any:
        match tag:
            case "function":
                return RemoteFunction(self, *content)
            case "class":
                return self._class(*content)
            case "module":
                return sys.modules.get(str(content)) or RemoteModule(self, str(content))
            case "object":
                return self._object(*content)
        raise wire.WireError(f"an unknown tag {tag!r}"[:60])

    def _class(self, module: str, name: str, bases: list[Any]) -> Any:
        if _is_exception(bases):
            return self._exception_class(bases)
        return RemoteClass(self, module, name, bases)

    def _object(self, where: Any, bases: list[Any]) -> Any:
        if type(where) is list:
            return RemoteObject(self, [str(part) for part in where], bases)
        if where not in self._objects:
            self._objects[where] = RemoteObject(self, [int(where)], bases)
        return self._objects[where]

    def _exception(self, raised: Any) -> BaseException:
        """Return the exception that the submission has raised: one of the same class, which suites can expect."""
        kind = self._exception_class(raised["class"])
        args, text = self._decode(raised["args"]), str(raised["text"])
        try:
            error = kind(*args)
            if str(error) != text and kind.__module__ != "builtins":
                error.__dict__["_text"] = text
        except Exception:
            error = kind(text)
        for name, value in self._decode(raised["state"]).items():
            if not str(name).startswith("_"):
                error.__dict__.setdefault(str(name), value)
        setattr(error, TRACE, str(raised["trace"]))
        return error

    def _exception_class(self, found: list[Any], depth: int = 0) -> type[BaseException]:
        module, name, bases = str(found[0]), str(found[1]), found[2]
        kind = getattr(builtins, name, None) if module == "builtins" else None
        if isinstance(kind, type) and issubclass(kind, Exception):
            return kind
        if kind is SystemExit or kind is BaseException:
            return kind
        if kind is not None:
            return type(name, (RemoteBaseException,), {})
        if (module, name) not in self._classes:
            if depth > wire.MAX_DEPTH:
                raise wire.WireError("an exception with too many bases")
            parents = [self._exception_class(base, depth + 1) for base in bases if _is_exception(base)]
            namespace = {"__module__": module, "__str__": _text}
            try:
                kind = type(name, tuple(dict.fromkeys(parents)) or (Exception,), namespace)
            except TypeError:
                kind = type(name, (Exception,), namespace)
            self._classes[module, name] = kind
        return self._classes[module, name]


class RemoteBaseException(BaseException):
    """A ``KeyboardInterrupt``, or another exception that would end the suite, of the submission."""


def _text(error: BaseException) -> str:
    text = error.__dict__.get("_text")
    return text if isinstance(text, str) else super(type(error), error).__str__()


def _is_exception(found: Any) -> bool:
    module, name, bases = found
    return (module, name) == ("builtins", "BaseException") or any(map(_is_exception, bases))


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "raised" in answer or "value" in answer or "missing" in answer or "ready" in answer:
        return answer
    raise wire.WireError("an answer without a value")


def _change(given: Any, now: Any) -> None:
    """Give an argument the contents that it has in the submission."""
    if type(given) is list and type(now) is list:
        given[:] = now
    elif type(given) is type(now) and isinstance(given, dict | set):
        given.clear()
        given.update(now)
    elif type(given) is bytearray and type(now) is bytearray:
        given[:] = now
    elif hasattr(given, "shape") and getattr(now, "shape", None) == given.shape:
        given[...] = now


class _Named:
    """A function or class of the submission, by module and dotted name: the same in every process."""

    def __init__(self, connection: Connection, module: str, name: str) -> None:
        self._connection, self._target = connection, [module, name]
        self.__module__, self.__qualname__ = module, name
        self.__name__ = name.rpartition(".")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._connection.perform("call", self._target, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._connection.get(self._target[0], f"{self._target[1]}.{name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and other._target == self._target

    def __hash__(self) -> int:
        return hash(tuple(self._target))


class RemoteFunction(_Named):
    """A function of the submission."""

    def __init__(self, connection: Connection, module: str, name: str, doc: str) -> None:
        super().__init__(connection, module, name)
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} of the submission>"


class RemoteClass(_Named):
    """A class of the submission. Its instances stay there; ``isinstance`` works with them."""

    def __init__(self, connection: Connection, module: str, name: str, bases: list[Any]) -> None:
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

    def __init__(self, connection: Connection, target: list[Any], bases: list[Any]) -> None:
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
        return _connection(self).perform("call", _target(self), args, kwargs)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, RemoteObject):
            return _target(self) == _target(other) or _plain_bool(_special(self, "eq", other))
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


def _connection(remote: RemoteObject) -> Connection:
    found: Connection = object.__getattribute__(remote, "_RemoteObject__connection")
    return found


def _target(remote: RemoteObject) -> list[Any]:
    found: list[Any] = object.__getattribute__(remote, "_RemoteObject__target")
    return found


def _bases(remote: RemoteObject) -> list[Any]:
    found: list[Any] = object.__getattribute__(remote, "_RemoteObject__type")
    return found


def _perform(remote: RemoteObject, operation: str, *args: Any) -> Any:
    return _connection(remote).perform(operation, _target(remote), args, {})


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
for _name in (*_BINARY, *_COMPARED):
    setattr(RemoteObject, f"__{_name}__", _operator(_name, unary=False))


class RemoteModule(ModuleType):
    """A module of the submission."""

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(name)
        self.__dict__["_connection"] = connection

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.__dict__["_connection"].get(self.__name__, name)
        except AttributeError:
            if _is_imported_from(sys._getframe(1)):
                return Missing(self.__name__, name)  # its tests fail, and the others stand
            raise

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

    def __init__(self, connection: Connection, names: list[str]) -> None:
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
