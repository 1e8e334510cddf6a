"""Fields of requests as keyword arguments of the client's calls. A test compares their names with the models'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from pydantic import BaseModel

from rlplatform.errors import InvalidRequest

Part = BaseModel | Mapping[str, Any]


class AnnotationFields(TypedDict, total=False):
    """Annotations of a run.

    Keys: ``name``: name for people; ``labels``: strings to find the run by; ``notes``: text.
    """

    name: str | None
    labels: Mapping[str, str]
    notes: str | None


class TrainingFields(AnnotationFields, total=False):
    """Fields of a training.

    Keys: ``env``: Gymnasium id, or ``env_…``; ``env_config``: keyword arguments of the environment;
    ``env_backend``: ``envpool``, ``gymnasium`` or ``auto``; ``max_episode_steps``: time limit of an episode;
    ``algorithm``: ``ppo``; ``engine``: ``rllib`` or ``simulated``; ``seed``: seeds everything; ``preset``: name of
    tuned hyperparameters; ``hyperparameters``: those that differ, as Stable-Baselines3 names them; ``resume_from``:
    checkpoint or training to continue; ``stop``: ``env_steps``, ``more_env_steps``, ``episode_return_mean``,
    ``wall_time_s``, ``iterations``; ``resources``: ``num_env_runners``, ``num_learners`` …; ``evaluation``:
    ``every_iterations``, ``episodes`` …; ``checkpoint``: ``every_iterations``, ``keep_last`` …; ``wrappers``:
    wrappers of the environment; ``reward``: a reward function of your own; ``max_environment_faults``: faults of
    users' code that end the training; ``priority``: ``high``, ``normal`` or ``low``.
    """

    env: str
    env_config: Mapping[str, Any]
    env_backend: str
    max_episode_steps: int | None
    algorithm: str
    engine: str
    seed: int
    preset: str | None
    hyperparameters: Mapping[str, Any]
    resume_from: str | None
    stop: Part
    resources: Part
    evaluation: Part
    checkpoint: Part
    wrappers: Sequence[Part]
    reward: Part | None
    max_environment_faults: int
    priority: str


class EvaluationFields(AnnotationFields, total=False):
    """Fields of an evaluation.

    Keys: ``source``: the program; ``source_name``: the learner's name of it; ``language``: ``python``; ``files`` and
    ``data``: further files; ``grader`` and ``checker``: how tests are run and compared; ``tests``: the tests;
    ``groups``: groups of tests; ``stop_on_failure``: True: skip the rest after a failure; ``limits``: time, memory …;
    ``tier``: isolation of the sandbox; ``image``: image to run in; ``priority``: ``high``, ``normal`` or ``low``;
    ``max_wait_s``: longest time in the queue.
    """

    source: str | Part
    source_name: str | None
    language: str
    files: Sequence[Part]
    data: Sequence[Part]
    grader: Part
    checker: Part
    tests: Sequence[Part]
    groups: Sequence[Part]
    stop_on_failure: bool
    limits: Part
    tier: str
    image: str | None
    priority: str
    max_wait_s: float | None


class StudyFields(TypedDict, total=False):
    """Fields of a study.

    Keys: ``name``: name for people; ``training``: request that all trials share; ``space``: hyperparameters to search;
    ``sampler`` and ``pruner``: methods; ``seeds``: seeds of each trial's trainings; ``seed``: seed of the sampler;
    ``trials``: largest number of trials; ``budget_env_steps``: environment steps of all trainings together;
    ``target_return``: return that ends the study; ``parallel``: trainings at the same time.
    """

    name: str | None
    training: Part
    space: Mapping[str, Any]
    sampler: Part
    pruner: Part | None
    seeds: Sequence[int]
    seed: int
    trials: int | None
    budget_env_steps: int | None
    target_return: float | None
    parallel: int


class PolicyFields(TypedDict, total=False):
    """Fields of a policy to publish.

    Keys: ``checkpoint_id``: checkpoint to copy; ``training_id``: or training; ``which``: its ``best`` or ``last``
    checkpoint; ``name``: name for people.
    """

    checkpoint_id: str | None
    training_id: str | None
    which: str | None
    name: str | None


def with_fields(request: Part | None, fields: Mapping[str, Any]) -> Part:
    """Return a request with ``fields``, which replace its own.

    Raises:
        InvalidRequest: there is neither a request nor a field.
    """
    if not fields:
        if request is None:
            raise InvalidRequest("give a request, or its fields as keyword arguments")
        return request
    known = request.model_dump(mode="json", exclude_unset=True) if isinstance(request, BaseModel) else request or {}
    return {**known, **{name: _sent(value) for name, value in fields.items()}}


def _sent(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_unset=True) if isinstance(value, BaseModel) else value
