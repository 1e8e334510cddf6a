"""An OCI seccomp profile as a BPF program, without libseccomp. x86-64 alone: calls of other entries are killed.

Arguments are compared as the kernel reads them: the profiles' are all 32 bits wide.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

from .syscalls import NUMBERS

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_X86_64 = 0xC000003E
_X32_BIT = 0x40000000
_EPERM = 1
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_INSTRUCTION = struct.Struct("HBBI")


def assemble(profile: dict[str, Any], without: Collection[str] = ()) -> bytes:
    """The program that allows what ``profile`` does, less the calls in ``without``; all else fails with EPERM.

    :raises ValueError: the profile has something that this does not know.
    """
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL),
    ]
    for rule in profile["syscalls"]:
        action = _action(rule)
        tests = [test for argument in rule.get("args") or () for test in _tests(argument)]
        for name in rule["names"]:
            if name not in without:
                program += _rule(NUMBERS[name], tests, action)
    program.append((_RETURN, 0, 0, _ERRNO | _EPERM))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)


def _rule(number: int, tests: list[tuple[int, int]], action: int) -> list[tuple[int, int, int, int]]:
    """If the call is ``number`` and all ``tests`` hold, ``action``; else go on with the number loaded."""
    if not tests:
        return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]
    block = []
    for index, (code, operand) in enumerate(tests):
        to_reload = len(tests) - index if code == _EQUAL else 0
        block.append((code, 0, to_reload, operand))
    block += [(_RETURN, 0, 0, action), (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(block), number), *block]


def _tests(argument: dict[str, Any]) -> list[tuple[int, int]]:
    load = (_LOAD, _ARGUMENTS + 8 * argument["index"])
    value = argument["value"]
    if argument["op"] == "SCMP_CMP_EQ":
        return [load, (_EQUAL, value)]
    if argument["op"] == "SCMP_CMP_MASKED_EQ":
        return [load, (_AND, value), (_EQUAL, argument.get("valueTwo", 0))]
    raise ValueError(f"comparison {argument['op']!r} is not known")


def _action(rule: dict[str, Any]) -> int:
    if rule["action"] == "SCMP_ACT_ALLOW":
        return _ALLOW
    if rule["action"] == "SCMP_ACT_ERRNO":
        return _ERRNO | int(rule.get("errnoRet", _EPERM))
    raise ValueError(f"action {rule['action']!r} is not known")
