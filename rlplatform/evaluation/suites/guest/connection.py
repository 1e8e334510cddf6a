"""The suite's side of the wire: requests to the submission, and what comes of them."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from . import wire
from .proxies import TRACE, Named, RemoteClass, RemoteFunction, RemoteModule, RemoteObject, missing, target_of


class SubmissionEnded(BaseException):
    """The submission's process has ended in the middle of a test."""


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
            answer = wire.load(self._reader.readline() or wire.dump(wire.ENDED))
            if answer == wire.ENDED:
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
        if isinstance(value, Named):
            return {"named": value.target}
        if isinstance(value, RemoteObject):
            target = target_of(value)
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
