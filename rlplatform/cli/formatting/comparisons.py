"""Comparisons in words and curves. Pure: returns text, prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from rlplatform.cli.numbers import interval, measure
from rlplatform.cli.plot import Series
from rlplatform.comparison.models import ComparedGroup, ComparedRun, Comparison, Estimate

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHOWN = 3
_ID_END = 8


def group_rows(comparison: Comparison) -> list[dict[str, str]]:
    """The groups as rows of a table, best first."""
    names = group_names(comparison)
    return [
        {
            "GROUP": name,
            "RUNS": _runs(group.runs),
            "FINAL": estimate(group.final),
            "BEST": estimate(group.best),
            "EVALUATION": estimate(group.evaluation),
            "STEPS": f"{round(sum(run.env_steps for run in group.runs) / len(group.runs)):,}",
            "STEPS/S": speed(group),
        }
        for name, group in zip(names, comparison.groups, strict=True)
    ]


def setting_rows(comparison: Comparison) -> list[dict[str, str]]:
    """The settings that differ, with a column for each group; ``*`` marks those that no request gave."""
    names = group_names(comparison)
    return [
        {
            "SETTING": setting.name.removeprefix("hyperparameters."),
            **{
                name: _value(value) + ("" if given or value is None else "*")
                for name, value, given in zip(names, setting.values, setting.given, strict=True)
            },
        }
        for setting in comparison.settings
        if setting.differs
    ]


def group_names(comparison: Comparison) -> list[str]:
    """Return a letter for each group, or a number where letters do not suffice."""
    count = len(comparison.groups)
    return list(_LETTERS[:count]) if count <= len(_LETTERS) else [str(number + 1) for number in range(count)]


def estimate(found: Estimate | None) -> str:
    """An estimate with its interval, where there are several runs."""
    if found is None:
        return ""
    return interval(found.iqm, found.low, found.high) if found.runs > 1 else measure(found.iqm)


def speed(group: ComparedGroup) -> str:
    """Environment steps in a second of training, over all runs of a group."""
    seconds = sum(run.train_wall_s for run in group.runs)
    return f"{sum(run.env_steps for run in group.runs) / seconds:,.0f}" if seconds > 0 else ""


def curves(comparison: Comparison) -> list[Series]:
    """Return the curve of every run, named by group, name or id, and seed."""
    several = len(comparison.groups) > 1
    return [
        Series(f"{group.title}: {_name(run)}" if several else _name(run), run.x, run.y)
        for group in comparison.groups
        for run in group.runs
    ]


def _runs(runs: Sequence[ComparedRun]) -> str:
    shown = [_name(run) for run in runs[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else "")


def _name(run: ComparedRun) -> str:
    return f"{run.name or '…' + run.id[-_ID_END:]} (seed {run.seed})"


def _value(value: JsonValue) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
