"""Text of the platform's load, for ``rlp admin top``."""

from __future__ import annotations

from datetime import datetime

from rlplatform.cli import layout
from rlplatform.load import PlatformLoad, StoreLoad

MOST_TENANTS = 15
_SLOW_S = 1.0
_SHORT = 12


def screen(load: PlatformLoad) -> str:
    """Return the whole view: a summary, tenants, nodes."""
    return "\n".join([*_summary(load), "", *_tenants(load), "", *_nodes(load)])


def _summary(load: PlatformLoad) -> list[str]:
    queued = sum(one.queued_evaluations for one in load.tenants)
    running = sum(one.running_trainings for one in load.tenants)
    waiting = sum(one.queued_trainings for one in load.tenants)
    oldest = f", the oldest for {load.oldest_queued_s:,.0f} s" if queued else ""
    return [
        f"{load.at:%Y-%m-%d %H:%M:%S} UTC",
        f"evaluations  {load.used_slots} of {load.slots} slots in use, {queued:,} wait{oldest}",
        f"trainings    {running:,} run, {waiting:,} wait",
        f"store        {_store(load.store)}",
        f"webhooks     {load.webhooks_waiting:,} messages wait",
        f"back-up      {_age(load.last_backup_at, load.at)}",
    ]


def _store(store: StoreLoad) -> str:
    if store.answer_s is None:
        return f"{store.kind} does not answer"
    size = "" if store.used_bytes is None else f", {store.used_bytes / 2**20:,.1f} MiB"
    limit = "" if store.max_bytes is None else f" of {store.max_bytes / 2**20:,.0f} MiB"
    slow = " (slow)" if store.answer_s > _SLOW_S else ""
    return f"{store.kind} answers in {1000 * store.answer_s:,.1f} ms{slow}{size}{limit}"


def _age(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "none is known; make one: rlp admin backup FOLDER"
    hours = (now - at).total_seconds() / 3600
    return f"{hours:,.1f} h ago" if hours < 48 else f"{hours / 24:,.0f} days ago"


def _tenants(load: PlatformLoad) -> list[str]:
    if not load.tenants:
        return ["No tenant has unfinished work."]
    rows = [
        [
            one.tenant,
            f"{one.queued_evaluations:,}",
            f"{one.running_evaluations:,}",
            f"{one.queued_trainings:,}",
            f"{one.running_trainings:,}",
        ]
        for one in load.tenants[:MOST_TENANTS]
    ]
    lines = layout.table(["tenant", "eval. wait", "run", "train. wait", "run"], rows, None)
    more = len(load.tenants) - MOST_TENANTS
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def _nodes(load: PlatformLoad) -> list[str]:
    sandboxes = {one.node: one for one in load.sandboxes}
    rows = []
    for node in load.nodes:
        own = sandboxes.pop(node.node, None)
        slots = "" if own is None else f"{own.used} of {own.slots}" if own.available else f"none: {own.reason}"
        cpus = f"{node.free_cpus:g} of {node.cpus:g}"
        role = "drains" if node.draining else node.role or ""
        rows.append([node.node[:_SHORT], node.address, role, cpus, f"{node.gpus:g}", slots])
    rows += [
        [one.node[:_SHORT], "", "", "", "", f"{one.used} of {one.slots}" if one.available else f"none: {one.reason}"]
        for one in sandboxes.values()
    ]
    return layout.table(["node", "address", "role", "CPUs free", "GPUs", "slots used"], rows, None)
