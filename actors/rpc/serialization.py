"""Calls as bytes. Ray transfers bytes faster than objects, which it serialises one by one."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rlplatform.spans import span
from rlplatform.telemetry import log_context

_RECORD_THEMSELVES = frozenset({"call", "run"})
_Method = Callable[[Any, bytes], Awaitable[bytes]]


def pack(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Pack the arguments of a call, with the ids that lines of the log carry."""
    return pickle.dumps((args, kwargs, log_context.current()), pickle.HIGHEST_PROTOCOL)


def pack_value(value: Any) -> bytes:
    """Pack the value that a call returned."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:
    """Return the value that :func:`pack_value` has packed."""
    return pickle.loads(packed)


async def perform(plain: object, method: str, packed: bytes) -> bytes:
    """Call ``method``, a plain function or a coroutine, with arguments from :func:`pack`; return its value packed."""
    args, kwargs, ids = pickle.loads(packed)
    with log_context.replaced(ids), _recorded(method):
        returned = getattr(plain, method)(*args, **kwargs)
        return pack_value(await returned if inspect.isawaitable(returned) else returned)


def _recorded(method: str) -> AbstractContextManager[object]:
    """Record a call as a span, unless the caller or the method does."""
    return nullcontext() if method in _RECORD_THEMSELVES else span(method)


def packing(cls: type) -> type:
    """Make an actor class around an object of ``cls``.

    Its public methods have the same names, take arguments from :func:`pack`, and return values for :func:`unpack`.
    Errors pass through Ray.
    """

    def build(self: Any, *args: Any) -> None:
        self.plain = cls(*args)

    names = [name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")]
    return type(cls.__name__, (), {"__init__": build, **{name: _method(name) for name in names}})


def _method(name: str) -> _Method:
    async def method(self: Any, packed: bytes) -> bytes:
        return await perform(self.plain, name, packed)

    method.__name__ = name
    return method
