"""Load of the platform: work by tenant, sandboxes and nodes, the store, and undelivered webhooks."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from rlplatform.json_models import StrictModel


class TenantLoad(StrictModel):
    """Work of one tenant."""

    tenant: str
    """Name of the tenant."""
    queued_evaluations: int = 0
    """Evaluations that wait."""
    running_evaluations: int = 0
    """Evaluations that run."""
    queued_trainings: int = 0
    """Trainings that wait."""
    running_trainings: int = 0
    """Trainings that have a trainer or get one next."""

    @property
    def total(self) -> int:
        """All runs of the tenant that wait or run."""
        return self.queued_evaluations + self.running_evaluations + self.queued_trainings + self.running_trainings


class SandboxLoad(StrictModel):
    """Sandboxes of one node."""

    node: str
    """Id of the node."""
    available: bool
    """True if evaluations can run there."""
    reason: str | None = None
    """Reason why none can; null: they can."""
    slots: int = 0
    """Evaluations that run there at a time."""
    used: int = 0
    """Slots in use."""
    warm: int = 0
    """Containers that are ready."""


class NodeLoad(StrictModel):
    """Resources of one node of the Ray cluster."""

    node: str
    """Id of the node."""
    address: str
    """Address of the node."""
    role: str | None = None
    """Ray's label `role` of the node; null: none."""
    cpus: float = 0
    """CPUs that Ray gives out."""
    free_cpus: float = 0
    """CPUs that nothing has reserved."""
    gpus: float = 0
    """GPUs that Ray gives out."""
    draining: bool = False
    """True if the node is about to leave: nothing new is placed on it, and what runs there moves."""
    moving: int = 0
    """Trainings that still have a part on the node, while it is draining."""


class StoreLoad(StrictModel):
    """The database of runs and events."""

    kind: str
    """`sqlite`, `redis` or `memory`."""
    answer_s: float | None = None
    """Duration of a small read, in seconds; null: no answer within two seconds."""
    used_bytes: int | None = None
    """Size of the database: of the file, or of Redis' memory; null: unknown."""
    max_bytes: int | None = None
    """Most that Redis may use; null: no limit."""


class PlatformLoad(StrictModel):
    """Load of the platform at one moment."""

    at: datetime
    """Time of the measurement."""
    tenants: list[TenantLoad] = Field(default_factory=list)
    """Tenants with unfinished work, the busiest first."""
    oldest_queued_s: float = 0
    """Age of the evaluation that has waited longest, in seconds; 0: none waits."""
    sandboxes: list[SandboxLoad] = Field(default_factory=list)
    """Nodes with sandboxes."""
    nodes: list[NodeLoad] = Field(default_factory=list)
    """Nodes of the Ray cluster."""
    store: StoreLoad
    """The store."""
    webhooks_waiting: int = 0
    """Messages to webhooks that were not accepted yet."""
    last_backup_at: datetime | None = None
    """Time of the last complete back-up; null: none is known."""

    @property
    def slots(self) -> int:
        """Slots of all nodes whose sandboxes are available."""
        return sum(sandbox.slots for sandbox in self.sandboxes if sandbox.available)

    @property
    def used_slots(self) -> int:
        """Slots in use."""
        return sum(sandbox.used for sandbox in self.sandboxes if sandbox.available)
