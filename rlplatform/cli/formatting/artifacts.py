"""Uploaded files and published policies."""

from __future__ import annotations

from rlplatform.cli.formatting.facts import fact_lines, when
from rlplatform.cli.numbers import measure
from rlplatform.environments.models import SpaceInfo
from rlplatform.files.models import FileInfo
from rlplatform.policies.models import PolicyInfo


def file_row(info: FileInfo) -> dict[str, str]:
    """An uploaded file as a row of a list."""
    return {
        "ID": info.id,
        "NAME": info.name,
        "SIZE": f"{info.size_bytes:,}",
        "TYPE": info.media_type,
        "CREATED": when(info.created_at),
    }


def policy_row(info: PolicyInfo) -> dict[str, str]:
    """A policy as a row of a list."""
    return {
        "ID": info.id,
        "NAME": info.name or "",
        "ENVIRONMENT": info.env,
        "STEPS": f"{info.env_steps:,}",
        "RETURN": measure(info.episode_return_mean) if info.episode_return_mean is not None else "",
        "CREATED": when(info.created_at),
    }


def policy(info: PolicyInfo) -> str:
    """A policy as text: a line a fact."""
    facts = {
        "id": info.id,
        "name": info.name,
        "environment": info.env,
        "observations": space(info.observation_space) + (", normalised" if info.normalizer else ""),
        "actions": space(info.action_space),
        "parameters": f"{info.parameters:,}",
        "training": info.training_id,
        "checkpoint": f"{info.checkpoint_id} at {info.env_steps:,} steps",
        "return": measure(info.episode_return_mean) if info.episode_return_mean is not None else None,
        "sha256": info.sha256,
        "created": when(info.created_at),
    }
    return fact_lines(facts)


def space(info: SpaceInfo) -> str:
    """A space as a phrase: what one element of it is."""
    shape = "×".join(str(size) for size in info.shape)
    match info.kind:
        case "box":
            return f"{shape} numbers ({info.dtype})"
        case "discrete":
            first = info.start if isinstance(info.start, int) else 0
            return f"one of {first} to {first + (info.n or 0) - 1}"
        case "multi_discrete":
            return f"{shape} integers, of {', '.join(str(count) for count in info.nvec or ())} values"
    return f"{shape} times 0 or 1"
