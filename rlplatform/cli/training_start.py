"""Starting a training, and following it: ``rlp train`` and ``rlp runs clone``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.cli import exit_codes
from rlplatform.cli.follow import follow_training, page_of, summary
from rlplatform.cli.formatting import trainings
from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.training.models import TrainingState


def start_and_follow(client: Client, output: Output, request: Mapping[str, Any], *, detach: bool) -> int:
    """Start a training and follow it to its end, or print its id if ``detach``. Return the exit code."""
    checked = client.check_training(request)
    wanted = (request.get("stop") or {}).get("env_steps")
    if told := trainings.beforehand(checked, request["env"], wanted):
        output.note(told)
    training = client.start_training(request)
    page = f"page: {page_of(client, training)}"
    if detach:
        output.document(training, training.id)
        output.note(page)
        return exit_codes.DONE
    output.note(f"{training.id}: {training.request.env} with {training.request.algorithm}\n{page}")
    steps = training.request.stop.env_steps
    if training.request.resume_from is not None:
        output.note(f"continues from {training.request.resume_from}" + (f" to {steps:,} steps" if steps else ""))
    elif "stop" not in request:
        output.note(f"stops after {steps:,} steps, as its preset says")
    training = follow_training(client, training, output)
    output.document(summary(training), trainings.training(training))
    return exit_codes.FAILED if training.state is TrainingState.FAILED else exit_codes.DONE
