"""Check whether the cluster can ever place a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.options import SANDBOX_RESOURCE, SANDBOX_ROLE, SANDBOX_SHARE
from rlplatform.environments.sandboxed.user_code import is_user_environment
from rlplatform.errors import InvalidRequest
from rlplatform.training.models import Resources, TrainingRequest

_EPSILON = 1e-6


def bundles_of(wanted: Resources) -> list[dict[str, float]]:
    """Return the bundles of a session's placement group: the trainer, then its env runners (RLlib's layout), then its
    learners."""
    learner = {"CPU": 1.0} | ({"GPU": wanted.num_gpus_per_learner} if wanted.num_gpus_per_learner else {})
    local_gpu = {} if wanted.num_learners else {k: v for k, v in learner.items() if k == "GPU"}
    return [
        {"CPU": 1.0} | local_gpu,
        *({"CPU": 1.0} for _ in range(wanted.num_env_runners)),
        *(learner for _ in range(wanted.num_learners)),
    ]


def bundles_of_request(request: TrainingRequest) -> list[dict[str, float]]:
    """Return the bundles of a training; those of users' code fit on nodes with sandboxes alone."""
    share = {SANDBOX_RESOURCE: SANDBOX_SHARE} if _needs_sandboxes(request) else {}
    return [bundle | share for bundle in bundles_of(request.resources)]


@dataclass(frozen=True)
class Room:
    """Whole CPUs and GPUs of one node that are left for trainings if no training runs there.

    A node that is ``sandboxes_only`` takes trainings whose environments run in sandboxes, and no others.
    """

    cpus: int
    gpus: float = 0.0
    sandboxes: bool = False
    sandboxes_only: bool = False

    @classmethod
    def of(cls, total: Mapping[str, float], available: Mapping[str, float], role: str | None = None) -> Room:
        """Compute a node's room from Ray's figures.

        A bundle of a training takes one whole CPU; the platform's own actors take fractions. A fraction in use
        therefore belongs to the platform, and costs one whole CPU.
        """
        cpus = total.get("CPU", 0.0)
        taken = cpus - available.get("CPU", 0.0)
        theirs = taken - math.floor(taken + _EPSILON)
        whole = max(0, math.floor(cpus - theirs + _EPSILON))
        return cls(whole, total.get("GPU", 0.0), total.get(SANDBOX_RESOURCE, 0.0) >= 1, role == SANDBOX_ROLE)


def check_request(request: TrainingRequest, rooms: Sequence[Room], limits: Mapping[str, float]) -> None:
    """Check that the nodes could hold a training if they were empty, as :func:`check_capacity` does. Code of
    users needs nodes with sandboxes.

    Raises:
        InvalidRequest: it can never be placed; says what is missing.
    """
    if not _needs_sandboxes(request):
        check_capacity(request.resources, [room for room in rooms if not room.sandboxes_only], limits)
        return
    able = [room for room in rooms if room.sandboxes]
    grows = limits.get(SANDBOX_RESOURCE, 0.0) > 0
    if not grows and not any(room.cpus for room in able):
        why = "has CPUs left for trainings" if able else "exists"
        field = "env" if is_user_environment(request.env) else "reward"
        what = f"{request.env} is stepped" if field == "env" else "it is computed"
        raise InvalidRequest(
            f"{field}: {what} in sandboxes, on the node that trains, but no node with the resource "
            f"'{SANDBOX_RESOURCE}' {why}; the operator starts one: ray start --num-cpus=4 "
            f"--resources='{{\"{SANDBOX_RESOURCE}\": 1}}'",
            field=field,
        )
    check_capacity(request.resources, able, limits if grows else {})


def check_capacity(wanted: Resources, rooms: Sequence[Room], limits: Mapping[str, float]) -> None:
    """Check that the nodes could hold ``wanted`` if they were empty, or that an autoscaler can add the missing
    resources.

    Args:
        wanted: Resources of the training.
        rooms: Room of each living node for trainings.
        limits: Largest size of the whole cluster under an autoscaler, by resource; empty without one.

    Raises:
        InvalidRequest: it can never be placed; names the field to reduce, and the number that fits.
    """
    bundles = bundles_of(wanted)
    gpus_each = wanted.num_gpus_per_learner
    with_gpu = sum("GPU" in bundle for bundle in bundles)
    cpus = sum(room.cpus for room in rooms)
    places = sum(min(room.cpus, math.floor(room.gpus / gpus_each + _EPSILON)) for room in rooms) if gpus_each else 0
    if len(bundles) <= cpus and with_gpu <= places:
        return
    most_cpus = max(cpus, math.floor(limits.get("CPU", 0.0)))
    most_places = max(places, math.floor(limits.get("GPU", 0.0) / gpus_each + _EPSILON)) if gpus_each else 0
    where = "the autoscaler brings the cluster to" if limits else "the cluster has"
    if with_gpu > most_places:
        field = "num_learners" if wanted.num_learners > 1 and most_places else "num_gpus_per_learner"
        most = max((room.gpus for room in rooms), default=0.0)
        fits = f"{where} room for {most_places} of them" if most_places else "no node has that many"
        raise InvalidRequest(
            f"resources.{field}: {with_gpu} learners with {gpus_each:g} GPUs each are asked for, but {fits} "
            f"(the most on one node: {most:g})",
            field=f"resources.{field}",
        )
    if len(bundles) > most_cpus:
        runners_are_many = wanted.num_env_runners >= wanted.num_learners
        field, noun = ("num_env_runners", "env runners") if runners_are_many else ("num_learners", "learners")
        others = len(bundles) - getattr(wanted, field)
        raise InvalidRequest(
            f"resources.{field}: {getattr(wanted, field)} {noun} need {len(bundles)} CPUs, with all other parts, "
            f"but {where} {most_cpus} for trainings: at most {max(0, most_cpus - others)} {noun} fit",
            field=f"resources.{field}",
        )


def _needs_sandboxes(request: TrainingRequest) -> bool:
    users = is_user_environment(request.env) or request.reward is not None
    return users and request.engine != "simulated"
