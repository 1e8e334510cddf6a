"""Trainings: before, during and after."""

from __future__ import annotations

import math

from rlplatform.cli.formatting.facts import RETURN, fact_lines, plain, settings, when
from rlplatform.cli.formatting.runs import annotation_facts
from rlplatform.cli.numbers import measure, plus_minus
from rlplatform.training.models import (
    CheckpointInfo,
    EvaluationReport,
    Training,
    TrainingCheck,
    TrainingState,
)


def beforehand(checked: TrainingCheck, env: str, env_steps: int | None) -> str:
    """Say what may surprise about a training that is about to start; empty if nothing does."""
    lines = []
    if checked.preset is None and checked.env_steps_per_iteration is not None:
        lines.append(f"{env} has no tuned preset: what you do not set is as in Stable-Baselines3")
    each = checked.env_steps_per_rollout
    if env_steps is not None and checked.env_steps is not None and each is not None and checked.env_steps > env_steps:
        lines.append(
            f"training stops at the end of a rollout of about {each:,} steps: expect about "
            f"{checked.env_steps:,} steps instead of {env_steps:,}"
        )
    return "\n".join(lines)


def check(checked: TrainingCheck) -> str:
    """A training that would be started, as a few lines."""
    lines = [f"preset          {checked.preset or 'none'}", f"environments    {checked.num_envs}"]
    if checked.env_steps_per_iteration is not None:
        lines.append(f"iteration       {checked.env_steps_per_iteration:,} steps")
    if checked.env_steps is not None:
        lines.append(f"stops after     {checked.env_steps:,} steps")
    return "\n".join([*lines, *(f"{name:<15} {plain(value)}" for name, value in checked.hyperparameters.items())])


def report(report: EvaluationReport) -> str:
    """Episodes of a deterministic policy as a phrase."""
    error = report.episode_return_std / math.sqrt(report.episodes)
    return (
        f"return {plus_minus(report.episode_return_mean, error)} (mean of {report.episodes} episodes, standard error; "
        f"deviation {measure(report.episode_return_std, beside=report.episode_return_mean)})"
    )


def training(training: Training) -> str:
    """A training as text: a line a fact."""
    progress = training.progress
    engine = (training.manifest or {}).get("engine") or {}
    engine = engine if isinstance(engine, dict) else {}
    facts = {
        "id": training.id,
        **annotation_facts(training),
        "state": training.state.value + (" (simulated)" if training.simulated else ""),
        "stopped because": ending(training.state, training.stop_reason),
        "message": training.message,
        "queue position": training.queue_position,
        "environment": training.request.env,
        "seed": training.request.seed,
        "preset": engine.get("preset") or training.request.preset or ("none" if engine else None),
        "hyperparameters": settings(engine.get("hyperparameters") or training.request.hyperparameters) or None,
        "continues from": training.request.resume_from,
        "iterations": progress.iteration,
        "steps": f"{progress.env_steps:,}",
        "episodes": f"{progress.episodes:,}",
        "training time": f"{progress.train_wall_s:.1f} s",
        "training return": f"{measure(training.metrics[RETURN])} (mean of the last 100 episodes)"
        if RETURN in training.metrics
        else None,
        "evaluation": report(training.evaluation) if training.evaluation else None,
        "checkpoint": training.checkpoint.id if training.checkpoint else None,
        "restarts": training.restarts or None,
        "created": when(training.created_at),
        "finished": when(training.finished_at) if training.finished_at else None,
    }
    return fact_lines(facts)


def ending(state: str, reason: str | None) -> str | None:
    """Return why a training has ended. For one that succeeded, this is the stop criterion that it reached."""
    return f"{reason} reached" if reason and state == TrainingState.SUCCEEDED else reason


def checkpoint(info: CheckpointInfo) -> dict[str, str]:
    """A checkpoint as a row of a list."""
    return {
        "ID": info.id,
        "STEPS": f"{info.env_steps:,}",
        "TRAINING RETURN": measure(info.episode_return_mean) if info.episode_return_mean is not None else "",
        "SIZE": f"{info.size_bytes / 2**20:.2f} MiB",
        "BEST": "best" if info.best else "",
    }
