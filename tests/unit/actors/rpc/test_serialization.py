"""Calls as bytes."""

from __future__ import annotations

import asyncio

import pytest

from actors.rpc.serialization import pack, packing, unpack
from rlplatform.errors import NotFound


class Counter:
    def __init__(self, start: int) -> None:
        self._value = start

    async def add(self, amount: int, *, times: int = 1) -> int:
        self._value += amount * times
        return await self.value_later()

    async def value_later(self) -> int:
        return self._value

    def value(self) -> tuple[str, int]:
        return "value", self._value

    def refuse(self) -> None:
        raise NotFound("no such thing")

    def _hidden(self) -> None: ...


def test_methods_take_and_return_bytes() -> None:
    actor = packing(Counter)(1)
    assert unpack(asyncio.run(actor.add(pack((2,), {"times": 3})))) == 7
    assert unpack(asyncio.run(actor.value(pack((), {})))) == ("value", 7)


def test_what_a_method_raises_is_raised() -> None:
    with pytest.raises(NotFound, match="no such thing"):
        asyncio.run(packing(Counter)(1).refuse(pack((), {})))


def test_a_class_keeps_its_name_and_its_public_methods() -> None:
    packed = packing(Counter)
    assert packed.__name__ == "Counter"
    assert {name for name in vars(packed) if not name.startswith("_")} == {"add", "value_later", "value", "refuse"}
