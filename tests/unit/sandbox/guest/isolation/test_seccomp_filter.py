"""The second filter, run by a little BPF machine."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.sandbox.guest.isolation.jail import FORBIDDEN
from rlplatform.sandbox.guest.isolation.seccomp_filter import assemble
from rlplatform.sandbox.guest.isolation.syscall_numbers import NUMBERS
from rlplatform.sandbox.pool.seccomp import load_profile

PROFILE = json.loads(load_profile("sandbox").text)
X86_64, I386 = 0xC000003E, 0x40000003
ALLOW, KILL = 0x7FFF0000, 0x80000000
ARGUMENTS = [0, 1, 2, 3, 8, 15, 40, 0x80000000, 0xFFFFFFFF]
EPERM, ENOSYS = 0x50001, 0x50026


def run(program: bytes, number: int, *args: int, architecture: int = X86_64) -> int:
    """Return the filter's result for a call."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(args + (0,) * 6)[:6])
    instructions = list(struct.iter_unpack("HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif code == 0x54:
            accumulator &= operand
        else:
            holds = accumulator == operand if code == 0x15 else accumulator >= operand
            at += if_true if holds else if_false


@pytest.fixture(scope="module")
def program() -> bytes:
    return assemble(PROFILE)


def test_every_call_is_as_the_profile_says(program: bytes) -> None:
    plain = {name for rule in PROFILE["syscalls"] if not rule.get("args") for name in rule["names"]} - {"clone3"}
    for number in range(512):
        names = [name for name, value in NUMBERS.items() if value == number]
        if names and names[0] in plain:
            assert run(program, number) == ALLOW, names
        elif not names:
            assert run(program, number) == EPERM


def holds(test: dict[str, Any], value: int) -> bool:
    if test["op"] == "SCMP_CMP_MASKED_EQ":
        return value & test["value"] == test.get("valueTwo", 0)
    return value == test["value"]


def wanted(number: int, args: tuple[int, ...], without: Collection[str]) -> int:
    """Return what the profile says: the action of the first rule that holds."""
    for rule in PROFILE["syscalls"]:
        if number in [NUMBERS[name] for name in rule["names"] if name not in without]:
            tests = rule.get("args") or ()
            masks = [(test["value"], test.get("valueTwo", 0), test["op"] == "SCMP_CMP_MASKED_EQ") for test in tests]
            given = [args[test["index"]] for test in tests]
            if all(
                (value & a) == b if masked else value == a for value, (a, b, masked) in zip(given, masks, strict=True)
            ):
                return ALLOW if rule["action"] == "SCMP_ACT_ALLOW" else 0x50000 | rule.get("errnoRet", 1)
    return EPERM


@pytest.mark.parametrize("without", [frozenset[str](), FORBIDDEN], ids=["container", "jail"])
@given(
    st.integers(0, 520),
    st.lists(st.sampled_from([0, 1, 2, 3, 8, 15, 40, 0x80000000, 0xFFFFFFFF]), min_size=6, max_size=6),
)
def test_every_call_is_answered_as_by_the_first_rule_that_holds(
    without: Collection[str], number: int, args: list[int]
) -> None:
    assert run(assemble(PROFILE, without), number, *args) == wanted(number, tuple(args), without)


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("socket", (1,), ALLOW),
        ("socket", (2,), EPERM),
        ("socket", (40,), EPERM),
        ("clone", (0x11,), ALLOW),
        ("clone", (0x3D0F00,), ALLOW),
        ("clone", (0x10000011,), EPERM),
        ("clone", (0x80,), EPERM),
        ("clone3", (), ENOSYS),
        ("prlimit64", (0,), ALLOW),
        ("prlimit64", (1,), EPERM),
        ("setpriority", (0, 0), ALLOW),
        ("setpriority", (0, 1), EPERM),
        ("personality", (0xFFFFFFFF,), ALLOW),
        ("personality", (0x0040000,), EPERM),
    ],
)
def test_arguments_are_checked(program: bytes, name: str, args: tuple[int, ...], result: int) -> None:
    assert run(program, NUMBERS[name], *args) == result


def test_other_entries_of_the_kernel_are_killed(program: bytes) -> None:
    assert run(program, 0, architecture=I386) == KILL
    assert run(program, 0x40000000 | 39) == KILL


def test_what_is_left_out_is_refused() -> None:
    inner = assemble(PROFILE, without=FORBIDDEN)
    assert {run(inner, NUMBERS[name], 1) for name in FORBIDDEN} == {EPERM}
    assert run(inner, NUMBERS["socketpair"], 1) == ALLOW


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="comparison"):
        assemble(
            {
                "syscalls": [
                    {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "X"}]}
                ]
            }
        )
    with pytest.raises(ValueError, match="action"):
        assemble({"syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG"}]})
