"""Plan of a sweep: its trials, its progress, and their ranking. Pure functions, except for the state file."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from rlplatform.errors import Conflict, InvalidRequest
from rlplatform.training.models import Training

MAX_RUNS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RANGE = re.compile(r"(log:)?(.+?)\.\.(.+)")


class Row(NamedTuple):
    """The runs of one setting of the hyperparameters, over all seeds. ``mean``: of the evaluations' returns."""

    hyperparameters: Mapping[str, Any]
    mean: float | None
    std: float | None
    finished: int
    runs: int


class Sweep(BaseModel):
    """A sweep as it is kept between two invocations: what was asked for, and what was started for it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    definition: str
    started: dict[str, str] = {}

    @staticmethod
    def load(folder: Path, name: str, requests: Mapping[str, Mapping[str, Any]]) -> Sweep:
        """The sweep of this name, new or to be continued.

        Raises:
            InvalidRequest: that is no name, or what is kept cannot be read.
            Conflict: one of this name with other settings exists.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name!r} is not a sweep's name: up to 64 letters, digits, '.', '_' and '-'", field="name"
            )
        definition = hashlib.sha256(json.dumps(requests, sort_keys=True).encode()).hexdigest()
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


def plan(
    base: Mapping[str, Any], grid: Sequence[str], sample: Sequence[str], trials: int, seeds: Sequence[int], name: str
) -> dict[str, dict[str, Any]]:
    """The training requests of a sweep by their keys, ``trial/seed``. The same arguments give the same requests.

    Args:
        grid: ``name:value,value,…``; every combination is a trial.
        sample: ``name:low..high`` or ``name:log:low..high``; with these, each combination is drawn ``trials`` times.

    Raises:
        InvalidRequest: one of them cannot be read, or they are too many runs.
    """
    choices = dict(_choices(text) for text in grid)
    ranges = dict(_range(text) for text in sample)
    if (
        twice := choices.keys() & ranges.keys()
        | (choices.keys() | ranges.keys()) & base.get("hyperparameters", {}).keys()
    ):
        raise InvalidRequest(f"{sorted(twice)[0]!r} is given twice", field="--grid")
    if len(choices) < len(grid) or len(ranges) < len(sample):
        raise InvalidRequest("a hyperparameter is given twice", field="--grid")
    drawn = random.Random(name)
    settings = [
        dict(zip(choices, values, strict=True)) | {key: _draw(drawn, *bounds) for key, bounds in ranges.items()}
        for values in itertools.product(*choices.values())
        for _ in range(trials if ranges else 1)
    ]
    if len(settings) * len(seeds) > MAX_RUNS:
        raise InvalidRequest(f"that is {len(settings) * len(seeds)} runs, and {MAX_RUNS} is the most", field="--grid")
    return {
        f"{number}/{seed}": {
            **base,
            "seed": seed,
            "hyperparameters": {**base.get("hyperparameters", {}), **setting},
        }
        for number, setting in enumerate(settings)
        for seed in seeds
    }


def rank(requests: Mapping[str, Mapping[str, Any]], ended: Mapping[str, Training]) -> list[Row]:
    """A row a trial, the best return of the evaluations first; without any, last."""
    trials: dict[str, list[str]] = {}
    for key in requests:
        trials.setdefault(key.partition("/")[0], []).append(key)
    rows = []
    for keys in trials.values():
        runs = [ended[key] for key in keys if key in ended]
        returns = [run.evaluation.episode_return_mean for run in runs if run.evaluation is not None]
        rows.append(
            Row(
                requests[keys[0]]["hyperparameters"],
                statistics.fmean(returns) if returns else None,
                statistics.stdev(returns) if len(returns) > 1 else None,
                len(returns),
                len(keys),
            )
        )
    return sorted(rows, key=lambda row: -math.inf if row.mean is None else row.mean, reverse=True)


def seeds_of(text: str) -> list[int]:
    """``0,1,2`` or ``0..4``, both ends included. :raises InvalidRequest: it is neither, or too many for a sweep."""
    low, dots, high = text.partition("..")
    seeds: Sequence[int]
    try:
        seeds = range(int(low), int(high) + 1) if dots else [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if seeds[MAX_RUNS:]:
        raise InvalidRequest(f"--seeds: {text!r} is more than {MAX_RUNS}, the most runs of a sweep", field="--seeds")
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InvalidRequest(f"--seeds takes 0,1,2 or 0..4, not {text!r}", field="--seeds")
    return list(seeds)


def _choices(text: str) -> tuple[str, list[Any]]:
    name, colon, values = text.partition(":")
    parts = json.loads(values) if values.startswith("[") and _is_json(values) else values.split(",")
    if not name or not colon or not parts or "" in parts:
        raise InvalidRequest(f"--grid takes name:value,value,… not {text!r}", field="--grid")
    return name, [json.loads(part) if isinstance(part, str) and _is_json(part) else part for part in parts]


def _range(text: str) -> tuple[str, tuple[bool, float, float, bool]]:
    name, _, bounds = text.partition(":")
    accepted = "name:low..high, or name:log:low..high with 0 < low < high"
    refusal = InvalidRequest(f"--sample takes {accepted}, not {text!r}", field="--sample")
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
    return name, (bool(match[1]), low, high, whole)


def _draw(drawn: random.Random, log: bool, low: float, high: float, whole: bool) -> float:
    """One value, to six digits; a whole number where both bounds are."""
    value = math.exp(drawn.uniform(math.log(low), math.log(high))) if log else drawn.uniform(low, high)
    return round(value) if whole else float(f"{value:.6g}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
