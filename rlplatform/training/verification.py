"""Verification of a training: it is trained again with the same settings, and the parameters compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rlplatform.errors import Conflict
from rlplatform.json_models import StrictModel
from rlplatform.runs.events import Event
from rlplatform.training.events import TrainingIterationCompleted
from rlplatform.training.models import Training

LABEL = "verifies"
"""Label of a training that verifies another one; its value is the other one's id."""
_FIELDS = ("code_sha256", "packages", "python", "user_code")


class Verification(StrictModel):
    """Result of training again."""

    training_id: str
    """Id of the training that was verified."""
    repeated_by: str
    """Id of the training that repeated it."""
    equal: bool
    """True if the parameters are equal after each iteration."""
    iterations: int
    """Iterations that were compared."""
    first_difference: int | None = None
    """First iteration after which the parameters differ; null: none."""
    parameters_sha256: str | None = None
    """SHA-256 over the parameters after the last iteration that is equal; null: none is."""
    circumstances: list[str]
    """Differences between the two that may explain others: CPU type, versions, code."""


def repetition(training: Training) -> dict[str, Any]:
    """Return the request that trains ``training`` again, for as many iterations.

    Raises:
        Conflict: it cannot be repeated bit by bit; says why.
    """
    request, progress = training.request, training.progress
    if not training.state.final or not progress.iteration:
        raise Conflict(f"{training.id} is {training.state}; a training is verified once it has ended")
    if request.resources.num_env_runners or request.resources.num_gpus_per_learner or request.resources.num_learners:
        raise Conflict(
            f"{training.id} used remote env runners or learners, which do not give the same parameters twice; "
            "trainings with num_env_runners 0 and num_learners 0 do"
        )
    again = request.model_dump(mode="json", exclude={"name", "notes", "labels"})
    # the criterion of steps stays: schedules of hyperparameters end there
    again["stop"] = {"env_steps": request.stop.env_steps, "iterations": progress.iteration}
    again["labels"] = {LABEL: training.id}
    return again


def hashes(events: Iterable[Event]) -> dict[int, str]:
    """Return the hash of the parameters after each iteration; of an iteration that was repeated, the last one."""
    found = [event for event in events if isinstance(event, TrainingIterationCompleted)]
    return {event.iteration: event.parameters_sha256 for event in found if event.parameters_sha256 is not None}


def compared(training: Training, again: Training, ours: Mapping[int, str], theirs: Mapping[int, str]) -> Verification:
    """Compare two trainings by their ``hashes``.

    Raises:
        Conflict: one of them has none in common with the other.
    """
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise Conflict(f"{training.id} has no hashes of its parameters: it was trained before they were recorded")
    differing = next((iteration for iteration in shared if ours[iteration] != theirs[iteration]), None)
    missing = again.progress.iteration < training.progress.iteration
    equal = shared if differing is None else shared[: shared.index(differing)]
    return Verification(
        training_id=training.id,
        repeated_by=again.id,
        equal=differing is None and not missing,
        iterations=len(shared),
        first_difference=differing if differing is not None else shared[-1] + 1 if missing else None,
        parameters_sha256=ours[equal[-1]] if equal else None,
        circumstances=circumstances(training.manifest or {}, again.manifest or {}),
    )


def circumstances(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Return what differs between two manifests and may change parameters."""
    cpus = [str(manifest.get("hardware", {}).get("cpu")) for manifest in (ours, theirs)]
    found = [f"CPU type: {cpus[0]}, then {cpus[1]}"] if cpus[0] != cpus[1] else []
    for field in _FIELDS:
        one, other = ours.get(field), theirs.get(field)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
            found.append(", ".join(f"{name}: {one.get(name)}, then {other.get(name)}" for name in names))
        else:
            found.append(f"{field} differs")
    return found
