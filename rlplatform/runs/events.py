"""Envelope of all events, and the streams that they belong to.

An event's JSON is the same in the log, over SSE and WebSocket, and in the Python client. The log gives each event its
``seq``, which starts at 1 and has no gaps within a stream. *Lifecycle* events rebuild the state of a run. *Telemetry*
events may be left out for a slow reader, who receives a ``stream.gap`` instead. An event type only gains fields;
another meaning is another type.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rlplatform.ids import Kind, kind_of, new_id

_COLLECTIONS = {
    Kind.EVALUATION: "evaluations",
    Kind.TRAINING: "trainings",
    Kind.POLICY: "policies",
    Kind.STUDY: "studies",
    Kind.ASSIGNMENT: "assignments",
    Kind.WORK: "assignments",
    Kind.REGRADE: "assignments",
}


def stream_of(run_id: str) -> str:
    """The stream of a run: ``evaluations/eval_…``, ``trainings/train_…``, ``studies/study_…``, ``policies/pol_…``;
    ``assignments/`` and the id of an assignment, of a member's work on one, or of a regrade."""
    return f"{_COLLECTIONS[kind_of(run_id)]}/{run_id}"


def run_of(stream: str) -> str:
    """The id of the run that a stream belongs to."""
    return stream.partition("/")[2]


class Event(BaseModel):
    """Envelope of all events."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    telemetry: ClassVar[bool] = False
    """True if the event may be left out for a slow reader."""
    final: ClassVar[bool] = False
    """True if nothing follows in the stream."""

    id: str = Field(default_factory=lambda: new_id(Kind.EVENT))
    """Id of the event: `evt_…`. Appending the same id again changes nothing."""
    stream: str
    """Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…`, `studies/study_…`, `policies/pol_…`
    or `assignments/…`."""
    seq: int = 0
    """Sequence number: starts at 1 and has no gaps within a stream."""
    time: datetime
    """Time of the event."""
    type: str
    """Type of the event."""

    def public(self) -> Event:
        """This event as a learner may see it; itself if it has nothing that is for staff alone."""
        return self


class StreamGap(Event):
    """Telemetry from `first_seq` to `last_seq` was left out for this reader, which was too slow. Never stored."""

    type: Literal["stream.gap"] = "stream.gap"
    """Type of the event."""
    first_seq: int
    """Sequence number of the first event that was left out."""
    last_seq: int
    """Sequence number of the last event that was left out."""
