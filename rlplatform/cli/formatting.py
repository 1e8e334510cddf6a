"""Runs, events and errors in words. Pure: returns text, prints nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rlplatform.access.models import KeyInfo
from rlplatform.access.principals import Principal, Scope
from rlplatform.cli import study_formatting
from rlplatform.cli.numbers import measure, plus_minus
from rlplatform.environments.models import SpaceInfo
from rlplatform.errors import (
    CapacityExhausted,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformError,
    SandboxUnavailable,
    Unavailable,
)
from rlplatform.evaluation.events import (
    EvaluationCancelled,
    EvaluationFailed,
    EvaluationFinished,
    EvaluationOutput,
    EvaluationQueued,
    EvaluationRetried,
    EvaluationStarted,
    EvaluationTestFinished,
)
from rlplatform.evaluation.models import Evaluation, KeptFile, TestResult, Verdict
from rlplatform.files.models import FileInfo
from rlplatform.policies.models import PolicyInfo
from rlplatform.quotas.models import QuotaState, TenantQuotas, Usage
from rlplatform.runs.events import Event, StreamGap
from rlplatform.studies.events import StudyEvent
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEnvironmentFault,
    TrainingEvaluated,
    TrainingEvaluationCutShort,
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingProgressed,
    TrainingQueued,
    TrainingRecovered,
    TrainingResumed,
    TrainingStarted,
    TrainingStopped,
    TrainingSucceeded,
    TrainingWaiting,
)
from rlplatform.training.models import (
    CheckpointInfo,
    EvaluationReport,
    StopCriteria,
    Training,
    TrainingCheck,
    TrainingState,
)
from rlplatform.webhooks.models import EVENTS, Delivery, Webhook

FACT = 16
"""Columns of a fact's name."""
MESSAGE = 200
"""Characters of a test's message that its line shows."""
RETURN = "rollout/episode_return_mean"

_HINTS: tuple[tuple[type[PlatformError], str], ...] = (
    (NotAuthenticated, "give --api-key, or set RLP_URL and RLP_API_KEY; `make run` keeps one in .rlp/local.json"),
    (NotFound, "`rlp runs ls` shows what there is"),
    (SandboxUnavailable, "`rlp doctor` says what is missing on this machine"),
    (CapacityExhausted, "ask for fewer env runners or learners, or come again later"),
    (Unavailable, "start it with `make run` or `rlp serve`"),
)


def hint(error: PlatformError) -> str | None:
    """Return what may help against ``error``."""
    if isinstance(error, NotAllowed) and "scope" in error.extra:
        return "ask for a key with this scope"
    if isinstance(error, NotFound) and not re.search("run|training|evaluation|study", error.detail):
        return None
    return next((text for cls, text in _HINTS if isinstance(error, cls)), None)


def event(event: Event) -> str | None:
    """An event as one line; None for those that say nothing to people."""
    match event:
        case EvaluationQueued():
            place = f", {event.queue_position} before it" if event.queue_position else ""
            wait = f", starts in about {event.expected_wait_s:.0f} s" if event.expected_wait_s else ""
            return f"queued: {event.tests} test{'s' if event.tests != 1 else ''}{place}{wait}"
        case EvaluationStarted():
            return "running" if event.attempt == 1 else f"running, attempt {event.attempt}"
        case EvaluationOutput():
            return "\n".join(f"  {event.test} │ {line}" for line in event.text.splitlines()) or None
        case EvaluationTestFinished():
            return test(event.result)
        case EvaluationRetried():
            return f"attempt {event.attempt} failed on our side: {event.reason}; trying again"
        case EvaluationFinished():
            return "\n".join(
                [f"{event.verdict}: {event.score:g} of {event.max_score:g} points", *kept_files(event.files)]
            )
        case EvaluationCancelled() | EvaluationFailed():
            return f"{event.type.partition('.')[2]}: {event.reason}"
        case TrainingQueued():
            return "queued" + (" (simulated)" if event.simulated else "")
        case TrainingWaiting():
            return event.reason
        case TrainingStarted():
            return "running"
        case TrainingIterationCompleted():
            return figures(event)
        case TrainingEvaluated():
            return f"policy evaluated at {event.env_steps:,} steps: {report(event.report)}"
        case TrainingProgressed():
            return f"{event.phase} of iteration {event.iteration}: {event.env_steps:,} steps so far"
        case TrainingEvaluationCutShort():
            ended = f"; until then: {report(event.report)}" if event.report else ""
            return f"evaluation at {event.env_steps:,} steps cut short: {event.reason}{ended}"
        case TrainingEnvironmentFault():
            copies = f" in {event.count} copies" if event.count > 1 else ""
            return f"fault {event.total}: {event.source}: {event.kind}{copies}: {event.message}"
        case TrainingCheckpointSaved():
            return f"checkpoint {event.checkpoint.id} at {event.checkpoint.env_steps:,} steps"
        case TrainingPaused():
            return f"paused at {event.progress.env_steps:,} steps"
        case TrainingResumed():
            return f"resumed at {event.progress.env_steps:,} steps"
        case TrainingInterrupted():
            return f"interrupted: {event.reason}; recovering in {event.retry_in_s:.1f} s"
        case TrainingRecovered():
            return f"recovered at {event.env_steps:,} steps; {event.redone_iterations} iterations are repeated"
        case TrainingSucceeded() | TrainingStopped():
            state = event.type.partition(".")[2]
            return f"{state} at {event.progress.env_steps:,} steps: {_ending(state, event.stop_reason)}"
        case TrainingFailed():
            return f"failed at {event.progress.env_steps:,} steps: {event.reason}"
        case StudyEvent():
            return study_formatting.event(event)
        case StreamGap():
            return f"(events {event.first_seq} to {event.last_seq} were skipped: this reader is too slow)"
    return None


def beforehand(checked: TrainingCheck, env: str, env_steps: int | None) -> str:
    """Say what may surprise about a training that is about to start; empty if nothing does."""
    lines = []
    if checked.preset is None and checked.env_steps_per_iteration is not None:
        lines.append(f"{env} has no tuned preset: what you do not set is as in Stable-Baselines3")
    each = checked.env_steps_per_iteration
    if env_steps is not None and checked.env_steps is not None and each is not None and checked.env_steps > env_steps:
        lines.append(
            f"training stops at the end of an iteration of about {each:,} steps: expect about "
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
    return "\n".join([*lines, *(f"{name:<15} {value}" for name, value in checked.hyperparameters.items())])


def test(result: TestResult) -> str:
    """A test's result as one line."""
    mark = "✓" if result.verdict is Verdict.ACCEPTED else "✗"
    hidden = " (hidden)" if result.hidden else ""
    parts = [f"{mark} {result.id}{hidden}  {result.verdict}"]
    if result.cpu_time_s is not None:
        parts.append(f"{result.cpu_time_s:.3f} s")
    if result.peak_memory_bytes is not None:
        parts.append(f"{result.peak_memory_bytes / 2**20:.1f} MiB")
    if result.message:
        message = result.message.replace("\n", " ")
        parts.append(message if len(message) <= MESSAGE else f"{message[:MESSAGE]}…")
    return "  ".join(parts)


def report(report: EvaluationReport) -> str:
    """Episodes of a deterministic policy as a phrase."""
    error = report.episode_return_std / math.sqrt(report.episodes)
    return (
        f"return {plus_minus(report.episode_return_mean, error)} (mean of {report.episodes} episodes, standard error; "
        f"deviation {measure(report.episode_return_std, beside=report.episode_return_mean)})"
    )


def figures(event: TrainingIterationCompleted, stop: StopCriteria | None = None) -> str:
    """Return the progress of a training: steps, return, speed, and the time left until ``stop``."""
    parts = [f"{event.env_steps:,} steps"]
    if RETURN in event.metrics:
        parts.append(f"return {measure(event.metrics[RETURN])}")
    if event.train_wall_s > 0:
        parts.append(f"{event.env_steps / event.train_wall_s:,.0f} steps/s")
    done = fraction(event, stop) if stop is not None else None
    if done and done < 1:
        parts.append(f"{duration(event.train_wall_s * (1 - done) / done)} left")
    return " · ".join(parts)


def progress(event: TrainingIterationCompleted, stop: StopCriteria) -> str:
    """The same with the iteration, and how far it is."""
    done = fraction(event, stop)
    return f"iteration {event.iteration}" + (f" ({done:.0%})" if done is not None else "") + f": {figures(event, stop)}"


def fraction(event: TrainingIterationCompleted, stop: StopCriteria) -> float | None:
    """How far a training is towards the criterion that it is nearest to; the return does not count, for it may fall."""
    parts = [
        done / goal
        for done, goal in (
            (event.env_steps, stop.env_steps),
            (event.train_wall_s, stop.wall_time_s),
            (event.iteration, stop.iterations),
        )
        if goal
    ]
    return min(1.0, max(parts)) if parts else None


def duration(seconds: float) -> str:
    """A duration in its two largest units, such as ``2 h 05 min``."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s" if minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def evaluation(evaluation: Evaluation) -> str:
    """An evaluation as text: a line a test, then the verdict."""
    given = {"id": evaluation.id, **_annotations(evaluation)} if any(_annotations(evaluation).values()) else {}
    lines = [f"{name:<{FACT}}{value}" for name, value in given.items() if value is not None]
    lines += [test(result) for result in evaluation.tests]
    points = f": {evaluation.score:g} of {evaluation.max_score:g} points" if evaluation.score is not None else ""
    lines.append(f"{evaluation.verdict or evaluation.state}{points}")
    if evaluation.queue_position is not None:
        lines.append(f"position in the queue: {evaluation.queue_position}")
    if evaluation.message:
        lines.append(evaluation.message)
    return "\n".join([*lines, *kept_files(evaluation.files)])


def kept_files(files: Sequence[KeptFile]) -> list[str]:
    """Files that an evaluation has kept, a line each."""
    lines = []
    for file in files:
        of = f" of {file.test}" if file.test is not None else ""
        lines.append(f"kept {file.path}{of}: {file.size_bytes:,} bytes, rlp files get {file.file}")
    return lines


def training(training: Training) -> str:
    """A training as text: a line a fact."""
    progress = training.progress
    engine = (training.manifest or {}).get("engine") or {}
    engine = engine if isinstance(engine, dict) else {}
    facts = {
        "id": training.id,
        **_annotations(training),
        "state": training.state.value + (" (simulated)" if training.simulated else ""),
        "stopped because": _ending(training.state, training.stop_reason),
        "message": training.message,
        "queue position": training.queue_position,
        "environment": training.request.env,
        "seed": training.request.seed,
        "preset": engine.get("preset") or training.request.preset or ("none" if engine else None),
        "hyperparameters": _settings(engine.get("hyperparameters") or training.request.hyperparameters) or None,
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
    return "\n".join(f"{name:<{FACT}}{value}" for name, value in facts.items() if value is not None)


def _ending(state: str, reason: str | None) -> str | None:
    """Return why a training has ended. For one that succeeded, this is the stop criterion that it reached."""
    return f"{reason} reached" if reason and state == TrainingState.SUCCEEDED else reason


def _annotations(run: Training | Evaluation) -> dict[str, str | None]:
    labels = " ".join(f"{key}={value}" for key, value in run.labels.items())
    return {"name": run.name, "labels": labels or None, "notes": run.notes}


def row(run: Training | Evaluation) -> dict[str, str]:
    """A run as a row of a list."""
    if isinstance(run, Training):
        request = run.request
        config = {name: value for name, value in request.env_config.items() if name != "simulated_iteration_s"}
        told = {**({"preset": request.preset} if request.preset else {}), **request.hyperparameters, **config}
        what, result = f"{request.env} seed {request.seed}", f"{run.progress.env_steps:,} steps"
        what += f" {_settings(told)}" if told else ""
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


def _settings(values: Mapping[str, Any]) -> str:
    """Settings as ``name=value``."""
    return " ".join(f"{name}={_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def checkpoint(info: CheckpointInfo) -> dict[str, str]:
    """A checkpoint as a row of a list."""
    return {
        "ID": info.id,
        "STEPS": f"{info.env_steps:,}",
        "TRAINING RETURN": measure(info.episode_return_mean) if info.episode_return_mean is not None else "",
        "SIZE": f"{info.size_bytes / 2**20:.2f} MiB",
        "BEST": "best" if info.best else "",
    }


def file_row(info: FileInfo) -> dict[str, str]:
    """An uploaded file as a row of a list."""
    return {
        "ID": info.id,
        "NAME": info.name,
        "SIZE": f"{info.size_bytes:,}",
        "TYPE": info.media_type,
        "CREATED": when(info.created_at),
    }


def policy_row(info: PolicyInfo) -> dict[str, str]:
    """A policy as a row of a list."""
    return {
        "ID": info.id,
        "NAME": info.name or "",
        "ENVIRONMENT": info.env,
        "STEPS": f"{info.env_steps:,}",
        "RETURN": measure(info.episode_return_mean) if info.episode_return_mean is not None else "",
        "CREATED": when(info.created_at),
    }


def policy(info: PolicyInfo) -> str:
    """A policy as text: a line a fact."""
    facts = {
        "id": info.id,
        "name": info.name,
        "environment": info.env,
        "observations": space(info.observation_space) + (", normalised" if info.normalizer else ""),
        "actions": space(info.action_space),
        "parameters": f"{info.parameters:,}",
        "training": info.training_id,
        "checkpoint": f"{info.checkpoint_id} at {info.env_steps:,} steps",
        "return": measure(info.episode_return_mean) if info.episode_return_mean is not None else None,
        "sha256": info.sha256,
        "created": when(info.created_at),
    }
    return "\n".join(f"{name:<{FACT}}{value}" for name, value in facts.items() if value is not None)


def when(time: datetime) -> str:
    """A time on this machine's clock."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def space(info: SpaceInfo) -> str:
    """A space as a phrase: what one element of it is."""
    shape = "×".join(str(size) for size in info.shape)
    match info.kind:
        case "box":
            return f"{shape} numbers ({info.dtype})"
        case "discrete":
            first = info.start if isinstance(info.start, int) else 0
            return f"one of {first} to {first + (info.n or 0) - 1}"
        case "multi_discrete":
            return f"{shape} integers, of {', '.join(str(count) for count in info.nvec or ())} values"
    return f"{shape} times 0 or 1"


def key(info: KeyInfo, now: datetime) -> dict[str, str]:
    """An API key as a row of a list, as it is ``now``."""
    state = "active"
    if info.revoked_at is not None:
        state = "revoked"
    elif info.expires_at is not None:
        state = f"{'until' if now < info.expires_at else 'expired'} {info.expires_at.astimezone():%Y-%m-%d %H:%M}"
    holder = Principal(id=info.id, tenant=info.tenant, scopes=frozenset(info.scopes))
    scopes = " ".join(scope for scope in Scope if holder.has(scope))  # admin includes others
    return {"ID": info.id, "NAME": info.name, "TENANT": info.tenant, "SCOPES": scopes, "STATE": state}


def usage(usage: Usage) -> str:
    """Return a tenant's usage as text: runs at work, and totals of today."""
    return "\n".join(
        (
            f"evaluations: {usage.running_evaluations} running, {usage.queued_evaluations} queued; "
            f"today {usage.evaluations_today:,} with {usage.sandbox_cpu_time_s_today:,.1f} s of CPU",
            f"trainings: {usage.active_trainings} active, {usage.queued_trainings} queued; "
            f"today {usage.trainings_today:,} with {usage.env_steps_today:,} steps",
            f"events: {usage.events_today:,} today; {usage.stored_bytes / 2**20:,.1f} MiB stored with requests",
            *(_quota(state) for state in usage.quotas if state.limit is not None),
        )
    )


def _quota(state: QuotaState) -> str:
    until = f", until {state.resets_at.astimezone():%Y-%m-%d %H:%M}" if state.resets_at is not None else ""
    return f"quota {state.quota}: {state.used:,.12g} of {state.limit:,.12g}{until}"


def quotas(found: TenantQuotas) -> str:
    """A tenant's quotas as text: a line each, with whether it is the default."""
    lines = []
    for name, limit in found.quotas.model_dump().items():
        value = "no limit" if limit is None else f"{limit:,.12g}"
        lines.append(f"{name:<24}{value:>20}  {'set' if name in found.overrides else 'default'}")
    return "\n".join(lines)


def webhook(webhook: Webhook) -> dict[str, str]:
    """A webhook as a row of a list."""
    state = "enabled" if webhook.enabled else f"disabled: {webhook.disabled_reason}"
    if webhook.enabled and webhook.failing_since is not None:
        state = f"failing since {webhook.failing_since.astimezone():%Y-%m-%d %H:%M}"
    events_ = "all" if len(webhook.events) == len(EVENTS) else " ".join(webhook.events)
    events_ += " (with hidden tests)" if webhook.include_hidden else ""
    return {"ID": webhook.id, "URL": webhook.url, "EVENTS": events_, "STATE": state}


def delivery(delivery: Delivery) -> dict[str, str]:
    """A delivery as a row of a list: what its last attempt came to."""
    last = delivery.attempts[-1] if delivery.attempts else None
    result = str(last.status or last.error) if last else ""
    if delivery.next_attempt_at is not None:
        result += f"; again at {delivery.next_attempt_at.astimezone():%H:%M:%S}"
    return {
        "ID": delivery.id,
        "TYPE": delivery.type,
        "RUN": delivery.run_id or "",
        "STATE": delivery.state,
        "ATTEMPTS": str(len(delivery.attempts)),
        "RESULT": result,
    }
