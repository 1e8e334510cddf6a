"""Studies in words. Pure: returns text, prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.cli import numbers
from rlplatform.cli.formatting.facts import fact_lines
from rlplatform.cli.numbers import measure
from rlplatform.studies.events import (
    StudyEvent,
    StudyFailed,
    StudyPaused,
    StudyResumed,
    StudyStarted,
    StudyStopped,
    StudySucceeded,
    StudyTrialFinished,
    StudyTrialPruned,
    StudyTrialReported,
    StudyTrialStarted,
    StudyTrialSuggested,
    StudyWaiting,
)
from rlplatform.studies.models import Interval, Study, Trial
from rlplatform.studies.ranking import in_order


def event(event: StudyEvent) -> str | None:
    """An event as one line; None for those that say nothing to people."""
    match event:
        case StudyStarted():
            return "running" if event.epoch == 1 else f"continued by owner {event.epoch}"
        case StudyWaiting():
            return f"waiting: {event.reason}"
        case StudyTrialSuggested():
            origin = f", continues from trial {event.parent}" if event.parent is not None else ""
            return f"trial {event.trial}: {values(event.hyperparameters)}{origin}"
        case StudyTrialStarted():
            return f"trial {event.trial}, seed {event.seed}: {event.training_id}"
        case StudyTrialReported():
            return f"trial {event.trial}: return {measure(event.report.value)} at {event.report.env_steps:,} steps"
        case StudyTrialPruned():
            return f"trial {event.trial} is pruned after report {event.report}"
        case StudyTrialFinished():
            result = f": return {score(event.value, event.interval)}" if event.value is not None else ""
            told = f" ({event.message})" if event.message else ""
            return f"trial {event.trial} {event.state.value.replace('_', ' ')}{result}{told}"
        case StudyPaused():
            return "paused"
        case StudyResumed():
            return "resumed"
        case StudySucceeded() | StudyStopped():
            return f"{event.type.partition('.')[2]}: {event.stop_reason}"
        case StudyFailed():
            return f"failed: {event.reason}"
    return None


def study(study: Study) -> str:
    """A study as text: a line a fact."""
    request = study.request
    facts = {
        "id": study.id,
        "name": request.name,
        "state": study.state.value,
        "stopped because": study.stop_reason,
        "message": study.message,
        "environment": request.training.env,
        "sampler": request.sampler.kind,
        "pruner": request.pruner.kind if request.pruner is not None else None,
        "seeds": ", ".join(map(str, request.seeds)),
        "trials": f"{study.trial_count}" + (f" of {request.planned_trials}" if request.planned_trials else ""),
        "steps": f"{study.env_steps:,}"
        + (f" of {request.budget_env_steps:,}" if request.budget_env_steps is not None else ""),
        "best": f"trial {study.best_trial}: return {measure(study.best_value)}"
        if study.best_value is not None
        else None,
        "with": values(study.best_hyperparameters) if study.best_hyperparameters is not None else None,
        "importance": values({name: round(share, 2) for name, share in study.importances.items()}) or None,
    }
    return fact_lines(facts)


def row(study: Study) -> dict[str, str]:
    """A study as a row of a list."""
    request = study.request
    return {
        "ID": study.id,
        "WHAT": f"{request.name or request.training.env}: {', '.join(request.space) or 'seeds'}",
        "STATE": study.state.value,
        "TRIALS": f"{study.trial_count}" + (f"/{request.planned_trials}" if request.planned_trials else ""),
        "BEST": measure(study.best_value) if study.best_value is not None else "",
        "CREATED": f"{study.created_at.astimezone():%Y-%m-%d %H:%M}",
    }


def trial_rows(study: Study) -> list[dict[str, str]]:
    """The trials of a study as rows of a table, best first."""
    return [
        {
            "RANK": str(trial.rank) if trial.rank is not None else "",
            "TRIAL": str(trial.number),
            "STATE": trial.state.value.replace("_", " "),
            "RETURN": score(trial.value, trial.interval),
            "SEEDS": f"{_ended(trial)}/{len(study.request.seeds)}",
            "STEPS": f"{sum(training.env_steps for training in trial.trainings):,}",
            "HYPERPARAMETERS": values(trial.hyperparameters),
        }
        for trial in in_order(study.trials)
    ]


def values(values: Mapping[str, Any]) -> str:
    """Hyperparameters as ``name=value``, numbers to four digits."""
    return " ".join(f"{name}={_plain(value)}" for name, value in values.items())


def score(value: float | None, interval: Interval | None) -> str:
    """A trial's value with its interval; empty: there is none."""
    if value is None:
        return ""
    return measure(value) if interval is None else numbers.interval(value, interval.low, interval.high)


def _ended(trial: Trial) -> int:
    return sum(training.episode_return_mean is not None for training in trial.trainings)


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace(" ", "")
