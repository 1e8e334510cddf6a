"""Refusals of a study's request: which field, and what is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.errors import InvalidRequest
from rlplatform.studies.models import StudyRequest
from rlplatform.studies.request_checks import check_space

RATE = {"kind": "float", "low": 1e-5, "high": 1e-2, "log": True}


def request(space: dict[str, Any] | None = None, **fields: Any) -> StudyRequest:
    training = {"env": "CartPole-v1", "stop": {"env_steps": 1000}, **fields.pop("training", {})}
    known = {"training": training, "space": {"learning_rate": RATE} if space is None else space, "trials": 3}
    return StudyRequest.model_validate({**known, **fields})


@pytest.mark.parametrize(
    ("space", "field", "words"),
    [
        ({"learnin_rate": RATE}, "space.learnin_rate", "did you mean learning_rate"),
        ({"policy_kwargs.net_arc": RATE}, "space.policy_kwargs.net_arc", "did you mean net_arch"),
        ({"gamma": {"kind": "float", "low": 0.9, "high": 1.5}}, "space.gamma", "must be at most 1; got 1.5"),
        ({"learning_rate": RATE, "gamma": {"kind": "float", "low": -1, "high": 1}}, "space.gamma", "at least 0"),
        ({"batch_size": {"kind": "categorical", "choices": [64, 1]}}, "space.batch_size", "at least 2; got 1"),
        ({"n_steps": {"kind": "categorical", "choices": [64, "many"]}}, "space.n_steps", "expected a number"),
        ({"n_epochs": {"kind": "int", "low": 1, "high": 20}}, "space.n_epochs", "fixed in training.hyperparameters"),
    ],
)
def test_space_is_refused_by_field(space: dict[str, Any], field: str, words: str) -> None:
    training = {"training": {"hyperparameters": {"n_epochs": 4}}}
    with pytest.raises(InvalidRequest) as refused:
        check_space(request(space, **training))
    assert refused.value.extra["field"] == field
    assert words in str(refused.value)


def test_values_that_fit_some_others_are_accepted_except_in_a_grid() -> None:
    space = {
        "n_steps": {"kind": "categorical", "choices": [8, 256]},
        "batch_size": {"kind": "categorical", "choices": [64, 1024]},
    }
    check_space(request(space))
    with pytest.raises(InvalidRequest, match="n_steps 8, batch_size 1024"):
        check_space(request(space, sampler={"kind": "grid"}))


def test_population_refuses_what_changes_the_network() -> None:
    space = {"learning_rate": RATE, "policy_kwargs.net_arch": {"kind": "categorical", "choices": [[32], [64]]}}
    with pytest.raises(InvalidRequest, match="changes the network") as refused:
        check_space(request(space, sampler={"kind": "population"}, trials=None))
    assert refused.value.extra["field"] == "space.policy_kwargs.net_arch"
    check_space(request(sampler={"kind": "population"}, trials=None))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trials": None}, "give at least one of trials, budget_env_steps"),
        ({"seeds": [1, 1]}, "seeds must differ"),
        ({"space": {}}, "space must not be empty"),
        ({"space": {"gamma": {"kind": "float", "low": 1, "high": 0}}}, "low must be less than high"),
        ({"space": {"gamma": {"kind": "float", "low": 0, "high": 1, "log": True}}}, "low must be more than 0 with log"),
        ({"space": {"gamma": {"kind": "categorical", "choices": [1, 1]}}}, "listed once"),
        ({"pruner": {"kind": "median"}, "training": {"stop": {"iterations": 3}}}, "stop.env_steps is needed with a pr"),
        ({"sampler": {"kind": "population"}}, "trials does not go with population"),
        (
            {"sampler": {"kind": "grid", "draws": 2}, "space": {"gamma": {"kind": "categorical", "choices": [1]}}},
            "draws",
        ),
        ({"trials": 1000, "seeds": [1, 2, 3]}, "3,000"),
        ({"budget_env_steps": 100, "training": {"resume_from": "ckpt_1"}}, "resume_from does not go with"),
        ({"pruner": {"kind": "hyperband", "reports": 3, "min_reports": 3}}, "min_reports must be less"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        request(**fields)


def test_grid_may_compare_seeds_alone() -> None:
    assert check_space(request({}, sampler={"kind": "grid"}, trials=None)).hyperparameters == {}
