"""Observations of an environment are accepted unchanged; values outside its space are refused by their place."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rlplatform.environments.models import SpaceInfo
from rlplatform.environments.spaces import space_info
from rlplatform.errors import InvalidRequest
from rlplatform.policies.observations import parse

SPACES = [
    spaces.Box(-np.inf, np.inf, (5,), np.float32),
    spaces.Box(np.array([-1.0, -np.inf]), np.array([1.0, 7.5]), (2,), np.float64),
    spaces.Box(0, 255, (4, 3, 2), np.uint8),
    spaces.Box(-1.0, 1.0, (), np.float32),
    spaces.Discrete(6),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 5]),
    spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[0, 1], [0, -1]]),
    spaces.MultiBinary(4),
    spaces.MultiBinary([2, 2]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_samples_survive_json(space: Any) -> None:
    space.seed(1)
    samples = [np.asarray(space.sample()) for _ in range(7)]
    info = SpaceInfo.model_validate_json(space_info(space).model_dump_json())
    parsed = parse(info, json.loads(json.dumps([sample.tolist() for sample in samples])))
    assert parsed.shape == (7, *space.shape)
    assert parsed.dtype == space.dtype
    assert np.array_equal(parsed, np.stack(samples))


@pytest.mark.parametrize(
    ("space", "rows", "field", "words"),
    [
        (spaces.Discrete(3, start=-1), [0, 2], "observations.1", "2 is not one of -1 to 1"),
        (spaces.Discrete(3), [0.5], "observations.0", "an integer is wanted, not 0.5"),
        (spaces.Discrete(3), [[1]], "observations.0", "an integer is wanted, not a list"),
        (spaces.Discrete(3), [2**70], "observations.0", "too large"),
        (spaces.Discrete(3), [True], "observations.0", "not a boolean"),
        (spaces.MultiDiscrete([2, 5]), [[1, 4], [1, 5]], "observations.1.1", "5 is not one of 0 to 4"),
        (spaces.MultiBinary([2, 2]), [[[0, 1], [2, 0]]], "observations.0.1.0", "2 is not one of 0 to 1"),
        (spaces.Box(0, 255, (1, 1, 2), np.uint8), [[[[0, 256]]]], "observations.0.0.0.1", "256 is not one of 0 to 255"),
        (spaces.Box(0, 255, (1, 2), np.uint8), [[[0, 1.0]]], "observations.0.0.1", "an integer is wanted"),
        (spaces.Box(-1, 1, (2, 2), np.float32), [[[0, 0], [0]]], "observations.0.1", "a list of 2 is wanted"),
        (spaces.Box(-1, 1, (2,), np.float32), [[0, {}]], "observations.0.1", "not an object"),
        (spaces.Box(-1, 1, (2,), np.float32), ["ab"], "observations.0", "not a string"),
    ],
)
def test_what_does_not_fit(space: Any, rows: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        parse(space_info(space), rows)
    assert refused.value.extra["field"] == field


def test_bounds_are_told_in_short() -> None:
    assert space_info(SPACES[0]).low is None
    assert space_info(SPACES[1]).model_dump(include={"low", "high"}) == {"low": [-1.0, None], "high": [1.0, 7.5]}
    assert space_info(SPACES[2]).model_dump(include={"low", "high"}) == {"low": 0.0, "high": 255.0}
    assert space_info(SPACES[3]).model_dump(include={"low", "high"}) == {"low": -1.0, "high": 1.0}
