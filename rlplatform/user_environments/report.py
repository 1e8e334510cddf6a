"""The contract of an environment as an evaluation: the request that checks it, and the report that comes of it."""

from __future__ import annotations

from typing import Any, get_args

from rlplatform.evaluation.graders.environment import Check, EnvironmentGrader, module_file
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, Verdict
from rlplatform.sandbox.models import Limits
from rlplatform.user_environments.models import ContractCheck, EnvironmentState, EnvironmentUpload, UserEnvironment

CHECKS: tuple[str, ...] = get_args(Check)
_CPU_S, _WALL_S = 20.0, 40.0


def contract_request(upload: EnvironmentUpload) -> EvaluationRequest:
    """Return the evaluation that checks the contract of an environment, among whose files is the module of its
    entry."""
    main = module_file(upload.entry)
    return EvaluationRequest(
        source=next(file.content for file in upload.files if file.path == main),
        files=[file for file in upload.files if file.path != main],
        grader=EnvironmentGrader(entry=upload.entry, config=dict(upload.config)),
        tests=[TestCase(id=check, check=check) for check in CHECKS],
        limits=Limits(cpu_time_s=_CPU_S, wall_time_s=_WALL_S, memory_mib=upload.memory_mib, processes=64),
        image=upload.image,
    )


def reported(info: UserEnvironment, evaluation: Evaluation) -> tuple[UserEnvironment, dict[str, Any] | None]:
    """Return ``info`` with what ``evaluation`` found so far, and the environment's spaces if it is ready."""
    checks = [
        ContractCheck(
            check=test.id,
            verdict=test.verdict,
            message=test.message or _facts(test.value).get("note"),
            facts={name: value for name, value in _facts(test.value).items() if name != "note"},
        )
        for test in evaluation.tests
    ]
    facts = {check.check: check.facts for check in checks}
    state, message = _state(evaluation, checks)
    found: dict[str, Any] = {"report": checks, "state": state, "message": message}
    if evaluation.sandbox is not None:
        found["image_digest"] = evaluation.sandbox.image_digest
    spaces = facts.get("spaces", {}).get("spaces") if state == "ready" else None
    if spaces is not None:
        found["observation_space"] = in_words(spaces["observation"])
        found["action_space"] = in_words(spaces["action"])
        found["max_episode_steps"] = facts["spaces"].get("max_episode_steps")
        found["steps_per_s"] = facts.get("step_rate", {}).get("steps_per_s")
    return info.model_copy(update=found), spaces


def in_words(space: dict[str, Any]) -> str:
    """Return a space that ``guest.spaces`` described in the words of the list of environments."""
    try:
        kind = space["kind"]
        if kind in ("dict", "tuple"):
            parts = [in_words(part) for part in space["parts"]]
            if kind == "dict":
                parts = [f"{key}: {part}" for key, part in zip(space["keys"], parts, strict=True)]
            return f"{kind.title()}({', '.join(parts)})"[:500]
        if kind == "discrete":
            return (
                f"Discrete({space['n']})" if not space["start"] else f"Discrete({space['n']}, start={space['start']})"
            )
        if kind == "multi_discrete":
            return f"MultiDiscrete({space['nvec']})"[:500]
        if kind == "multi_binary":
            return f"MultiBinary({', '.join(map(str, space['shape']))})"
        low, high = space["low"], space["high"]
        bounds = f" in [{low:g}, {high:g}]" if isinstance(low, int | float) and isinstance(high, int | float) else ""
        return f"Box{tuple(space['shape'])} {space['dtype']}{bounds}"
    except (KeyError, TypeError, ValueError):
        return "unknown"


def _facts(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _state(evaluation: Evaluation, checks: list[ContractCheck]) -> tuple[EnvironmentState, str | None]:
    if evaluation.state in ("queued", "running"):
        return "checking", None
    if evaluation.state != "finished" or evaluation.verdict is Verdict.INTERNAL_ERROR:
        return "unchecked", evaluation.message or "the platform could not check it; upload it again"
    failed = next((check for check in checks if check.verdict is not Verdict.ACCEPTED), None)
    if failed is not None:
        return "refused", f"{failed.check}: {failed.message or failed.verdict.value}"
    return "ready", None
