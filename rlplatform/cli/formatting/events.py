"""Events of runs as lines."""

from __future__ import annotations

from rlplatform.cli.formatting import studies
from rlplatform.cli.formatting.evaluations import kept_files, test
from rlplatform.cli.formatting.facts import RETURN, duration
from rlplatform.cli.formatting.trainings import ending, report
from rlplatform.cli.numbers import counted, measure
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
    StopCriteria,
)


def event(event: Event) -> str | None:
    """An event as one line; None for those that say nothing to people."""
    match event:
        case EvaluationQueued():
            place = f", {event.queue_position} before it" if event.queue_position else ""
            wait = f", starts in about {event.expected_wait_s:.0f} s" if event.expected_wait_s else ""
            return f"queued: {counted(event.tests, 'test')}{place}{wait}"
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
            return f"{state} at {event.progress.env_steps:,} steps: {ending(state, event.stop_reason)}"
        case TrainingFailed():
            return f"failed at {event.progress.env_steps:,} steps: {event.reason}"
        case StudyEvent():
            return studies.event(event)
        case StreamGap():
            return f"(events {event.first_seq} to {event.last_seq} were skipped: this reader is too slow)"
    return None


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
