"""Runs, events, checkpoints and keys to test with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rlplatform import ids
from rlplatform.access.api_keys import ApiKey
from rlplatform.access.principals import Scope
from rlplatform.clock import Clock
from rlplatform.evaluation.events import EvaluationFinished, EvaluationQueued, EvaluationRetried
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.run_kinds import parse_event
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent
from rlplatform.runs.records import Run
from rlplatform.training.events import TrainingIterationCompleted, TrainingQueued
from rlplatform.training.models import CheckpointInfo, StopCriteria, Training, TrainingRequest, TrainingState
from rlplatform.training.record import TrainingRun


def evaluation_run(clock: Clock, tenant: str = "acme") -> EvaluationRun:
    """A new evaluation that has no event yet."""
    run_id = ids.new_id(ids.Kind.EVALUATION)
    request = EvaluationRequest(source="print(input())", tests=[TestCase(id="t1", stdin="é\u2028\n", hidden=True)])
    document = Evaluation(id=run_id, state="queued", max_score=1.0, created_at=clock.now())
    run = EvaluationRun(id=run_id, tenant=tenant, created_by="key_1", request=request, document=document)
    return run.annotated(request.annotations)


def training_run(clock: Clock, tenant: str = "acme") -> TrainingRun:
    """A new training that has no event yet."""
    run_id = ids.new_id(ids.Kind.TRAINING)
    request = TrainingRequest(env="CartPole-v1", stop=StopCriteria(iterations=10), env_config={"x": [1, 2.0, None]})
    document = Training(id=run_id, state=TrainingState.QUEUED, request=request, created_at=clock.now())
    run = TrainingRun(id=run_id, tenant=tenant, created_by="key_1", document=document)
    return run.annotated(request.annotations)


def checkpoint(training_id: str | None = None, iteration: int = 3, **fields: Any) -> CheckpointInfo:
    """One that has not been committed yet; ``fields`` are others of it."""
    known = {
        "id": ids.new_id(ids.Kind.CHECKPOINT),
        "training_id": training_id or ids.new_id(ids.Kind.TRAINING),
        "iteration": iteration,
        "env_steps": iteration * 100,
        "episode_return_mean": 12.5,
        "size_bytes": 0,
        "manifest_sha256": "",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return CheckpointInfo.model_validate(known | fields)


def queued(run: Run, clock: Clock) -> Event:
    """The first event of ``run``."""
    if isinstance(run, EvaluationRun):
        return EvaluationQueued(stream=run.stream, time=clock.now(), tests=1, max_score=1.0)
    return TrainingQueued(stream=run.stream, time=clock.now())


def retried(run: Run, clock: Clock, reason: str = "lost") -> Event:
    return EvaluationRetried(stream=run.stream, time=clock.now(), attempt=1, reason=reason)


def iteration(run: Run, clock: Clock, number: int) -> Event:
    return TrainingIterationCompleted(
        stream=run.stream,
        time=clock.now(),
        iteration=number,
        env_steps=number * 100,
        episodes=number,
        train_wall_s=number / 10,
        metrics={"rollout/episode_return_mean": number / 3},
    )


def finished(run: Run, clock: Clock) -> Event:
    result = TestResult(id="t1", verdict=Verdict.ACCEPTED, points=1.0, hidden=True, stdout="é\n", value=[1, 1.0])
    return EvaluationFinished(
        stream=run.stream, time=clock.now(), verdict=Verdict.ACCEPTED, score=1.0, max_score=1.0, tests=[result]
    )


def key_of(tenant: str, clock: Clock, key_id: str | None = None) -> ApiKey:
    return ApiKey(
        id=key_id or ids.new_id(ids.Kind.KEY),
        tenant=tenant,
        name="laptop",
        scopes=frozenset({Scope.READ, Scope.TRAIN}),
        secret_hmac="0" * 64,
        created_at=clock.now(),
    )


def seqs(lines: Sequence[EncodedEvent]) -> list[int]:
    return [line.seq for line in lines]


def fold(run: Run, lines: Sequence[EncodedEvent]) -> Run:
    """``run``, as it was before its first event, after all of ``lines``."""
    for line in lines:
        run = run.apply(parse_event(line.data))
    return run
