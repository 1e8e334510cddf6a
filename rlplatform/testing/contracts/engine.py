"""Contract suite of every :class:`~rlplatform.training.ports.TrainingEngine`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rlplatform.errors import CheckpointError
from rlplatform.training.models import IterationReport, StopCriteria, TrainingRequest
from rlplatform.training.ports import TrainingEngine

MakeEngine = Callable[..., TrainingEngine]


def small_request(seed: int = 7, **changes: object) -> TrainingRequest:
    """A CartPole training of which an iteration takes a fraction of a second."""
    fields: dict[str, object] = {
        "env": "CartPole-v1",
        "seed": seed,
        "hyperparameters": {"n_steps": 64, "batch_size": 64, "n_epochs": 2, "learning_rate": "lin_0.001"},
        "resources": {"num_envs_per_env_runner": 2},
        "stop": StopCriteria(env_steps=100_000),
    }
    return TrainingRequest.model_validate(fields | changes)


class TrainingEngineContract:
    """Subclasses provide ``build(request) -> TrainingEngine``."""

    deterministic = True
    """Whether equal requests give equal parameters."""

    def build(self, request: TrainingRequest) -> TrainingEngine:
        raise NotImplementedError

    @pytest.fixture
    def make(self) -> Iterator[MakeEngine]:
        engines: list[TrainingEngine] = []

        def make(**changes: object) -> TrainingEngine:
            engines.append(self.build(small_request(**changes)))  # type: ignore[arg-type]
            return engines[-1]

        yield make
        for engine in engines:
            engine.close()

    def test_counters_grow_and_metrics_are_finite(self, make: MakeEngine) -> None:
        engine = make()
        reports = [engine.train_iteration() for _ in range(3)]
        assert [report.iteration for report in reports] == [1, 2, 3]
        for before, after in itertools.pairwise(reports):
            assert after.env_steps > before.env_steps > 0
            assert after.episodes >= before.episodes
        engine = make()
        counted = 0
        for _ in range(3):
            report = engine.train_iteration()
            finished = engine.finished()
            assert len(finished) == report.episodes - counted
            assert all(math.isfinite(episode_return) and length > 0 for episode_return, length in finished)
            counted = report.episodes
        for report in reports:
            assert all(math.isfinite(value) for value in report.metrics.values())
            assert all(name.startswith(("rollout/", "time/", "train/")) for name in report.metrics)
            assert ("rollout/episode_return_mean" in report.metrics) == (report.episodes > 0)

    def test_evaluates_exactly_so_many_episodes_and_changes_nothing(self, make: MakeEngine) -> None:
        engine, undisturbed = make(), make()
        engine.train_iteration()
        undisturbed.train_iteration()
        before = engine.parameter_hash()
        report = engine.evaluate(7, seed=3)
        assert report.episodes == 7
        assert report.episode_return_min <= report.episode_return_mean <= report.episode_return_max
        assert engine.evaluate(7, seed=3) == report
        assert engine.parameter_hash() == before
        if self.deterministic:
            assert _same(engine.train_iteration(), undisturbed.train_iteration())
            assert engine.parameter_hash() == undisturbed.parameter_hash()

    def test_training_changes_the_parameters(self, make: MakeEngine) -> None:
        engine = make()
        before = engine.parameter_hash()
        assert engine.parameter_hash() == before
        engine.train_iteration()
        assert engine.parameter_hash() != before

    def test_equal_requests_give_equal_parameters(self, make: MakeEngine) -> None:
        if not self.deterministic:
            pytest.skip("this engine does not promise it")
        one, other, third = make(), make(), make(seed=8)
        for engine in (one, other, third):
            engine.train_iteration()
            engine.train_iteration()
        assert one.parameter_hash() == other.parameter_hash() != third.parameter_hash()

    def test_goes_on_in_a_fresh_engine(self, make: MakeEngine, tmp_path: Path) -> None:
        engine, fresh = make(), make()
        engine.train_iteration()
        saved = engine.train_iteration()
        engine.save(tmp_path)
        fresh.restore(tmp_path)
        assert fresh.parameter_hash() == engine.parameter_hash()
        assert fresh.evaluate(3, seed=1) == engine.evaluate(3, seed=1)
        report = fresh.train_iteration()
        assert report.iteration == saved.iteration + 1
        assert report.env_steps > saved.env_steps
        assert report.episodes >= saved.episodes

    def test_rolls_back_in_place(self, make: MakeEngine, tmp_path: Path) -> None:
        engine = make()
        saved = engine.train_iteration()
        engine.save(tmp_path)
        parameters, evaluation = engine.parameter_hash(), engine.evaluate(3, seed=1)
        engine.train_iteration()
        engine.train_iteration()
        engine.restore(tmp_path)
        assert engine.parameter_hash() == parameters
        assert engine.evaluate(3, seed=1) == evaluation
        assert engine.train_iteration().iteration == saved.iteration + 1

    def test_refuses_a_checkpoint_that_is_not_one(self, make: MakeEngine, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        with pytest.raises(CheckpointError):
            make().restore(tmp_path)

    def test_close_is_idempotent(self, make: MakeEngine) -> None:
        engine = make()
        engine.close()
        engine.close()


def _same(one: IterationReport, other: IterationReport) -> bool:
    """Return True if two results are equal, except for what depends on the machine's speed."""
    return [
        (r.env_steps, r.episodes, {k: v for k, v in r.metrics.items() if not k.startswith("time/")}) for r in (one,)
    ] == [
        (r.env_steps, r.episodes, {k: v for k, v in r.metrics.items() if not k.startswith("time/")}) for r in (other,)
    ]
