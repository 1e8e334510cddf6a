"""The hostile programs of ``programs/``: each a file whose ``#|`` head says, in TOML, what must become of it.

``family``, ``why``; ``kinds``: the outcomes that are fine; ``stdout``, ``exit_code``, ``signal``: exactly these;
``returned``: whether a call has a value; ``max_wall_s``; ``stdins``: one execution each, in one sandbox; ``source``:
an expression that makes the program; ``not_in_gvisor``: why it means nothing there; ``also_in_gvisor``: outcomes that
are fine there as well. Whatever is said, a program that prints BREACH has got through.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlplatform.sandbox.models import Call, Execution, Limits, Outcome, OutcomeKind, Program

FOLDER = Path(__file__).parent / "programs"
MARK = b"BREACH"


@dataclass(frozen=True)
class Attack:
    """One hostile program and what must become of it."""

    name: str
    program: Program
    family: str
    why: str
    kinds: tuple[OutcomeKind, ...]
    executions: tuple[Execution, ...]
    exact: dict[str, Any] = field(default_factory=dict)
    max_wall_s: float = float("inf")
    not_in_gvisor: str | None = None
    also_in_gvisor: tuple[OutcomeKind, ...] = ()

    def complaints(self, outcomes: list[Outcome]) -> list[str]:
        """Return what is wrong with the outcomes of its executions; empty when the defence held."""
        found = []
        for outcome in outcomes:
            if MARK in outcome.stdout:
                found.append(f"got through: {outcome.stdout[-300:]!r}")
            if outcome.kind not in self.kinds:
                found.append(f"{outcome.kind.value} ({outcome.detail}); stderr {outcome.stderr[-300:]!r}")
            if outcome.usage.wall_time_s > self.max_wall_s:
                found.append(f"took {outcome.usage.wall_time_s:.1f} s")
        last = outcomes[-1]
        seen = {
            "stdout": last.stdout.decode("utf-8", "replace"),
            "exit_code": last.exit_code,
            "signal": last.signal,
            "returned": last.returned is not None,
        }
        found += [
            f"{key} is {seen[key]!r}, not {wanted!r}" for key, wanted in self.exact.items() if seen[key] != wanted
        ]
        return found


def load() -> list[Attack]:
    """All of them, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.py"))]


def _read(path: Path) -> Attack:
    lines = path.read_text().splitlines(keepends=True)
    head = tomllib.loads("".join(line.removeprefix("#| ") for line in lines if line.startswith("#| ")))
    body = "".join(line for line in lines if not line.startswith("#| "))
    source = eval(head.pop("source")) if "source" in head else body
    limits = Limits.model_validate({"output_kib": 64} | head.pop("limits", {}))
    call = Call(head.pop("call")) if "call" in head else None
    stdins = head.pop("stdins", [""])
    if "stdin_repeat" in head:
        stdins = ["x" * head.pop("stdin_repeat")]
    attack = Attack(
        name=path.stem,
        program=Program({"main.py": source.encode()}),
        family=head.pop("family"),
        why=head.pop("why"),
        kinds=tuple(OutcomeKind(kind) for kind in head.pop("kinds")),
        executions=tuple(Execution(limits, stdin.encode(), call) for stdin in stdins),
        exact={key: head.pop(key) for key in ("stdout", "exit_code", "signal", "returned") if key in head},
        max_wall_s=head.pop("max_wall_s", float("inf")),
        not_in_gvisor=head.pop("not_in_gvisor", None),
        also_in_gvisor=tuple(OutcomeKind(kind) for kind in head.pop("also_in_gvisor", [])),
    )
    if head:
        raise ValueError(f"{path.name} has unknown fields in its head: {sorted(head)}")
    return attack
