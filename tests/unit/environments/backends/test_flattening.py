"""Dict and Tuple observations are flattened as Gymnasium flattens them, on every backend."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector.utils import batch_space

from rlplatform.environments.backends.flattening import Flattening
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.spaces import space_from_json, space_info, space_to_json
from rlplatform.errors import InvalidRequest
from rlplatform.policies.observations import parse

SPACES = [
    spaces.Dict(a=spaces.Box(-1, 1, (2, 3)), b=spaces.Discrete(4), c=spaces.MultiBinary(3)),
    spaces.Tuple([spaces.Discrete(5), spaces.Box(-9, 9, (2,), np.int64), spaces.MultiDiscrete([2, 3])]),
    spaces.Dict(outer=spaces.Dict(z=spaces.Discrete(2), y=spaces.Tuple([spaces.Box(0, 1, ())]))),
    spaces.Tuple([spaces.Discrete(32), spaces.Discrete(11), spaces.Discrete(2)]),
]


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [as_json(part) for part in value]
    return np.asarray(value).tolist()


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_batch_is_flattened_as_gymnasium_flattens_each(space: Any) -> None:
    flattening = Flattening("it", space)
    space.seed(1)
    samples = [space.sample() for _ in range(5)]
    batch = gym.vector.utils.concatenate(space, samples, gym.vector.utils.create_empty_array(space, 5))
    expected = np.stack([spaces.flatten(space, sample) for sample in samples])
    flat = flattening(batch)
    assert flat.dtype == np.float32
    np.testing.assert_allclose(flat, expected)
    assert flattening.space.shape == spaces.flatten_space(space).shape
    assert batch_space(space, 5).contains(batch)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_observations_may_be_sent_whole_or_flattened(space: Any) -> None:
    flattening = Flattening("it", space)
    info = space_info(flattening.space)
    space.seed(2)
    samples = [space.sample() for _ in range(3)]
    flat = np.stack([spaces.flatten(space, sample) for sample in samples]).astype(np.float32)
    np.testing.assert_allclose(parse(info, [as_json(sample) for sample in samples]), flat)
    np.testing.assert_allclose(parse(info, flat.tolist()), flat)


def test_a_part_that_does_not_fit_is_named() -> None:
    info = space_info(Flattening("it", SPACES[0]).space)
    good = {"a": [[0.0] * 3] * 2, "b": 1, "c": [0, 1, 0]}
    for row, field in [
        (good | {"b": 4}, "observations.1.b"),
        ({"a": good["a"], "b": 1}, "observations.1"),
        (good | {"c": [0, 1, 2]}, "observations.1.c.2"),
        (good | {"a": [[0.0] * 3, [0.0, 0.0, "x"]]}, "observations.1.a.1.2"),
    ]:
        with pytest.raises(InvalidRequest) as refused:
            parse(info, [good, row])
        assert refused.value.extra["field"] == field


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_flattened_space_survives_saving(space: Any) -> None:
    flat = Flattening("it", space).space
    again = space_from_json(*space_to_json(flat))
    assert again == flat
    assert space_info(again) == space_info(flat)


class Parts(gym.Env[Any, Any]):
    """Shows its step in several parts."""

    observation_space = SPACES[0]
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: int) -> Any:
        return self.observation_space.sample(), 1.0, False, False, {}


@pytest.mark.parametrize("autoreset", ["envpool", "sync"])
def test_environments_give_vectors(monkeypatch: pytest.MonkeyPatch, autoreset: str) -> None:
    monkeypatch.setitem(gym.registry, "Parts-v0", EnvSpec("Parts-v0", Parts, max_episode_steps=3))
    made = make_vector_env("FetchReach-v4" if autoreset == "envpool" else "Parts-v0", {}, [0, 1])
    size = made.single_observation_space.shape
    assert made.reset().shape == (2, *size)
    action = np.stack([made.single_action_space.sample() for _ in range(2)])
    for _ in range(5):
        step = made.step(action)
        assert step.obs.shape == (2, *size)
        assert step.obs.dtype == np.float32
    assert made.describe()["wrappers"] == ["FlattenObservation"]
    made.close()


def test_both_backends_flatten_blackjack_alike() -> None:
    made = make_vector_env("Blackjack-v1", {}, [0], options=EnvOptions("gymnasium"))
    made.close()
    assert made.single_observation_space.shape == (32 + 11 + 2,)
