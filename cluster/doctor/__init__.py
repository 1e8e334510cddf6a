"""Checks of a machine, and of the platform that runs or will run on it. Nothing is changed, except
that a probe checkpoint is written and deleted, and that the sandbox's self-check makes containers.

It sees this machine alone: run it on every node. It cannot see a firewall before the machine.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster.doctor import machine, network, profile, sandbox, storage
from cluster.doctor.report import Check, fail
from rlplatform.settings import Settings

__all__ = ["CHECKS", "Check", "run_checks"]

CHECKS: tuple[Callable[[Settings], Check], ...] = (
    machine.packages,
    machine.compiler,
    machine.memory,
    machine.shared_memory,
    machine.disk,
    machine.clock,
    machine.descriptors,
    profile.cluster_profile,
    storage.state,
    storage.store,
    storage.checkpoints,
    network.haproxy,
    network.api_port,
    network.further_ports,
    network.exposure,
    network.ray_auth,
    network.dashboard_binding,
    sandbox.engine,
    sandbox.gvisor,
    sandbox.control_groups,
    sandbox.image,
    sandbox.self_check,
)


def run_checks(settings: Settings, checks: tuple[Callable[[Settings], Check], ...] = CHECKS) -> list[Check]:
    """Run ``checks`` in order. A check that breaks is a failed one; none raises."""
    return [_run(check, settings) for check in checks]


def _run(check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except Exception as error:
        return fail(check.__name__, f"the check itself broke: {type(error).__name__}: {error}", "report this")
