from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from rlplatform.environments.options import EnvOptions
from rlplatform.environments.probe import describe, probe
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.testing.probes import check_request
from rlplatform.training.models import Resources, TrainingRequest
from rlplatform.training.request_checks import total_envs


def request(**changes: Any) -> TrainingRequest:
    return TrainingRequest.model_validate({"env": "CartPole-v1", "stop": {"env_steps": 1000}} | changes)


def test_importing_it_loads_neither_torch_nor_ray() -> None:
    code = "import sys, rlplatform.environments.probe; sys.exit('torch' in sys.modules or 'ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_environment_of_gymnasium_is_known_without_importing_envpool() -> None:
    code = "import sys; from rlplatform.environments.probe import probe; probe('CartPole-v1', {}).close()"
    assert (
        subprocess.run([sys.executable, "-c", f"{code}; sys.exit('envpool' in sys.modules)"], check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("changes", "field", "near"),
    [
        ({"env": "CartPol-v1"}, "env", "CartPole-v1"),
        ({"env": "os:system"}, "env", None),
        ({"preset": "CartPole"}, "preset", "CartPole-v1"),
        ({"hyperparameters": {"learning_rat": 1}}, "hyperparameters.learning_rat", "learning_rate"),
    ],
)
def test_an_unknown_name_gets_a_hint(changes: dict[str, Any], field: str, near: str | None) -> None:
    with pytest.raises(UnknownName) as refused:
        check_request(request(**changes))
    assert refused.value.extra["field"] == field
    assert near is None or near in refused.value.extra["did_you_mean"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hyperparameters": {"batch_size": 4096}}, "hyperparameters.batch_size"),
        ({"hyperparameters": {"learning_rate": "quick"}}, "hyperparameters.learning_rate"),
        (
            {"hyperparameters": {"n_steps": 10**6}, "resources": {"num_envs_per_env_runner": 1000}},
            "hyperparameters.n_steps",
        ),
        (
            {
                "env": "Pong-v5",
                "hyperparameters": {"n_steps": 4096},
                "resources": {"num_env_runners": 2, "num_envs_per_env_runner": 32},
            },
            "hyperparameters.n_steps",
        ),
        ({"env": "Pong-v5", "env_config": {"batch_size": 1}}, "env_config.batch_size"),
        ({"env": "Pong-v5", "env_config": {"base_path": "/etc"}}, "env_config.base_path"),
        ({"env": "Pong-v5", "env_config": {"task": "no_such_game"}}, "env_config.task"),
        ({"env": "Pong-v5", "env_config": {"img_height": -1}}, "env_config.img_height"),
        ({"env": "Pong-v5", "env_config": {"stack_num": 0}}, "env_config.stack_num"),
        ({"env": "Pong-v5", "env_config": {"episodic_life": 1}}, "env_config.episodic_life"),
        (
            {"env": "Pong-v5", "env_config": {"repeat_action_probability": float(2)}},
            "env_config.repeat_action_probability",
        ),
        ({"hyperparameters": {"use_sde": True}}, "hyperparameters.use_sde"),
        ({"env_config": {"bogus": 1}}, "env_config.bogus"),
        ({"env_config": {"xml_file": "/etc/passwd"}}, "env_config.xml_file"),
        ({"env": "HalfCheetah-v2"}, "env"),
    ],
)
def test_refuses_what_cannot_be_trained(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_request(request(**changes))
    assert refused.value.extra["field"] == field


class Odd(gym.Env[Any, Any]):
    """An environment with the spaces that it is given."""

    def __init__(self, observation_space: Any, action_space: Any) -> None:
        self.observation_space, self.action_space = observation_space, action_space


@pytest.mark.parametrize(
    ("observations", "actions", "why"),
    [
        (spaces.Tuple([spaces.Discrete(3, start=1)]), spaces.Discrete(2), None),
        (spaces.Dict(a=spaces.Discrete(3)), spaces.MultiDiscrete([2], start=[1]), None),
        (spaces.Discrete(3, start=1), spaces.Discrete(2, start=1), None),
        (spaces.Dict(a=spaces.Tuple([spaces.Box(-1, 1)])), spaces.Discrete(2), None),
        (spaces.Discrete(3), spaces.Box(0, 4, (2,), np.int64), "floats"),
        (spaces.Dict(a=spaces.Text(3)), spaces.Discrete(2), "'a' of Text"),
        (spaces.Text(3), spaces.Discrete(2), "observations are Text.* gymnasium.ObservationWrapper"),
        (
            spaces.Discrete(3),
            spaces.Tuple([spaces.Discrete(2)]),
            r"actions are Tuple\(Discrete\(2\)\); policies act on",
        ),
        (spaces.Discrete(3), spaces.Dict(a=spaces.Discrete(2)), "actions are Dict.* gymnasium.ActionWrapper"),
        (spaces.Discrete(3), spaces.Tuple([spaces.Discrete(2)] * 40), "actions are of Tuple; policies act on"),
        (spaces.Dict(see=spaces.Box(0, 255, (64, 64, 3), np.uint8)), spaces.Discrete(2), "'see' .* an image"),
        (spaces.Dict(see=spaces.Box(0, 1, (3, 64, 64), np.float32)), spaces.Discrete(2), "'see' .* an image"),
        (spaces.Dict(see=spaces.Box(0, 255, (84, 84), np.uint8)), spaces.Discrete(2), "'see' .* an image"),
        (spaces.Discrete(100_000), spaces.Discrete(2), "at most 16384 are trained on"),
        (spaces.MultiDiscrete([50_000, 50_000]), spaces.Discrete(2), "at most 16384"),
        (spaces.Dict(a=spaces.Discrete(100_000)), spaces.Discrete(2), "at most 16384"),
        (spaces.Discrete(10_000), spaces.Discrete(2), None),
    ],
    ids=str,
)
def test_spaces_that_nothing_can_train_on_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, observations: Any, actions: Any, why: str | None
) -> None:
    spec = EnvSpec("Odd-v0", lambda: Odd(observations, actions))
    monkeypatch.setitem(gym.registry, "Odd-v0", spec)
    few = {"n_steps": 64, "batch_size": 64}
    with pytest.raises(InvalidRequest, match=why) if why else nullcontext():
        check_request(request(env="Odd-v0", hyperparameters=few))


class Picky(gym.Env[Any, Any]):
    """An environment whose constructor checks its arguments."""

    observation_space, action_space = spaces.Discrete(3), spaces.Discrete(2)

    def __init__(self, gravity: float = -9.8, size: int = 4) -> None:
        if gravity > 0:
            raise ValueError("gravity must be negative")
        if size == 7:
            raise AssertionError
        self.cells = [0] * size + [1]


def broken() -> Picky:
    raise TypeError("unsupported operand")


@pytest.mark.parametrize(
    ("env", "config", "field", "message"),
    [
        ("Picky-v0", {"gravity": 5}, "env_config.gravity", "Picky-v0 cannot be made with 5: ValueError: gravity must"),
        ("Picky-v0", {"size": 3, "gravity": 5}, "env_config.gravity", "cannot be made with 5: ValueError"),
        ("Picky-v0", {"size": 7}, "env_config.size", "cannot be made with 7: AssertionError in its own code"),
        ("Picky-v0", {"size": 7, "gravity": -1}, "env_config", "cannot be made with size, gravity: AssertionError"),
        ("Picky-v0", {"size": "a"}, "env_config.size", "cannot be made with 'a': "),
        ("Broken-v0", {}, "env", "Broken-v0 cannot be made here: TypeError: unsupported operand"),
        ("LunarLander-v3", {"gravity": 5.0}, "env_config.gravity", "must be between -12 and 0"),
        ("FrozenLake-v1", {"map_name": "9x9"}, "env_config.map_name", "cannot be made with '9x9': KeyError: '9x9'"),
    ],
)
def test_a_value_that_a_constructor_rejects_is_named_and_nothing_else_is_blamed(
    monkeypatch: pytest.MonkeyPatch, env: str, config: dict[str, Any], field: str, message: str
) -> None:
    made: dict[str, Any] = {"Picky-v0": Picky, "Broken-v0": broken}
    for name, entry in made.items():
        monkeypatch.setitem(gym.registry, name, EnvSpec(name, entry))
    with pytest.raises(InvalidRequest) as refused:
        check_request(request(env=env, env_config=config))
    assert refused.value.extra["field"] == field
    assert message in str(refused.value)
    assert "raised from the environment creator" not in str(refused.value)


@pytest.mark.parametrize(
    ("env", "backend"),
    [("CartPole-v1", "envpool"), ("CartPole-v1", "gymnasium"), ("LunarLander-v3", "envpool"), ("Pong-v5", "auto")],
)
def test_the_backend_can_be_chosen_and_is_described(env: str, backend: str) -> None:
    made = probe(env, {}, EnvOptions(backend))  # type: ignore[arg-type]
    made.close()
    assert describe(env, made)["backend"] == ("vector_entry_point" if backend == "gymnasium" else "envpool")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"env": "Pong-v5", "env_backend": "gymnasium"}, "env_backend"),
        (
            {"env": "FrozenLake8x8-v1", "env_backend": "envpool", "env_config": {"map_name": "4x4"}},
            "env_config.map_name",
        ),
        ({"env": "CartPole-v1", "env_config": {"max_episode_steps": 0}}, "env_config.max_episode_steps"),
        ({"env": "Acrobot-v1", "env_config": {"max_episode_steps": "9"}}, "env_config.max_episode_steps"),
        ({"env": "Pong-v5", "env_config": {"max_episode_steps": True}}, "env_config.max_episode_steps"),
        (
            {"env": "Pong-v5", "max_episode_steps": 5, "env_config": {"max_episode_steps": 6}},
            "env_config.max_episode_steps",
        ),
        ({"env_config": {"render_mode": "human"}}, "env_config.render_mode"),
        ({"env": "Acrobot-v1", "env_config": {"render_mode": "rgb_array_list"}}, "env_config.render_mode"),
    ],
)
def test_options_that_cannot_be_had_are_refused_alike_for_every_backend(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_request(request(**changes))
    assert refused.value.extra["field"] == field


def test_a_render_mode_that_does_no_harm_is_taken_and_noted() -> None:
    made = probe("LunarLander-v3", {"render_mode": "rgb_array"})
    made.close()
    assert made.backend == "envpool"
    assert any("render_mode" in note for note in made.notes)


def test_what_is_flattened_is_said() -> None:
    made = probe("CarRacing-v3", {})
    made.close()
    assert describe("CarRacing-v3", made)["observations"] == "image"
    made = probe("Go9x9-v1", {})
    made.close()
    assert "flattened" not in " ".join(describe("Go9x9-v1", made)["notes"])


def test_takes_what_envpool_can_be_told() -> None:
    told = {"episodic_life": False, "repeat_action_probability": 0.25, "frame_skip": 2, "max_episode_steps": 500}
    check_request(request(env="Pong-v5", env_config=told))


@pytest.mark.parametrize("env", ["CartPole-v1", "Pong-v5", "Blackjack-v1", "Taxi-v3"])
def test_takes_rollouts_of_a_size_that_anybody_wants(env: str) -> None:
    check_request(
        request(env=env, hyperparameters={"n_steps": 128, "batch_size": 256}, resources={"num_env_runners": 64})
    )


def test_the_presets_environments_are_split_over_the_runners() -> None:
    from rlplatform.algorithms.ppo.presets import get_preset

    preset = get_preset("LunarLander-v3")
    assert total_envs(Resources(), preset) == 16
    assert total_envs(Resources(num_env_runners=4), preset) == 16
    assert total_envs(Resources(num_env_runners=3), preset) == 18
    assert total_envs(Resources(num_env_runners=2, num_envs_per_env_runner=5), preset) == 10
