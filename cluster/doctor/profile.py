"""Contradictory settings: right on a laptop and wrong on several nodes."""

from __future__ import annotations

from cluster.doctor.report import Check, fail, ok, warn
from rlplatform.settings import Settings


def cluster_profile(settings: Settings) -> Check:
    """Check the settings that several nodes must have in common."""
    name = "profile"
    if settings.store.embedded:
        if settings.cluster.address is None:
            return ok(name, "one machine: SQLite, and a Ray cluster of its own")
        return warn(
            name,
            f"a Ray cluster ({settings.cluster.address}) with an embedded store: a lost node can take all runs with it",
            "set RLP_STORE__URL=redis://…",
        )
    if not settings.access.pepper.get_secret_value():
        return fail(
            name,
            "there is no pepper: every node would hash API keys in its own way, and refuse those of the others",
            "set RLP_ACCESS__PEPPER to one secret on all nodes",
        )
    if settings.training.allow_simulated:
        return warn(
            name, "simulated trainings can be asked for on a cluster", "set RLP_TRAINING__ALLOW_SIMULATED=false"
        )
    if "://" not in settings.training.checkpoint_url:
        return warn(
            name,
            f"checkpoints go to {settings.training.checkpoint_url}: trainings are recovered only where that is shared",
            "set RLP_TRAINING__CHECKPOINT_URL=s3://… or gs://…, or mount one file system on all nodes",
        )
    return ok(name, "a cluster: Redis, shared checkpoints, one pepper")
