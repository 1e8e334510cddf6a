"""Settings of trainings, and groups of those that differ in nothing but the seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rlplatform.comparison.models import ComparedSetting
from rlplatform.training.models import Training, TrainingRequest
from rlplatform.training.request_checks import effective

_NOT_SETTINGS = {"seed", "name", "labels", "notes", "priority", "hyperparameters"}
_SHOWN_IN_TITLE = 4


class Settings(NamedTuple):
    """Settings of a training by dotted name, and the names that its request gave."""

    values: Mapping[str, Any]
    given: frozenset[str]

    @property
    def key(self) -> str:
        """Text that equal settings share."""
        return json.dumps(self.values, sort_keys=True)


def settings_of(request: TrainingRequest) -> Settings:
    """Return the settings of a request, with all hyperparameters: those given, over the preset's, over the defaults."""
    document = request.model_dump(mode="json", exclude=_NOT_SETTINGS)
    hyperparameters = effective(request)[0].model_dump(mode="json")
    sent = request.model_dump(mode="json", exclude=_NOT_SETTINGS, exclude_unset=True)
    given = {*_flat(sent), *(f"hyperparameters.{name}" for name in _flat(request.hyperparameters))}
    return Settings({**_flat(document), **_flat(hyperparameters, "hyperparameters.")}, frozenset(given))


def grouped(trainings: Sequence[Training]) -> list[tuple[Settings, list[Training]]]:
    """Return groups of trainings with equal settings, each by seed, in the order of their first training."""
    found: dict[str, tuple[Settings, list[Training]]] = {}
    for training in trainings:
        settings = settings_of(training.request)
        found.setdefault(settings.key, (settings, []))[1].append(training)
    return [(settings, sorted(group, key=_by_seed)) for settings, group in found.values()]


def compared_settings(groups: Sequence[Settings]) -> list[ComparedSetting]:
    """Return a row for each setting: those that differ first, then by name."""
    names = {name for group in groups for name in group.values}
    rows = [_row(name, groups) for name in sorted(names)]
    return sorted(rows, key=lambda row: not row.differs)


def title_of(settings: Settings, rows: Sequence[ComparedSetting]) -> str:
    """Return what tells a group from the others, in a line: its environment, where nothing does."""
    differing = [row.name for row in rows if row.differs]
    shown = [f"{_short(name)} {_text(settings.values.get(name))}" for name in differing[:_SHOWN_IN_TITLE]]
    return " · ".join(shown) or str(settings.values.get("env", ""))


def _row(name: str, groups: Sequence[Settings]) -> ComparedSetting:
    values = [group.values.get(name) for group in groups]
    differs = len({json.dumps(value, sort_keys=True) for value in values}) > 1
    return ComparedSetting(name=name, values=values, given=[name in group.given for group in groups], differs=differs)


def _by_seed(training: Training) -> tuple[int, str]:
    return training.request.seed, training.id


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{prefix}{name}.")
        elif value is not None and value != {}:
            found[prefix + name] = value
    return found


def _short(name: str) -> str:
    return name.removeprefix("hyperparameters.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
