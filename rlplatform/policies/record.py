"""Record of a published policy: the fold of its events."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from rlplatform.policies.events import PolicyDeleted, PolicyEvent
from rlplatform.policies.models import PolicyInfo
from rlplatform.runs.events import Event
from rlplatform.runs.records import Run, RunSummary


class PolicyRecord(Run):
    """A published policy, until it is deleted. Nothing runs: it is kept like a run, for its events and its replays."""

    event: ClassVar[type[Event]] = PolicyEvent

    kind: Literal["policy"] = "policy"
    document: PolicyInfo

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return self.document.state == "deleted"

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return this record after ``event``. ``size``: characters of its JSON, if they are known."""
        document = self.document
        if isinstance(event, PolicyDeleted):
            document = document.model_copy(update={"state": "deleted", "deleted_at": event.time})
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted})


class PolicySummary(RunSummary):
    kind: Literal["policy"] = "policy"
    document: PolicyInfo
