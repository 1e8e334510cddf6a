"""Events of a published policy."""

from __future__ import annotations

from typing import ClassVar, Literal

from rlplatform.policies.models import PolicyInfo
from rlplatform.runs.events import Event


class PolicyEvent(Event):
    """Base of all events of a published policy."""


class PolicyPublished(PolicyEvent):
    """A policy was published."""

    type: Literal["policy.published"] = "policy.published"
    """Type of the event."""
    policy: PolicyInfo
    """The policy."""


class PolicyDeleted(PolicyEvent):
    """A policy was deleted."""

    final: ClassVar[bool] = True

    type: Literal["policy.deleted"] = "policy.deleted"
    """Type of the event."""
    by: str
    """Id of the principal that deleted it."""
