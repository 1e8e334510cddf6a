"""When a training ends, if the command says nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.cli.local_environment import is_local
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest


def require_stop(client: Client, request: Mapping[str, Any]) -> None:
    """Refuse a training that says nothing of its end, where no preset does. What else is wrong with it comes first.

    Raises:
        InvalidRequest: there is no stop criterion, or the platform refuses another part of the request.
    """
    if request.get("stop") or ALGORITHMS["ppo"].find_preset(request.get("preset") or request["env"]) is not None:
        return
    if not is_local(request["env"]):
        client.check_training({**request, "stop": {"iterations": 1}})
    steps = "--env-steps" if request.get("resume_from") is None else "--more-env-steps"
    raise InvalidRequest(
        f"say when to stop: {steps}, --episode-return-mean, --wall-time-s or --iterations. "
        "Only a preset knows a number of steps by itself",
        field="stop",
    )
