"""MLflow: one run for each training, on a tracking server or in a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rlplatform.cli.exports.follower import Point, settings_of
from rlplatform.errors import Unavailable
from rlplatform.training.models import Training, TrainingState

_TAG = "rlplatform.training_id"
_MOST_METRICS = 1000
_MOST_PARAMS = 100
_STATUS = {TrainingState.SUCCEEDED: "FINISHED", TrainingState.STOPPED: "FINISHED", TrainingState.FAILED: "FAILED"}


class MlflowSink:
    """Logs metrics over environment steps, in batches.

    MLflow keeps a value as often as it is logged. Therefore, once continued, the sink asks for the steps that each
    metric has, and skips those.

    Raises:
        Unavailable: MLflow is not installed.
    """

    def __init__(self, tracking_uri: str, experiment: str) -> None:
        if tracking_uri.startswith("file:"):
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 asks for that before it uses a folder
        try:
            from mlflow import MlflowClient, entities
        except ModuleNotFoundError:
            raise Unavailable("MLflow is not installed here: pip install mlflow-skinny") from None
        self._entities = entities
        self._client = MlflowClient(tracking_uri=tracking_uri)
        self._experiment = experiment
        self._pending: list[Any] = []
        self._known: dict[str, set[int]] | None = None
        self._run = ""

    def open(self, training: Training, state: Mapping[str, Any] | None) -> None:
        found = self._client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found is not None else self._client.create_experiment(self._experiment)
        self._run = str(state["run_id"]) if state else self._find(experiment, training)
        if self._run:
            self._known = {}
            return
        tags = {f"label.{name}": value for name, value in training.labels.items()} | {_TAG: training.id}
        run = self._client.create_run(experiment, tags=tags, run_name=training.name or training.id)
        self._run = run.info.run_id

    def log(self, point: Point) -> None:
        for name, value in point.values.items():
            if self._known is None or point.step not in self._steps(name):
                self._pending.append(self._entities.Metric(name, value, int(point.time * 1000), point.step))

    def commit(self) -> Mapping[str, Any]:
        for start in range(0, len(self._pending), _MOST_METRICS):
            self._client.log_batch(self._run, metrics=self._pending[start : start + _MOST_METRICS])
        self._pending = []
        return {"run_id": self._run}

    def close(self, training: Training) -> Mapping[str, Any]:
        state = self.commit()
        self._log_settings(training)
        if (status := _STATUS.get(training.state)) is not None:
            self._client.set_terminated(self._run, status=status)
        return state

    def _log_settings(self, training: Training) -> None:
        """Log the settings once they are known for good: MLflow refuses to change one."""
        if training.manifest is None and training.state not in _STATUS:
            return
        logged = self._client.get_run(self._run).data.params
        settings = {name: value for name, value in settings_of(training).items() if name not in logged}
        params = [self._entities.Param(name, str(value)[:500]) for name, value in settings.items()]
        for start in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._run, params=params[start : start + _MOST_PARAMS])

    def _find(self, experiment: str, training: Training) -> str:
        """Return the run that an earlier follower made but did not note; empty if there is none."""
        runs = self._client.search_runs([experiment], filter_string=f"tags.`{_TAG}` = '{training.id}'", max_results=1)
        return str(runs[0].info.run_id) if runs else ""

    def _steps(self, name: str) -> set[int]:
        assert self._known is not None
        if name not in self._known:
            self._known[name] = {metric.step for metric in self._client.get_metric_history(self._run, name)}
        return self._known[name]
