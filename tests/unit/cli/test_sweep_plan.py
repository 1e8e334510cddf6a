"""Options of a search space, and sweeps that are known by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplatform.cli import sweep_plan
from rlplatform.cli.sweep_plan import Sweep
from rlplatform.errors import Conflict, InvalidRequest

REQUEST = {"name": "s", "space": {}}


def test_options_become_parameters() -> None:
    space = sweep_plan.space_of(
        ["learning_rate:0.1,lin_0.001", "policy_kwargs.net_arch:[[64,64],[256]]"],
        ["ent_coef:log:1e-5..1e-2", "n_epochs:2..20", "clip_range:0.1..0.3"],
        {"gamma": 0.9},
    )
    assert space == {
        "learning_rate": {"kind": "categorical", "choices": [0.1, "lin_0.001"]},
        "policy_kwargs.net_arch": {"kind": "categorical", "choices": [[64, 64], [256]]},
        "ent_coef": {"kind": "float", "low": 1e-5, "high": 1e-2, "log": True},
        "n_epochs": {"kind": "int", "low": 2, "high": 20, "log": False},
        "clip_range": {"kind": "float", "low": 0.1, "high": 0.3, "log": False},
    }
    assert sweep_plan.parameter_of("n_epochs:2..20")[1]["kind"] == "int"
    assert sweep_plan.parameter_of("n_epochs:2,20") == ("n_epochs", {"kind": "categorical", "choices": [2, 20]})


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
        ([], ["learning_rate:-inf..1"]),
        ([], ["learning_rate:nan..1"]),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_option(grid: list[str], sample: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        sweep_plan.space_of(grid, sample, {"gamma": 0.9})
    assert refused.value.extra["field"] in ("--grid", "--sample")


def test_seeds() -> None:
    assert sweep_plan.seeds_of("0..3") == [0, 1, 2, 3]
    assert sweep_plan.seeds_of("5,1") == [5, 1]
    with pytest.raises(InvalidRequest, match="the most seeds"):
        sweep_plan.seeds_of(f"0..{10**18}")  # spelled out it would fill the memory
    for text in ("", "x", "1,1", "3..1", "-1"):
        with pytest.raises(InvalidRequest):
            sweep_plan.seeds_of(text)


def test_a_sweep_is_continued_only_as_what_it_was(tmp_path: Path) -> None:
    sweep = Sweep.load(tmp_path / "sweeps", "s", REQUEST)
    sweep.study_id = "study_1"
    sweep.save(tmp_path / "sweeps")
    assert Sweep.load(tmp_path / "sweeps", "s", REQUEST) == sweep
    with pytest.raises(Conflict, match="other settings"):
        Sweep.load(tmp_path / "sweeps", "s", {**REQUEST, "seeds": [1]})
    (tmp_path / "sweeps" / "s.json").write_text("{")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        Sweep.load(tmp_path / "sweeps", "s", REQUEST)
    for name in ("../s", "", "a b", "x" * 65):
        with pytest.raises(InvalidRequest):
            Sweep.load(tmp_path, name, REQUEST)
