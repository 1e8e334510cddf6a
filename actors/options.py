"""Table of the actors' resources, restarts, concurrency and lifetime.

Every actor reserves some CPU: the autoscaler would take a node whose actors reserve nothing for idle.
"""

from __future__ import annotations

import re
from typing import Any

NAMESPACE = "rlp"
SANDBOX_RESOURCE = "sandbox"
"""Resource of the nodes that have sandboxes, one each: half for the evaluator, a little for each process of a training
whose environment runs in sandboxes."""
SANDBOX_SHARE = 0.001
ROLE_LABEL = "role"
SANDBOX_ROLE = "sandbox"
"""Role of a node that runs submissions and no other part of the platform: Ray's label ``role=sandbox``."""
OFF_SANDBOX_NODES = {ROLE_LABEL: f"!{SANDBOX_ROLE}"}
EVALUATOR_PREFIX = "evaluator:"
WARM_PREFIX = "warm_trainer:"

_OF_TRAININGS = re.compile(r"(trainer|training):(?P<training>train_\w+)(:\d+)?(@.+)?")

STORE_SERVER: dict[str, Any] = {
    "name": "store_server",
    "lifetime": "detached",
    "label_selector": OFF_SANDBOX_NODES,
    "num_cpus": 0.05,
    "max_restarts": -1,
    "max_concurrency": 10_000,
}
STORE_RELAY: dict[str, Any] = {**STORE_SERVER, "name": "store_relay"}
SUPERVISOR: dict[str, Any] = {
    "name": "supervisor",
    "lifetime": "detached",
    "label_selector": OFF_SANDBOX_NODES,
    "num_cpus": 0.05,
    "max_restarts": -1,
    "max_concurrency": 10_000,
}
STUDY_OWNER: dict[str, Any] = {
    "name": "study_owner",
    "lifetime": "detached",
    "label_selector": OFF_SANDBOX_NODES,
    "num_cpus": 0.05,
    "max_restarts": -1,
    "max_concurrency": 100,
}
EVALUATOR: dict[str, Any] = {
    "lifetime": "detached",
    "num_cpus": 0.05,
    "resources": {SANDBOX_RESOURCE: 0.5},
    "max_restarts": 0,
    "max_concurrency": 1_000,
}
TRAINER: dict[str, Any] = {
    "lifetime": "detached",
    "num_cpus": 1,
    "max_restarts": 0,
    "max_concurrency": 100,
}
WARM_TRAINER: dict[str, Any] = {
    **TRAINER,
    "num_cpus": 0.05,
    "scheduling_strategy": "SPREAD",
    "label_selector": OFF_SANDBOX_NODES,
}


def evaluator_name(node_id: str) -> str:
    """Return the name of a node's evaluator."""
    return f"{EVALUATOR_PREFIX}{node_id}"


def trainer_name(training_id: str, epoch: int, tenant: str) -> str:
    """Return the name of the trainer that owns a training in an epoch; Ray's dashboard shows it."""
    return f"trainer:{training_id}:{epoch}@{tenant}"


def placement_name(training_id: str, tenant: str) -> str:
    """Return the name of a training's placement group, which outlives its trainers."""
    return f"training:{training_id}@{tenant}"


def task_name(verb: str, run_id: str, tenant: str) -> str:
    """Return the name of the task in which an actor works on a run; Ray's dashboard lists tasks by it."""
    return f"{verb}:{run_id}@{tenant}"


def training_of(name: str) -> str | None:
    """Return the training to which a trainer or placement group of this name belongs; None for other names."""
    match = _OF_TRAININGS.fullmatch(name)
    return match["training"] if match else None
