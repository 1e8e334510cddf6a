"""One table: actor -> resources, restarts, concurrency, lifetime.

Every actor reserves some CPU: a node with an actor that reserves nothing looks idle to the autoscaler.
"""

from __future__ import annotations

from typing import Any

NAMESPACE = "rlp"
SANDBOX_RESOURCE = "sandbox"

EVENT_HUB: dict[str, Any] = {
    "name": "event_hub",
    "lifetime": "detached",
    "num_cpus": 0.05,
    "max_restarts": -1,
    "max_concurrency": 10_000,
}
SUPERVISOR: dict[str, Any] = {
    "name": "supervisor",
    "lifetime": "detached",
    "num_cpus": 0.05,
    "max_restarts": -1,
    "max_concurrency": 10_000,
}
EVALUATOR: dict[str, Any] = {
    "lifetime": "detached",
    "num_cpus": 0.05,
    "resources": {SANDBOX_RESOURCE: 1},
    "max_restarts": 0,
    "max_concurrency": 1_000,
}
TRAINER: dict[str, Any] = {
    "lifetime": "detached",
    "num_cpus": 1,
    "max_restarts": 0,
    "concurrency_groups": {"train": 1, "control": 4},
}


def evaluator_name(node_id: str) -> str:
    """The name of the evaluator of a node."""
    return f"evaluator:{node_id}"


def trainer_name(training_id: str, epoch: int) -> str:
    """The name of the trainer that owns a training in an epoch."""
    return f"trainer:{training_id}:{epoch}"
