"""Nodes that are about to leave the cluster, by Ray's own record: an operator's drain, or a notice of preemption."""

from __future__ import annotations

import time

import ray
from ray._private.state import state
from ray.core.generated import autoscaler_pb2

from rlplatform.errors import Conflict


def draining_nodes() -> set[str]:
    """Return the ids of the living nodes on which nothing new is placed. Blocks."""
    return set(state.get_draining_nodes())


def drain(node_id: str, within_s: float) -> None:
    """Have Ray place nothing more on a node, move the replicas of the API, and end the node after ``within_s`` seconds.

    Raises:
        Conflict: Ray refuses; says why.
    """
    gcs = ray._raylet.GcsClient(address=ray.get_runtime_context().gcs_address)  # type: ignore[attr-defined]
    reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")  # type: ignore[attr-defined]
    deadline_ms = time.time_ns() // 1_000_000 + int(1000 * within_s)
    accepted, why = gcs.drain_node(node_id, reason, "drained by an operator", deadline_ms)
    if not accepted:
        raise Conflict(f"node {node_id} cannot be drained: {why}")
