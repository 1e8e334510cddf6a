"""Keyword arguments of the client's calls are the fields of the requests."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from rlplatform.client.fields import EvaluationFields, PolicyFields, StudyFields, TrainingFields, with_fields
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.policies.models import PolicyRequest
from rlplatform.studies.models import StudyRequest
from rlplatform.training.models import StopCriteria, TrainingRequest


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        (TrainingFields, TrainingRequest),
        (EvaluationFields, EvaluationRequest),
        (StudyFields, StudyRequest),
        (PolicyFields, PolicyRequest),
    ],
)
def test_every_field_of_a_request_is_a_documented_keyword_argument(fields: type, model: type[BaseModel]) -> None:
    names = set(fields.__annotations__)
    assert names == set(model.model_fields)
    documented = set(re.findall(r"``(\w+)``", str(fields.__doc__)))
    own = names - {"name", "labels", "notes"}
    assert own <= documented


def test_fields_replace_those_of_the_request() -> None:
    request = TrainingRequest(env="CartPole-v1", seed=1, stop=StopCriteria(iterations=2))
    assert with_fields(request, {"seed": 3, "stop": StopCriteria(env_steps=5)}) == {
        "env": "CartPole-v1",
        "seed": 3,
        "stop": {"env_steps": 5},
    }
    assert with_fields(request, {}) is request
    with pytest.raises(InvalidRequest, match="give a request, or its fields"):
        with_fields(None, {})
