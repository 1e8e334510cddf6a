"""Search spaces and seeds as options of a command, and the sweeps that this folder knows by name."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rlplatform.errors import Conflict, InvalidRequest

MAX_SEEDS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RANGE = re.compile(r"(log:)?(.+?)\.\.(.+)")


class Sweep(BaseModel):
    """A sweep as it is kept between two invocations: what was asked for, and its study."""

    model_config = ConfigDict(extra="forbid")

    name: str
    definition: str
    study_id: str | None = None

    @staticmethod
    def load(folder: Path, name: str, request: Mapping[str, Any]) -> Sweep:
        """The sweep of this name, new or to be continued.

        Raises:
            InvalidRequest: that is no name, or what is kept cannot be read.
            Conflict: one of this name with other settings exists.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name!r} is not a sweep's name: up to 64 letters, digits, '.', '_' and '-'", field="name"
            )
        definition = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        path = folder / f"{name}.json"
        if not path.exists():
            return Sweep(name=name, definition=definition)
        try:
            known = Sweep.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InvalidRequest(f"{path} cannot be read: {error}", field="name") from None
        if known.definition != definition:
            raise Conflict(f"a sweep {name!r} with other settings exists ({path}); choose another name, or delete that")
        return known

    def save(self, folder: Path) -> None:
        """Write it down, in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{self.name}.part"
        part.write_text(self.model_dump_json())
        part.replace(folder / f"{self.name}.json")


def space_of(grid: Sequence[str], sample: Sequence[str], fixed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the search space of the options ``--grid`` and ``--sample``.

    Args:
        grid: ``name:value,value,…``.
        sample: ``name:low..high`` or ``name:log:low..high``.
        fixed: hyperparameters that are the same for all.

    Raises:
        InvalidRequest: an option cannot be read, or a hyperparameter is given twice.
    """
    named = [choices(text) for text in grid] + [range_of(text) for text in sample]
    names = [name for name, _ in named]
    if twice := [name for name in names if names.count(name) > 1 or name in fixed]:
        raise InvalidRequest(f"{twice[0]!r} is given twice", field="--grid")
    return dict(named)


def parameter_of(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameter of ``name:low..high``, ``name:log:low..high`` or ``name:value,value,…``.

    Raises:
        InvalidRequest: it is none of these.
    """
    if _RANGE.fullmatch(text.partition(":")[2]):
        return range_of(text, "--space")
    return choices(text, "--space")


def choices(text: str, option: str = "--grid") -> tuple[str, dict[str, Any]]:
    """Return the name and the choices of ``name:value,value,…``; the values may be a JSON list.

    Raises:
        InvalidRequest: it is something else.
    """
    name, colon, values = text.partition(":")
    parts = json.loads(values) if values.startswith("[") and _is_json(values) else values.split(",")
    if not name or not colon or not parts or "" in parts:
        raise InvalidRequest(f"{option} takes name:value,value,… not {text!r}", field=option)
    found = [json.loads(part) if isinstance(part, str) and _is_json(part) else part for part in parts]
    return name, {"kind": "categorical", "choices": found}


def range_of(text: str, option: str = "--sample") -> tuple[str, dict[str, Any]]:
    """Return the name and the range of ``name:low..high`` or ``name:log:low..high``: of whole numbers where both ends
    are.

    Raises:
        InvalidRequest: it is something else.
    """
    name, _, bounds = text.partition(":")
    accepted = "name:low..high, or name:log:low..high with 0 < low < high"
    refusal = InvalidRequest(f"{option} takes {accepted}, not {text!r}", field=option)
    match = _RANGE.fullmatch(bounds)
    if not name or match is None:
        raise refusal
    try:
        low, high = float(match[2]), float(match[3])
    except ValueError:
        raise refusal from None
    if not (0 if match[1] else -math.inf) < low < high < math.inf:
        raise refusal
    whole = all(re.fullmatch(r"-?\d+", match[group]) for group in (2, 3))
    ends = {"low": int(match[2]), "high": int(match[3])} if whole else {"low": low, "high": high}
    return name, {"kind": "int" if whole else "float", **ends, "log": bool(match[1])}


def seeds_of(text: str) -> list[int]:
    """``0,1,2`` or ``0..4``, both ends included. :raises InvalidRequest: it is neither, or too many for a sweep."""
    low, dots, high = text.partition("..")
    seeds: Sequence[int]
    try:
        seeds = range(int(low), int(high) + 1) if dots else [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if seeds[MAX_SEEDS:]:
        raise InvalidRequest(f"--seeds: {text!r} is more than {MAX_SEEDS}, the most seeds of a sweep", field="--seeds")
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InvalidRequest(f"--seeds takes 0,1,2 or 0..4, not {text!r}", field="--seeds")
    return list(seeds)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
