"""Kinds of runs, in one list: what is stored and sent is parsed by the classes registered here.

An event type is registered by being a subclass of the ``event`` of a kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from rlplatform.assignments.record import (
    AssignmentRun,
    AssignmentSummary,
    RegradeRun,
    RegradeSummary,
    WorkRun,
    WorkSummary,
)
from rlplatform.evaluation.record import EvaluationRun, EvaluationSummary
from rlplatform.policies.record import PolicyRecord, PolicySummary
from rlplatform.runs.events import Event, StreamGap
from rlplatform.runs.records import Run, RunSummary
from rlplatform.studies.record import StudyRun, StudySummary
from rlplatform.training.record import TrainingRun, TrainingSummary

KINDS: tuple[type[Run], ...] = (
    *(EvaluationRun, TrainingRun, StudyRun, PolicyRecord),
    *(AssignmentRun, WorkRun, RegradeRun),
)


def _types() -> Iterator[type[Event]]:
    for kind in KINDS:
        yield from kind.event.__subclasses__()
    yield StreamGap


EVENT_TYPES: dict[str, type[Event]] = {cls.model_fields["type"].default: cls for cls in _types()}
FINAL_TYPES = frozenset(name for name, cls in EVENT_TYPES.items() if cls.final)

AnyEvent: Any = Annotated[Union[tuple(EVENT_TYPES.values())], Field(discriminator="type")]  # noqa: UP007
_ANY_RUN: Any = Annotated[Union[KINDS], Field(discriminator="kind")]  # noqa: UP007
_EVENT: TypeAdapter[Event] = TypeAdapter(AnyEvent)
_RUN: TypeAdapter[Run] = TypeAdapter(_ANY_RUN)
_SUMMARY: TypeAdapter[RunSummary] = TypeAdapter(
    Annotated[
        EvaluationSummary
        | TrainingSummary
        | StudySummary
        | PolicySummary
        | AssignmentSummary
        | WorkSummary
        | RegradeSummary,
        Field(discriminator="kind"),
    ]
)


def parse_event(text: str | bytes, *, ignore_unknown: bool = False) -> Event:
    """Return the event that a line of JSON holds.

    Args:
        ignore_unknown: skip fields that only a newer version knows; without it they are an error.
    """
    return _EVENT.validate_json(text, extra="ignore" if ignore_unknown else None)


def parse_run(text: str | bytes) -> Run:
    """Return the run that a JSON document holds."""
    return _RUN.validate_json(text)


def parse_summary(text: str | bytes) -> RunSummary:
    """Return the summary of the run that a JSON document holds, whole or without request and tests."""
    return _without_results(_SUMMARY.validate_json(text))


def summarize(run: Run) -> RunSummary:
    """Return the summary of ``run``."""
    return _without_results(_SUMMARY.validate_python(run, from_attributes=True))


def _without_results(summary: RunSummary) -> RunSummary:
    large = {EvaluationSummary: "tests", StudySummary: "trials"}.get(type(summary))
    if large is None or not getattr(summary.document, large):
        return summary
    return summary.model_copy(update={"document": summary.document.model_copy(update={large: []})})
