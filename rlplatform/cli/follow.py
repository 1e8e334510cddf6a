"""Following runs to their end, with what is shown meanwhile. ``make run`` uses this too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.evaluation.models import Evaluation
from rlplatform.studies.models import Study
from rlplatform.training.models import Training


class Interrupted(Exception):
    """Ctrl-C while following: the run continues."""

    def __init__(self, run_id: str, family: str = "runs") -> None:
        how = f"follow it: rlp {family} watch {run_id}\nstop it:   rlp {family} stop {run_id}"
        super().__init__(f"{run_id} continues\n{how}")


def follow_training(client: Client, training: Training, output: Output, *, after: int = 0) -> Training:
    """Show the events of ``training`` until it has finished; return it.

    Raises:
        Interrupted: Ctrl-C.
    """
    with _interruptible(training.id), output.training(training) as view:
        for event in client.events(training.id, after=after):
            view.show(event)
    return client.training(training.id)


def follow_study(client: Client, study: Study, output: Output, *, after: int = 0) -> Study:
    """Show the events of ``study`` until it has finished; return it.

    Raises:
        Interrupted: Ctrl-C.
    """
    with _interruptible(study.id, "study"):
        for event in client.events(study.id, after=after):
            output.event(event)
    return client.study(study.id)


def follow_evaluation(
    client: Client,
    evaluation: Evaluation,
    output: Output,
    *,
    after: int = 0,
    name: str = "main.py",
    quiet: bool = False,
    program: bool = False,
) -> Evaluation:
    """Likewise for an evaluation of the program ``name``; ``quiet``: without a line for each of its tests; ``program``:
    with the program's output alone."""
    shown = output.program() if program else output.evaluation(name=name, quiet=quiet)
    with _interruptible(evaluation.id), shown as view:
        for event in client.events(evaluation.id, after=after):
            view.show(event)
    return client.evaluation(evaluation.id)


def summary(training: Training) -> dict[str, Any]:
    """The last line of ``rlp train --json``."""
    progress = training.progress
    report = training.evaluation
    return {
        "type": "summary",
        "training_id": training.id,
        "state": training.state.value,
        "env_steps": progress.env_steps,
        "train_wall_s": progress.train_wall_s,
        "env_steps_per_s": progress.env_steps / progress.train_wall_s if progress.train_wall_s else None,
        "evaluation": report and {"episode_return_mean": report.episode_return_mean, "episodes": report.episodes},
        **({"simulated": True} if training.simulated else {}),
    }


def page_of(client: Client, run: Training | Evaluation) -> str:
    """Address of the run's page in the browser."""
    collection = "trainings" if isinstance(run, Training) else "evaluations"
    return f"{client.url}/#/{collection}/{run.id}"


@contextmanager
def _interruptible(run_id: str, family: str = "runs") -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(run_id, family) from None
