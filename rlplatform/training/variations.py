"""Requests made from earlier trainings: continue one, or train once more with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.errors import InvalidRequest
from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import Training, TrainingRequest

_FIELDS = set(TrainingRequest.model_fields)


def clone(training: Training, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the request of ``training`` with ``changes``: with its labels, but without its name and notes, and without
    the labels of a study's trial, of which the clone is none.

    Args:
        training: Training to repeat.
        changes: Values by name: a field (``seed``), a dotted one (``stop.env_steps``), or a hyperparameter
            (``learning_rate``). A mapping that is given for a whole field replaces it.

    Raises:
        InvalidRequest: a dotted name begins with a field that has no parts.
    """
    request = training.request.model_dump(mode="json", exclude_defaults=True, exclude={"name", "labels", "notes"})
    if labels := _own_labels(training.labels):
        request["labels"] = labels
    return _changed(request, changes or {})


def continuation(training: Training, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a request that continues ``training`` from its newest checkpoint, with ``changes`` as :func:`clone`.

    If the changes have no stop criterion, the steps of ``training`` are done once more; or those of its preset, where
    ``training`` was continued itself or does not stop after a number of steps.
    """
    changes = changes or {}
    request = clone(training, {"resume_from": training.id})
    del request["stop"]
    if not any(name.partition(".")[0] == "stop" for name in changes) and (stop := _once_more(training)):
        request["stop"] = stop
    return _changed(request, changes)


def _once_more(training: Training) -> dict[str, Any]:
    """Return criteria for the steps of ``training`` again, and its target return if that has not been reached."""
    stop = training.request.stop
    if training.request.resume_from is not None or stop.env_steps is None:
        return {}
    target = stop.episode_return_mean
    ahead = target is not None and training.metrics.get(EPISODE_RETURN_MEAN, float("-inf")) < target
    return {"more_env_steps": stop.env_steps} | ({"episode_return_mean": target} if ahead else {})


def _own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return ``labels`` without those by which a study finds its trials."""
    of_study = labels.get("study", "").startswith("study_")
    return {key: value for key, value in labels.items() if not (of_study and key in ("study", "trial"))}


def _changed(request: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        field, _, part = name.partition(".")
        if field not in _FIELDS:
            field, part = "hyperparameters", name
        if not part:
            request[field] = value
            continue
        whole = request.get(field) or {}
        if not isinstance(whole, dict):
            raise InvalidRequest(f"{field} has no parts: {name} cannot be set", field=name)
        request[field] = {**whole, part: value}
    return request
