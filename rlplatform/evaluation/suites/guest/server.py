"""The submission's side: imports the submission, and does what the suite asks for, one line after the other.

Functions are called by name, so that a suite can keep them over many processes. Objects that do not cross by value stay
here, and the suite gets a handle. What a call prints goes back with its answer.
"""

from __future__ import annotations

import builtins
import importlib
import io
import operator
import os
import sys
import traceback
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, BinaryIO, NoReturn

from . import wire

MAX_BASES = 12
OPERATORS = (*wire.BINARY, *wire.COMPARISONS, "eq", "neg", "pos", "invert", "getitem", "setitem", "delitem")
_SHOWN = 8000
_OWN = ("/_rlp_", "/_start.py", "importlib", "<frozen importlib")
_PRINTED = 256 << 10
_NOTHING = object()
Load = Callable[[], dict[str, ModuleType]]


def main(load: Load | None = None, name: str = "main") -> NoReturn:
    """Serve until the suite has no further request. ``load`` returns the modules; None: ``name`` is imported."""
    reader, writer = open_wire()
    server = Server(reader, writer)
    try:
        server.load(load, name)
    except SystemExit as leaving:
        sys.stdout.flush()
        if leaving.code in (None, 0):
            print("the program ended while it was imported (SystemExit)", file=sys.__stderr__)
        raise SystemExit(leaving.code or 1) from None
    except BaseException as error:
        show(error)
        sys.exit(1)
    server.serve()
    for stream in (sys.stdout, sys.__stderr__):
        stream.flush()  # type: ignore[union-attr]
    os._exit(0)


def open_wire() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for messages. What the program reads is empty, what it prints goes to stderr."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return reader, writer


def _public(module: ModuleType) -> list[str]:
    """Return the names that ``from module import *`` binds, without modules that it has imported itself."""
    named = getattr(module, "__all__", None)
    if named is not None:
        return [str(name) for name in named]
    found = vars(module).items()
    return [name for name, value in found if not name.startswith("_") and not isinstance(value, ModuleType)]


def show(error: BaseException) -> None:
    """Print the traceback of ``error``, from the first line of the submission on."""
    print(trace_of(error), end="", file=sys.__stderr__, flush=True)


def trace_of(error: BaseException) -> str:
    """Return the traceback of ``error`` without the lines of this package and of the import system."""
    frames = traceback.TracebackException.from_exception(error)
    while frames.stack and any(part in frames.stack[0].filename for part in _OWN):
        del frames.stack[0]
    return "".join(frames.format())[-_SHOWN:]


class Server:
    """Answers the requests of one suite."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer
        self._modules: dict[str, ModuleType] = {}
        self._objects: dict[int, Any] = {}
        self._handles: dict[int, int] = {}
        self._replaced: dict[tuple[str, str], Any] = {}
        self._printed = io.StringIO()

    def load(self, load: Load | None, name: str = "main") -> None:
        """Import the submission, and say that it is there."""
        sys.stdout = self._printed
        sys.stdin = _Stdin(self)
        builtins.input = self._input
        self._modules = load() if load is not None else {name: importlib.import_module(name)}
        self._send({"ready": True})

    def serve(self) -> None:
        """Answer requests until there is none."""
        while (request := self._receive()) is not None:
            self._send(self._answer(request))

    def ask(self, callback: str | int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Let the suite call one of its functions, and return what that returns."""
        self._send({"callback": callback, "args": self.encode(args), "kwargs": self.encode(kwargs)} | self._print())
        while (message := self._receive()) is not None:
            if "answer" in message:
                return self.decode(message["answer"])
            if "raised" in message:
                raise _exception(*message["raised"])
            self._send(self._answer(message))
        os._exit(0)

    def encode(self, value: Any) -> wire.Tree:
        """Return the tree of ``value``; what does not cross by value gets a handle."""
        return wire.encode(value, self._hook)

    def decode(self, tree: wire.Tree) -> Any:
        """Return the value of a tree of the suite's."""
        return wire.decode(tree, self._unhook)

    def _receive(self) -> dict[str, Any] | None:
        line = self._reader.readline()
        return wire.load(line) if line else None

    def _send(self, message: dict[str, Any]) -> None:
        self._writer.write(wire.dump(message))
        self._writer.flush()

    def _print(self) -> dict[str, Any]:
        """Return what was printed since the last message."""
        sys.stdout.flush()
        text = self._printed.getvalue()
        if not text:
            return {}
        self._printed.seek(0)
        self._printed.truncate()
        return {"printed": text[:_PRINTED]}

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        try:
            if request["op"] == "get":
                return self._get(request["module"], request["name"]) | self._print()
            args, kwargs = self.decode(request["args"]), self.decode(request["kwargs"])
            given = {**{str(index): arg for index, arg in enumerate(args)}, **kwargs}
            before = {name: self._mutable(value) for name, value in given.items()}
            value = self._perform(request["op"], self._target(request["target"]), args, kwargs)
            for name, was in before.items():
                if was is not None and (now := self.encode(given[name])) != was:
                    changed[name] = now
            answer = {"value": self.encode(value)}
        except BaseException as error:
            answer = {"raised": self._describe(error)}
        if changed:
            answer["changed"] = changed
        return answer | self._print()

    def _perform(self, operation: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if isinstance(target, ModuleType):  # a suite replaces a name, and then gives it back
            if operation == "setattr":
                self._replaced.setdefault((target.__name__, args[0]), getattr(target, args[0], _NOTHING))
            elif operation == "delattr" and (target.__name__, args[0]) in self._replaced:
                original = self._replaced.pop((target.__name__, args[0]))
                return delattr(target, args[0]) if original is _NOTHING else setattr(target, args[0], original)
        return _perform(operation, target, args, kwargs)

    def _mutable(self, value: Any) -> wire.Tree:
        """Return the tree of an argument that a call can change in place; None for others."""
        return self.encode(value) if type(value) not in (type(None), bool, int, float, str, bytes, tuple) else None

    def _get(self, module: str, name: str) -> dict[str, Any]:
        if name == "__all__":
            return {"value": self.encode(_public(self._resolve(module, "")))}
        holder, _, last = name.rpartition(".")
        found = self._resolve(module, holder)
        try:
            found = getattr(found, last)
        except AttributeError:
            return {"missing": True}
        return {"value": self._named(found, module, name)}

    def _named(self, found: Any, module: str, name: str) -> wire.Tree:
        if isinstance(found, type):
            return {"class": [module, name, self._bases(found)]}
        if isinstance(found, ModuleType):
            return {"module": found.__name__}
        if isinstance(found, FunctionType | BuiltinFunctionType) or (callable(found) and hasattr(found, "__wrapped__")):
            return {"function": [module, name, str(getattr(found, "__doc__", None) or "")[:_SHOWN]]}
        tree = self.encode(found)
        if isinstance(tree, dict) and "object" in tree:
            tree["object"][0] = [module, name]  # there in every process, unlike a number
        return tree

    def _resolve(self, module: str, name: str) -> Any:
        found: Any = self._modules.get(module) or importlib.import_module(module)
        for part in name.split(".") if name else ():
            found = getattr(found, part)
        return found

    def _target(self, target: list[Any]) -> Any:
        return self._objects[target[0]] if len(target) == 1 else self._resolve(*target)

    def _hook(self, value: Any) -> wire.Tree:
        key = id(value)
        if key not in self._handles:
            self._handles[key] = len(self._objects)
            self._objects[len(self._objects)] = value
        return {"object": [self._handles[key], self._bases(type(value))]}

    def _unhook(self, tag: str, content: Any) -> Any:
        match tag:
            case "object":
                return self._objects[content]
            case "named":
                return self._resolve(*content)
            case "callback":
                return _Callback(self, content)
        raise wire.WireError(f"an unknown tag {tag!r}"[:60])

    def _bases(self, kind: type, depth: int = 0) -> list[Any]:
        """Return module, name and bases of a class."""
        bases = kind.__bases__ if depth < MAX_BASES else ()
        return [kind.__module__, kind.__qualname__, [self._bases(base, depth + 1) for base in bases]]

    def _describe(self, error: BaseException) -> dict[str, Any]:
        text = ""
        try:
            text = str(error)[:_SHOWN]
            args = self.encode(error.args)
            state = {name: item for name, item in vars(error).items() if not name.startswith("_")}
            encoded = self.encode(state)
        except BaseException:
            args, encoded = {"tuple": [text]}, {"dict": []}
        trace = trace_of(error) if isinstance(error, Exception | RecursionError) else ""
        return {"class": self._bases(type(error)), "args": args, "state": encoded, "text": text, "trace": trace}

    def _input(self, prompt: object = "", /) -> Any:
        return self.ask("input", (str(prompt),), {})


class _Callback:
    """A function of the suite's."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._server.ask(self._number, args, kwargs)


class _Stdin(io.TextIOBase):
    """Reads the suite's ``sys.stdin``."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def readable(self) -> bool:
        return True

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        return str(self._server.ask("readline", (size,), {}))

    def read(self, size: int | None = -1) -> str:
        return str(self._server.ask("read", (-1 if size is None else size,), {}))


_SPECIAL: dict[str, Callable[..., Any]] = {
    **{function.__name__: function for function in (bool, len, iter, next, str, repr, abs, hash, int, float)},
    **{name: getattr(operator, f"__{name}__") for name in OPERATORS},
    "enter": lambda target: type(target).__enter__(target),
    "exit": lambda target: type(target).__exit__(target, None, None, None),
}


def _perform(operation: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    match operation:
        case "call":
            return target(*args, **kwargs)
        case "getattr":
            return getattr(target, *args)
        case "setattr":
            return setattr(target, *args)
        case "delattr":
            return delattr(target, *args)
        case "special":
            name, *rest = args
            return _SPECIAL[name](target, *rest)
    raise wire.WireError(f"an unknown operation {operation!r}"[:60])


def _exception(name: str, text: str) -> BaseException:
    """Return what a function of the suite raised: a built-in exception, or else a RuntimeError."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(text)
        except TypeError:
            pass
    return RuntimeError(f"{name}: {text}")
