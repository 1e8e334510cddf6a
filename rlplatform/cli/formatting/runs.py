"""Rows and annotations of runs of both kinds."""

from __future__ import annotations

from rlplatform.cli.formatting.facts import RETURN, settings
from rlplatform.cli.numbers import measure
from rlplatform.evaluation.models import Evaluation
from rlplatform.training.models import (
    Training,
    TrainingState,
)


def row(run: Training | Evaluation) -> dict[str, str]:
    """A run as a row of a list."""
    if isinstance(run, Training):
        request = run.request
        config = {name: value for name, value in request.env_config.items() if name != "simulated_iteration_s"}
        told = {**({"preset": request.preset} if request.preset else {}), **request.hyperparameters, **config}
        what, result = f"{request.env} seed {request.seed}", f"{run.progress.env_steps:,} steps"
        what += f" {settings(told)}" if told else ""
        what += " (simulated)" if run.simulated else ""
        if RETURN in run.metrics:
            result += f", return {measure(run.metrics[RETURN])}"
        if run.evaluation is not None:
            result += f", evaluation {measure(run.evaluation.episode_return_mean)}"
        if run.state is TrainingState.FAILED:
            result += f", {run.stop_reason}"
        state = run.state.value
        what = f"{run.name}: {what}" if run.name else what
    else:
        what, state = run.name or "evaluation", str(run.state)
        result = f"{run.verdict} {run.score:g}/{run.max_score:g}" if run.score is not None else run.message or ""
    return {
        "ID": run.id,
        "WHAT": what,
        "STATE": state,
        "RESULT": result,
        "CREATED": f"{run.created_at.astimezone():%Y-%m-%d %H:%M}",
    }


def annotation_facts(run: Training | Evaluation) -> dict[str, str | None]:
    labels = " ".join(f"{key}={value}" for key, value in run.labels.items())
    return {"name": run.name, "labels": labels or None, "notes": run.notes}
