"""Trials of a sweep, and their ranking."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rlplatform.cli import sweep_plan
from rlplatform.cli.sweep_plan import Sweep
from rlplatform.errors import Conflict, InvalidRequest
from rlplatform.training.models import EvaluationReport, StopCriteria, Training, TrainingRequest, TrainingState

BASE = {"env": "CartPole-v1", "hyperparameters": {"gamma": 0.9}}


def test_a_grid_is_every_combination_with_every_seed() -> None:
    requests = sweep_plan.plan(BASE, ["learning_rate:0.1,lin_0.001", "n_epochs:[2,4]"], [], 10, [0, 7], "s")
    assert len(requests) == 2 * 2 * 2
    assert list(requests)[:3] == ["0/0", "0/7", "1/0"]
    expected = {"gamma": 0.9, "learning_rate": "lin_0.001", "n_epochs": 4}
    assert requests["3/7"] == {**BASE, "seed": 7, "hyperparameters": expected}
    assert list(sweep_plan.plan(BASE, [], [], 10, [1], "s")) == ["0/1"]


def test_what_is_sampled_is_within_its_bounds_and_the_same_for_the_same_name() -> None:
    sample = ["learning_rate:log:1e-5..1e-2", "n_epochs:2..20", "clip_range:0.1..0.3"]
    requests = sweep_plan.plan(BASE, ["batch_size:64,128"], sample, 25, [0], "s")
    assert len(requests) == 50
    for request in requests.values():
        drawn = request["hyperparameters"]
        assert 1e-5 <= drawn["learning_rate"] <= 1e-2
        assert drawn["n_epochs"] in range(2, 21)
        assert isinstance(drawn["n_epochs"], int)
        assert 0.1 <= drawn["clip_range"] <= 0.3
    assert sum(request["hyperparameters"]["learning_rate"] < 1e-3 for request in requests.values()) > 20, "log-uniform"
    assert sweep_plan.plan(BASE, ["batch_size:64,128"], sample, 25, [0], "s") == requests
    assert sweep_plan.plan(BASE, ["batch_size:64,128"], sample, 25, [0], "other") != requests


@pytest.mark.parametrize(
    ("grid", "sample"),
    [
        (["learning_rate"], []),
        (["learning_rate:"], []),
        ([":1,2"], []),
        (["a:1,,2"], []),
        (["gamma:0.9,0.99"], []),
        (["a:1", "a:2"], []),
        (["a:1"], ["a:0..1"]),
        ([], ["a:1..0"]),
        ([], ["a:log:0..1"]),
        ([], ["a:0..inf"]),
        ([], ["a:x..y"]),
        ([], ["a"]),
        (["a:" + ",".join(map(str, range(1001)))], []),
        ([], ["learning_rate:-inf..1"]),
        ([], ["learning_rate:nan..1"]),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_option(grid: list[str], sample: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        sweep_plan.plan(BASE, grid, sample, 1, [0], "s")
    assert refused.value.extra["field"] in ("--grid", "--sample")


def test_seeds() -> None:
    assert sweep_plan.seeds_of("0..3") == [0, 1, 2, 3]
    assert sweep_plan.seeds_of("5,1") == [5, 1]
    with pytest.raises(InvalidRequest, match="the most runs"):
        sweep_plan.seeds_of(f"0..{10**18}")  # spelled out it would fill the memory
    for text in ("", "x", "1,1", "3..1", "-1"):
        with pytest.raises(InvalidRequest):
            sweep_plan.seeds_of(text)


def test_a_sweep_is_continued_only_as_what_it_was(tmp_path: Path) -> None:
    requests = sweep_plan.plan(BASE, ["a:1,2"], [], 1, [0], "s")
    sweep = Sweep.load(tmp_path / "sweeps", "s", requests)
    sweep.started["0/0"] = "train_1"
    sweep.save(tmp_path / "sweeps")
    assert Sweep.load(tmp_path / "sweeps", "s", requests) == sweep
    with pytest.raises(Conflict, match="other settings"):
        Sweep.load(tmp_path / "sweeps", "s", sweep_plan.plan(BASE, ["a:1,3"], [], 1, [0], "s"))
    (tmp_path / "sweeps" / "s.json").write_text("{")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        Sweep.load(tmp_path / "sweeps", "s", requests)
    for name in ("../s", "", "a b", "x" * 65):
        with pytest.raises(InvalidRequest):
            Sweep.load(tmp_path, name, requests)


def test_the_best_mean_is_first_and_what_has_none_last() -> None:
    requests = sweep_plan.plan(BASE, ["a:1,2,3"], [], 1, [0, 1], "s")
    ended = {
        key: training(episode_return)
        for key, episode_return in {"0/0": 10.0, "0/1": 20.0, "1/0": 40.0, "1/1": None, "2/0": None}.items()
    }
    rows = sweep_plan.rank(requests, ended)
    assert [(row.hyperparameters["a"], row.mean, row.finished, row.runs) for row in rows] == [
        (2, 40.0, 1, 2),
        (1, 15.0, 2, 2),
        (3, None, 0, 2),
    ]
    assert rows[0].std is None, "one says nothing of the spread"
    assert rows[1].std == pytest.approx(7.0710678)


def training(episode_return: float | None) -> Training:
    report = None
    if episode_return is not None:
        figures = dict.fromkeys(("mean", "std", "min", "max"), episode_return)
        report = EvaluationReport(
            episodes=1, episode_length_mean=1, **{f"episode_return_{name}": value for name, value in figures.items()}
        )
    request = TrainingRequest(env="CartPole-v1", stop=StopCriteria(iterations=1))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Training(id="train_1", state=TrainingState.SUCCEEDED, request=request, evaluation=report, created_at=at)
