"""Training requests of a study's trials."""

from __future__ import annotations

from rlplatform.studies import budget
from rlplatform.studies.methods import PopulationSampler
from rlplatform.studies.models import StudyRequest, Trial
from rlplatform.studies.request_checks import with_hyperparameters
from rlplatform.training.models import CheckpointInfo, TrainingRequest
from rlplatform.training.request_checks import planned


def target_env_steps(request: StudyRequest) -> int | None:
    """Return the environment steps that a whole training of a trial takes by itself; None: other criteria end it."""
    total = request.training.stop.env_steps
    if total is None or request.training.resume_from is not None:
        return None
    if isinstance(request.sampler, PopulationSampler):
        return -(-total // request.sampler.generations)
    return total


def least_env_steps(request: StudyRequest, trial: Trial) -> int | None:
    """Return the environment steps of which the trial's trainings take a multiple; None: unknown.

    Trainings end after whole rollouts; those of a generation after whole iterations.
    """
    checked = planned(with_hyperparameters(request.training, trial.hyperparameters))
    generations = isinstance(request.sampler, PopulationSampler)
    return checked.env_steps_per_iteration if generations else checked.env_steps_per_rollout


def is_whole(request: StudyRequest, trial: Trial) -> bool:
    """Return True if the budget sufficed for the whole trial."""
    target = target_env_steps(request)
    if trial.env_steps is None or target is None:
        return True
    return trial.env_steps == [budget.whole(target, least_env_steps(request, trial))] * len(request.seeds)


def next_place(request: StudyRequest, trial: Trial) -> int | None:
    """Return the place of the first seed that the trial is to be trained with and has not begun; None: all have."""
    begun = {training.seed for training in trial.trainings}
    for place, seed in enumerate(request.seeds):
        if seed not in begun and (trial.env_steps is None or trial.env_steps[place] > 0):
            return place
    return None


def report_number(request: StudyRequest, env_steps: int) -> int | None:
    """Return the number of the report that a policy evaluation after ``env_steps`` is; None: there are no reports."""
    total = request.training.stop.env_steps
    if request.pruner is None or total is None:
        return None
    return min(request.pruner.reports, max(1, round(env_steps * request.pruner.reports / total)))


def training_request(
    study_id: str, request: StudyRequest, trial: Trial, place: int, parent: CheckpointInfo | None
) -> TrainingRequest:
    """Return the request of the trial's training with the seed at ``place``. Its labels name the study and the trial.

    Args:
        parent: Checkpoint to continue from, in population-based training.
    """
    training = with_hyperparameters(request.training, trial.hyperparameters)
    each = planned(training).env_steps_per_iteration
    labels = {**training.labels, "study": study_id, "trial": str(trial.number)}
    changes: dict[str, object] = {"seed": request.seeds[place], "labels": labels}
    total = training.stop.env_steps
    if trial.env_steps is not None and total is not None:
        own = trial.env_steps[place]
        if isinstance(request.sampler, PopulationSampler):
            changes["stop"] = _of_generation(training, own, each, parent)
            changes["resume_from"] = parent.id if parent is not None else None
        elif own < total:
            changes["stop"] = training.stop.model_copy(update={"env_steps": own})
        if request.pruner is not None:
            every = max(1, round(total / request.pruner.reports / each)) if each is not None else 1
            changes["evaluation"] = training.evaluation.model_copy(update={"every_iterations": every})
    return training.model_copy(update=changes)


def _of_generation(training: TrainingRequest, own: int, each: int | None, parent: CheckpointInfo | None) -> object:
    """Return when a generation ends: after ``own`` steps. Schedules fall over all generations, not over each."""
    done, iterations = (parent.env_steps, parent.iteration) if parent is not None else (0, 0)
    if each is None:
        return training.stop.model_copy(update={"env_steps": done + own})
    total = max(training.stop.env_steps or 0, done + own)
    return training.stop.model_copy(update={"env_steps": total, "iterations": iterations + own // each})
