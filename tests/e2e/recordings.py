"""Streams and what the platform's own fold makes of them, for the tests of the page's fold:
``python -m tests.e2e.recordings`` writes them to ``serve_apps/web/test/fixtures/streams.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rlplatform.evaluation.events import (
    EvaluationCancelled,
    EvaluationFailed,
    EvaluationFinished,
    EvaluationOutput,
    EvaluationQueued,
    EvaluationRetried,
    EvaluationStarted,
    EvaluationTestFinished,
)
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.runs.events import Event, stream_of
from rlplatform.runs.records import Run
from rlplatform.studies.events import (
    StudyFailed,
    StudyPaused,
    StudyPauseRequested,
    StudyQueued,
    StudyResumed,
    StudyResumeRequested,
    StudyStarted,
    StudyStopped,
    StudyStopRequested,
    StudySucceeded,
    StudyTrialFinished,
    StudyTrialPruned,
    StudyTrialReported,
    StudyTrialStarted,
    StudyTrialSuggested,
    StudyWaiting,
)
from rlplatform.studies.models import (
    Interval,
    Study,
    StudyRequest,
    StudyState,
    TrialReport,
    TrialState,
    TrialTraining,
)
from rlplatform.studies.record import StudyRun
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvaluated,
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingPauseRequested,
    TrainingQueued,
    TrainingRecovered,
    TrainingResumed,
    TrainingResumeRequested,
    TrainingStarted,
    TrainingStarting,
    TrainingStopped,
    TrainingStopRequested,
    TrainingSucceeded,
)
from rlplatform.training.models import (
    CheckpointInfo,
    EvaluationReport,
    Progress,
    Training,
    TrainingRequest,
    TrainingState,
)
from rlplatform.training.record import TrainingRun

FIXTURE = Path(__file__).parents[2] / "serve_apps/web/test/fixtures/streams.json"

_BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ULID = "01kdvxj5m0e0xav5sg0dbnnn4m"
_EVALUATION, _TRAINING, _CHECKPOINT = f"eval_{_ULID}", f"train_{_ULID}", f"ckpt_{_ULID}"
_STUDY = f"study_{_ULID}"
_ACCEPTED = TestResult(id="t1", verdict=Verdict.ACCEPTED, points=1.0, cpu_time_s=0.01, stdout="4\n", exit_code=0)
_WRONG = TestResult(id="t2", verdict=Verdict.WRONG_ANSWER, points=0.0, stdout="5\n", exit_code=0, message="differs")
_REPORT = EvaluationReport(
    episodes=10,
    episode_return_mean=200.0,
    episode_return_std=10.0,
    episode_return_min=180.0,
    episode_return_max=220.0,
    episode_length_mean=200.0,
)


def recordings() -> dict[str, Any]:
    """By kind and name: the events of a stream, and the run's document after each."""
    at: dict[str, Any] = {"stream": stream_of(_EVALUATION), "time": _BEGAN}
    queued = EvaluationQueued(**at, tests=2, max_score=2.0)
    started = EvaluationStarted(**at, attempt=1)
    printed = EvaluationOutput(**at, attempt=1, test="t1", offset=0, text="4 🎉")
    more = EvaluationOutput(**at, attempt=1, test="t1", offset=3, text="\n", truncated=True)
    first = EvaluationTestFinished(**at, attempt=1, result=_ACCEPTED)
    second = EvaluationTestFinished(**at, attempt=2, result=_WRONG)
    retried = EvaluationRetried(**at, attempt=1, reason="the evaluator is gone")
    finished = EvaluationFinished(
        **at, verdict=Verdict.WRONG_ANSWER, score=1.0, max_score=2.0, tests=[_ACCEPTED, _WRONG], message="a hint"
    )
    evaluations: dict[str, Sequence[Event]] = {
        "finished": [queued, started, printed, more, first, second, finished],
        "retried": [
            queued,
            started,
            printed,
            first,
            retried,
            EvaluationStarted(**at, attempt=2),
            second,
            finished,
        ],
        "cancelled": [queued, started, first, EvaluationCancelled(**at, reason="by its submitter")],
        "failed": [queued, started, retried, EvaluationFailed(**at, reason="three attempts were lost")],
    }
    return {
        "evaluations": {name: _record(_evaluation(), stream) for name, stream in evaluations.items()},
        "trainings": {name: _record(_training(), stream) for name, stream in _trainings().items()},
        "studies": {name: _record(_study(), stream) for name, stream in _studies().items()},
    }


def _trainings() -> dict[str, Sequence[Event]]:
    at: dict[str, Any] = {"stream": stream_of(_TRAINING), "time": _BEGAN, "simulated": True}
    begun = [
        TrainingQueued(**at),
        TrainingStarting(**at, epoch=1),
        TrainingStarted(**at, manifest={"seed": 0, "config": {"env": "CartPole-v1"}}),
    ]

    def iterate(number: int) -> list[Event]:
        metrics = {"rollout/episode_return_mean": 50.0 * number} if number > 1 else {"time/fps": 1000.0}
        return [TrainingIterationCompleted(**at, **_progress(number).model_dump(), metrics=metrics)]

    def evaluate(number: int) -> list[Event]:
        return [TrainingEvaluated(**at, iteration=number, env_steps=256 * number, report=_REPORT)]

    saved = TrainingCheckpointSaved(**at, checkpoint=_checkpoint())
    interrupted = TrainingInterrupted(**at, reason="the trainer is gone", retry_in_s=1.0)
    planned = TrainingInterrupted(**at, reason="shutting down", retry_in_s=0.0, planned=True)
    recovered = TrainingRecovered(
        **at, checkpoint_id=_CHECKPOINT, iteration=2, env_steps=512, redone_iterations=1, redone_env_steps=256
    )
    pause = [
        TrainingPauseRequested(**at, by="key_1"),
        TrainingPaused(**at, progress=_progress(2)),
        TrainingResumeRequested(**at, by="key_1"),
        TrainingStarting(**at, epoch=2),
        TrainingResumed(**at, progress=_progress(2)),
    ]
    succeeded = TrainingSucceeded(**at, stop_reason="env_steps", progress=_progress(4))
    stopped = TrainingStopped(**at, stop_reason="stop_requested", progress=_progress(2))
    failed = TrainingFailed(**at, code="engine_error", reason="no progress", progress=_progress(1))
    two = [*iterate(1), *iterate(2), *evaluate(2), saved]
    again = [*iterate(3), *evaluate(3), interrupted, TrainingStarting(**at, epoch=2), recovered]
    return {
        "recovered": [*begun, *two, *again, *iterate(3), *iterate(4), *evaluate(4), succeeded],
        "paused and stopped": [*begun, *two, *pause, TrainingStopRequested(**at, by="key_1"), stopped],
        "suspended": [*begun, *two, planned, TrainingStarting(**at, epoch=2), recovered],
        "failed": [*begun, *iterate(1), failed],
    }


def _studies() -> dict[str, Sequence[Event]]:
    at: dict[str, Any] = {"stream": stream_of(_STUDY), "time": _BEGAN}

    def begin(number: int, rate: float) -> list[Event]:
        chosen = StudyTrialSuggested(**at, trial=number, hyperparameters={"learning_rate": rate}, env_steps=[512, 512])
        seeds = [
            StudyTrialStarted(**at, trial=number, seed=seed, training_id=f"{_TRAINING}{number}{seed}")
            for seed in (0, 1)
        ]
        return [chosen, *seeds]

    def finish(number: int, value: float, state: TrialState = TrialState.COMPLETED, **more: Any) -> Event:
        trainings = [
            TrialTraining(
                seed=seed, training_id=f"{_TRAINING}{number}{seed}", env_steps=512, episode_return_mean=value + seed
            )
            for seed in (0, 1)
        ]
        bounds = Interval(low=value - 10.0, high=value + 11.0)
        return StudyTrialFinished(
            **at, trial=number, state=state, trainings=trainings, value=value + 0.5, interval=bounds, **more
        )

    begun = [StudyQueued(**at), StudyStarted(**at, epoch=1)]
    report = StudyTrialReported(**at, trial=1, report=TrialReport(number=1, env_steps=256, value=40.0))
    alone = StudyTrialFinished(**at, trial=0, state=TrialState.CUT_SHORT, trainings=[], message="the budget is used up")
    return {
        "ranked": [
            *begun,
            *begin(0, 0.001),
            *begin(1, 0.01),
            finish(0, 100.0),
            report,
            StudyTrialPruned(**at, trial=1, report=1),
            finish(1, 40.0, TrialState.PRUNED),
            *begin(2, 0.002),
            finish(2, 105.0),
            *begin(3, 0.1),
            finish(3, 10.0, importances={"learning_rate": 1.0}),
            StudySucceeded(**at, stop_reason="trials"),
        ],
        "paused, lost and stopped": [
            *begun,
            StudyWaiting(**at, reason="the queue is full"),
            *begin(0, 0.001),
            StudyPauseRequested(**at, by="key_1"),
            StudyPaused(**at),
            StudyResumeRequested(**at, by="key_1"),
            StudyStarted(**at, epoch=2),
            StudyResumed(**at),
            StudyStopRequested(**at, by="key_1"),
            alone,
            StudyStopped(**at),
        ],
        "failed": [*begun, StudyFailed(**at, code="trials_failed", reason="5 trials in a row failed")],
    }


def _progress(iteration: int) -> Progress:
    return Progress(iteration=iteration, env_steps=256 * iteration, episodes=iteration, train_wall_s=0.5 * iteration)


def _checkpoint() -> CheckpointInfo:
    return CheckpointInfo(
        id=_CHECKPOINT,
        training_id=_TRAINING,
        iteration=2,
        env_steps=512,
        episode_return_mean=100.0,
        size_bytes=1024,
        manifest_sha256="0" * 64,
        created_at=_BEGAN,
        best=True,
    )


def _evaluation() -> EvaluationRun:
    request = EvaluationRequest.model_validate({"source": "", "tests": [{"id": "t1"}, {"id": "t2"}]})
    document = Evaluation(id=_EVALUATION, state="queued", max_score=2.0, created_at=_BEGAN)
    return EvaluationRun(id=_EVALUATION, tenant="course", created_by="key_1", request=request, document=document)


def _training() -> TrainingRun:
    request = TrainingRequest.model_validate({"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 1024}})
    document = Training(id=_TRAINING, state=TrainingState.QUEUED, request=request, simulated=True, created_at=_BEGAN)
    return TrainingRun(id=_TRAINING, tenant="course", created_by="key_1", document=document)


def _study() -> StudyRun:
    request = StudyRequest.model_validate(
        {
            "training": {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 512}},
            "space": {"learning_rate": {"kind": "float", "low": 0.0001, "high": 0.1, "log": True}},
            "seeds": [0, 1],
            "trials": 4,
        }
    )
    document = Study(id=_STUDY, state=StudyState.QUEUED, request=request, created_at=_BEGAN)
    return StudyRun(id=_STUDY, tenant="course", created_by="key_1", document=document)


def _record(run: Run, stream: Sequence[Event]) -> dict[str, Any]:
    """``stream`` with ids, sequence numbers and times of its own."""
    lines, documents = [], []
    for seq, event in enumerate(stream, 1):
        happened = event.model_copy(update={"seq": seq, "id": f"evt_{seq}", "time": _BEGAN + timedelta(seconds=seq)})
        run = run.apply(happened)
        lines.append(happened.model_dump(mode="json"))
        documents.append(run.document.model_dump(mode="json"))
    return {"events": lines, "documents": documents}


def text() -> str:
    return json.dumps(recordings(), indent=1) + "\n"


if __name__ == "__main__":
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    FIXTURE.write_text(text())
