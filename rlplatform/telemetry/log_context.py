"""Ids that a line of a log carries: of the request, its trace, the run and the tenant; and the span around the work.

They follow the work: through tasks and awaited calls by themselves, to other processes with each call of an actor
(``actors/rpc/serialization.py``), and from a request to the run that it made, which starts later.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

FIELDS = ("request", "trace", "run", "tenant")
MOST_REMEMBERED = 20_000

T = TypeVar("T")

_CURRENT: ContextVar[Mapping[str, str]] = ContextVar("log_context", default={})  # noqa: B039 (never changed in place)
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_origins: OrderedDict[str, Mapping[str, str]] = OrderedDict()


def current() -> Mapping[str, str]:
    """Return the ids of the work that is being done."""
    return _CURRENT.get()


@contextmanager
def bound(ids: Mapping[str, str]) -> Iterator[None]:
    """Add ``ids`` within the block; empty ones are left out."""
    token = _CURRENT.set({**_CURRENT.get(), **{name: text for name, text in ids.items() if text}})
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def replaced(ids: Mapping[str, str]) -> Iterator[None]:
    """Have ``ids`` and no others within the block."""
    token = _CURRENT.set(dict(ids))
    try:
        yield
    finally:
        _CURRENT.reset(token)


async def around(ids: Mapping[str, str], work: Awaitable[T]) -> T:
    """Await ``work`` with ``ids`` and no others. A task would else have those of the request that happened to start
    it."""
    with replaced(ids):
        return await work


def remember(run_id: str) -> None:
    """Remember which request made a run, for the time when the run starts. The last of many are kept."""
    origin = {name: text for name, text in current().items() if name in ("request", "trace", "span")}
    if origin:
        _origins[run_id] = origin
        while len(_origins) > MOST_REMEMBERED:
            _origins.popitem(last=False)


def of_run(run_id: str, tenant: str) -> dict[str, str]:
    """Return the ids of a run's work. Request and trace are unknown after a restart of this process."""
    return {**_origins.get(run_id, {}), "run": run_id, "tenant": tenant}


def trace_of(traceparent: str | None) -> str:
    """Return the trace id of a W3C ``traceparent`` header, or a new one if there is none or it makes no sense."""
    return of_traceparent(traceparent)["trace"]


def of_traceparent(traceparent: str | None) -> dict[str, str]:
    """Return trace and span of a W3C ``traceparent`` header; a new trace if there is none or it makes no sense."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None or match[1] == _NO_TRACE or match[2] == _NO_SPAN:
        return {"trace": secrets.token_hex(16)}
    return {"trace": match[1], "span": match[2]}
