"""An OCI seccomp profile as a BPF program, without libseccomp. x86-64 alone: calls of other entries are killed.

The number of the call is searched for in halves: the kernel runs a new filter for every number there is, to learn which
are always allowed. Arguments are compared as the kernel reads them: the profiles' are all 32 bits wide.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

from .syscall_numbers import NUMBERS

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_X86_64 = 0xC000003E
_X32_BIT = 0x40000000
_EPERM = 1
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_INSTRUCTION = struct.Struct("HBBI")
_FARTHEST = 255  # instructions that a jump can pass over

_Code = list[tuple[int, int, int, int]]


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
    answers: dict[int, _Code] = {}
    for rule in profile["syscalls"]:
        tests = [test for argument in rule.get("args") or () for test in _tests(argument)]
        for name in rule["names"]:
            if name not in without:
                answers.setdefault(NUMBERS[name], []).extend(_rule(tests, _action(rule)))
    program += _search(_ranges(answers))
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)


def _rule(tests: list[tuple[int, int]], action: int) -> _Code:
    """If all ``tests`` hold, ``action``; else go on."""
    code = [(name, 0, len(tests) - at if name == _EQUAL else 0, operand) for at, (name, operand) in enumerate(tests)]
    return [*code, (_RETURN, 0, 0, action)]


def _ranges(answers: dict[int, _Code]) -> list[tuple[int, _Code]]:
    """The first number of each range of calls that are answered alike, and the answer."""
    ranges: list[tuple[int, _Code]] = []
    for number in range(max(answers) + 2):
        code = [*answers.get(number, ()), (_RETURN, 0, 0, _ERRNO | _EPERM)]
        if code[0][0] == _RETURN:
            code = code[:1]
        if not ranges or ranges[-1][1] != code:
            ranges.append((number, code))
    return ranges


def _search(ranges: list[tuple[int, _Code]]) -> _Code:
    if len(ranges) == 1:
        return ranges[0][1]
    half = len(ranges) // 2
    low, high = _search(ranges[:half]), _search(ranges[half:])
    if len(low) > _FARTHEST:
        raise ValueError("the profile is too long")
    return [(_AT_LEAST, len(low), 0, ranges[half][0]), *low, *high]


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
