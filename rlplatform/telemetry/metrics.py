"""Metrics from events and states: counters, gauges and histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from rlplatform.evaluation.events import EvaluationFailed, EvaluationFinished, EvaluationRetried, EvaluationStarted
from rlplatform.health import PlatformStatus
from rlplatform.ids import created_at
from rlplatform.load import PlatformLoad
from rlplatform.runs.events import Event
from rlplatform.sandbox.models import PoolStatus
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvent,
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingRecovered,
    TrainingStopped,
    TrainingSucceeded,
)
from rlplatform.training.models import TrainingState

COUNTERS: dict[str, tuple[str, ...]] = {
    "rlp_evaluations_finished": ("verdict",),
    "rlp_evaluation_retries": (),
    "rlp_trainings_finished": ("state",),
    "rlp_training_env_steps": ("engine",),
    "rlp_training_interruptions": (),
    "rlp_checkpoints_saved": (),
}
GAUGES: dict[str, tuple[str, ...]] = {
    "rlp_evaluations_queued": (),
    "rlp_evaluations_running": (),
    "rlp_sandboxes": ("state",),
    "rlp_trainings": ("state",),
    "rlp_queue_oldest_seconds": (),
    "rlp_tenant_evaluations": ("tenant",),
    "rlp_tenant_trainings": ("tenant",),
    "rlp_webhooks_waiting": (),
    "rlp_store_bytes": ("kind",),
    "rlp_backup_age_seconds": (),
}
MOST_TENANTS = 50
OTHER_TENANTS = "(others)"
"""Label of the tenants beyond the first ``MOST_TENANTS``: each value of a label is a series for ever."""

HISTOGRAMS: dict[str, list[float]] = {
    "rlp_evaluation_wait_seconds": [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    "rlp_evaluation_seconds": [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    "rlp_training_iteration_seconds": [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
}
_ENDED = {
    TrainingSucceeded: TrainingState.SUCCEEDED,
    TrainingStopped: TrainingState.STOPPED,
    TrainingFailed: TrainingState.FAILED,
}


class Meter(Protocol):
    """Destination of measurements. Names and labels are those of the tables above."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""

    def observe(self, name: str, value: float) -> None:
        """Record a value of a distribution."""


class Telemetry:
    """Turns events and states into measurements."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._last: dict[str, tuple[int, float]] = {}
        self._tenants: list[str] = []

    def events(self, events: Iterable[Event]) -> None:
        """Record appended events."""
        for event in events:
            self._training(event) if isinstance(event, TrainingEvent) else self._evaluation(event)

    def supervisor(self, status: PlatformStatus, trainings: Iterable[TrainingState]) -> None:
        """Record queues and runs; ``trainings`` are the states of all unfinished ones."""
        self._meter.set("rlp_evaluations_queued", status.queued_evaluations)
        self._meter.set("rlp_evaluations_running", status.running_evaluations)
        counted = Counter(trainings)
        for state in TrainingState:
            if not state.final:
                self._meter.set("rlp_trainings", counted[state], state=state.value)

    def load(self, load: PlatformLoad) -> None:
        """Record queues, tenants, webhooks, store and back-ups. What is unknown is not recorded."""
        self._meter.set("rlp_queue_oldest_seconds", load.oldest_queued_s)
        self._meter.set("rlp_webhooks_waiting", load.webhooks_waiting)
        for kind, size in (("used", load.store.used_bytes), ("max", load.store.max_bytes)):
            if size is not None:
                self._meter.set("rlp_store_bytes", size, kind=kind)
        if load.last_backup_at is not None:
            self._meter.set("rlp_backup_age_seconds", (load.at - load.last_backup_at).total_seconds())
        evaluations, trainings = Counter[str](), Counter[str]()
        for one in load.tenants:
            if one.tenant not in self._tenants and len(self._tenants) < MOST_TENANTS:
                self._tenants.append(one.tenant)
            tenant = one.tenant if one.tenant in self._tenants else OTHER_TENANTS
            evaluations[tenant] += one.queued_evaluations + one.running_evaluations
            trainings[tenant] += one.queued_trainings + one.running_trainings
        for tenant in (*self._tenants, OTHER_TENANTS):
            self._meter.set("rlp_tenant_evaluations", evaluations[tenant], tenant=tenant)
            self._meter.set("rlp_tenant_trainings", trainings[tenant], tenant=tenant)

    def pool(self, status: PoolStatus) -> None:
        """Record a node's sandboxes; without a pool there are none."""
        for state in ("warm", "in_use", "capacity"):
            self._meter.set("rlp_sandboxes", getattr(status, state) if status.available else 0, state=state)

    def _evaluation(self, event: Event) -> None:
        match event:
            case EvaluationStarted(attempt=1):
                self._meter.observe("rlp_evaluation_wait_seconds", _age_s(event))
            case EvaluationRetried():
                self._meter.count("rlp_evaluation_retries")
            case EvaluationFinished():
                self._meter.count("rlp_evaluations_finished", verdict=event.verdict.value)
                self._meter.observe("rlp_evaluation_seconds", _age_s(event))
            case EvaluationFailed():
                self._meter.count("rlp_evaluations_finished", verdict="internal_error")

    def _training(self, event: TrainingEvent) -> None:
        match event:
            case TrainingIterationCompleted():
                self._iteration(event)
            case TrainingRecovered():
                self._last.pop(event.stream, None)
            case TrainingCheckpointSaved():
                self._meter.count("rlp_checkpoints_saved")
            case TrainingInterrupted(planned=False):
                self._meter.count("rlp_training_interruptions")
        if state := _ENDED.get(type(event)):
            self._last.pop(event.stream, None)
            self._meter.count("rlp_trainings_finished", state=state.value)

    def _iteration(self, event: TrainingIterationCompleted) -> None:
        """Count from the first iteration that this process sees: counters of events are lifetime ones."""
        steps, wall_s = self._last.get(event.stream, (event.env_steps, event.train_wall_s))
        self._last[event.stream] = (event.env_steps, event.train_wall_s)
        engine = "simulated" if event.simulated else "rllib"
        self._meter.count("rlp_training_env_steps", event.env_steps - steps, engine=engine)
        if event.train_wall_s > wall_s:
            self._meter.observe("rlp_training_iteration_seconds", event.train_wall_s - wall_s)


def _age_s(event: Event) -> float:
    """Return the seconds from the submission of an event's run to the event."""
    return max(0.0, (event.time - created_at(event.stream.rpartition("/")[2])).total_seconds())
