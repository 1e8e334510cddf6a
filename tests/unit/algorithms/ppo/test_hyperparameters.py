"""Hyperparameters, schedules and presets: SB3's defaults, and refusals that say what would be accepted."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.presets import find_preset, get_preset, preset_names, resolve
from rlplatform.algorithms.ppo.schedule import Schedule, progress_remaining
from rlplatform.errors import InvalidRequest, UnknownName


def test_defaults_are_stable_baselines3s() -> None:
    hp = Hyperparameters()
    assert (hp.n_steps, hp.batch_size, hp.n_epochs, hp.gamma, hp.gae_lambda) == (2048, 64, 10, 0.99, 0.95)
    assert (hp.learning_rate, hp.clip_range, hp.clip_range_vf) == (Schedule(3e-4), Schedule(0.2), None)
    assert (hp.ent_coef, hp.vf_coef, hp.max_grad_norm, hp.target_kl) == (0.0, 0.5, 0.5, None)
    assert (hp.normalize_advantage, hp.use_sde, hp.norm_obs, hp.norm_reward) == (True, False, False, False)
    assert hp.architecture(image=False).pi == hp.architecture(image=False).vf == (64, 64)
    image = hp.architecture(image=True)
    assert (image.pi, image.vf, image.shared_critic) == ((), (), True)


@pytest.mark.parametrize(
    ("given_", "field", "near"),
    [
        ({"n_step": 8}, "hyperparameters.n_step", "n_steps"),
        ({"lerning_rate": 1e-3}, "hyperparameters.lerning_rate", "learning_rate"),
        ({"policy_kwargs": {"net_arc": [64]}}, "hyperparameters.policy_kwargs.net_arc", "net_arch"),
        ({"normalize": {"norm_obz": True}}, "hyperparameters.normalize.norm_obz", "norm_obs"),
        ({"policy_kwargs": {"net_arch": {"pl": [1]}}}, "hyperparameters.policy_kwargs.net_arch.pl", "pi"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(given_: dict[str, Any], field: str, near: str) -> None:
    with pytest.raises(UnknownName) as caught:
        resolve("CartPole-v1", None, given_)
    assert caught.value.extra["field"] == field
    assert near in caught.value.extra["did_you_mean"]


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ({"batch_size": 1}, "batch_size"),
        ({"gamma": 1.5}, "gamma"),
        ({"ent_coef": float("nan")}, "ent_coef"),
        ({"max_grad_norm": "inf"}, "max_grad_norm"),
        ({"normalize": {"clip_obs": "inf"}}, "normalize.clip_obs"),
        ({"learning_rate": "linear_3"}, "learning_rate"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"clip_range": True}, "clip_range"),
        ({"clip_range_vf": "lin_-1"}, "clip_range_vf"),
        ({"policy_kwargs": {"net_arch": [0]}}, "policy_kwargs.net_arch.pi"),
        ({"policy_kwargs": {"activation_fn": "gelu"}}, "policy_kwargs.activation_fn"),
        ({"n_steps": True}, "n_steps"),
        ({"batch_size": "64"}, "batch_size"),
        ({"gamma": "0.9"}, "gamma"),
        ({"target_kl": True}, "target_kl"),
        ({"policy_kwargs": {"log_std_init": "-2"}}, "policy_kwargs.log_std_init"),
        ({"policy_kwargs": {"net_arch": [64, True]}}, "policy_kwargs.net_arch.pi.1"),
    ],
)
def test_values_that_make_no_sense_name_their_field(given_: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Hyperparameters.of(given_)
    assert caught.value.extra["field"] == f"hyperparameters.{field}"
    assert f"hyperparameters.{field}" in str(caught.value)


def test_what_is_no_number_is_said_to_be_none() -> None:
    with pytest.raises(InvalidRequest, match=r"hyperparameters\.n_steps: expected a number, not true$"):
        Hyperparameters.of({"n_steps": True})
    with pytest.raises(InvalidRequest, match=r'hyperparameters\.gamma: expected a number, not "0\.9"$'):
        Hyperparameters.of({"gamma": "0.9"})


def test_a_whole_number_may_be_written_with_a_point_and_a_float_without() -> None:
    hp = Hyperparameters.of({"n_steps": 1e3, "max_grad_norm": 5, "policy_kwargs": {"log_std_init": -2}})
    assert (hp.n_steps, hp.max_grad_norm, hp.policy_kwargs.log_std_init) == (1000, 5.0, -2.0)


def test_sampling_gsde_without_gsde_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="sde_sample_freq"):
        Hyperparameters.of({"sde_sample_freq": 4})
    with pytest.raises(InvalidRequest, match="sde_sample_freq"):
        Hyperparameters.of({"sde_sample_freq": 0, "use_sde": True})


def test_a_minibatch_larger_than_the_rollout_is_refused_with_what_is_accepted() -> None:
    hp = Hyperparameters.of({"n_steps": 32, "batch_size": 300})
    hp.check(16)
    with pytest.raises(InvalidRequest, match=r"32 \* 8 = 256.*accepted: 2 to 256") as caught:
        hp.check(8)
    assert caught.value.extra["field"] == "hyperparameters.batch_size"


def test_a_shared_critic_needs_one_trunk() -> None:
    hp = Hyperparameters.of({"policy_kwargs": {"shared_critic": True, "net_arch": {"pi": [64], "vf": [32]}}})
    with pytest.raises(InvalidRequest, match="same pi and vf"):
        hp.architecture(image=False)


@pytest.mark.parametrize(
    ("theirs", "ours", "field"),
    [
        ({"policy_kwargs": {"net_arch": [64]}}, {"policy_kwargs": {"net_arch": [32]}}, "policy_kwargs.net_arch"),
        ({}, {"policy_kwargs": {"activation_fn": "relu"}}, "policy_kwargs.activation_fn"),
        ({"use_sde": True}, {}, "use_sde"),
        ({"normalize": True}, {"normalize": {"norm_obs": False}}, "normalize.norm_obs"),
        ({"policy_kwargs": {"net_arch": [16]}}, {}, "policy_kwargs.net_arch"),
        ({}, {"policy_kwargs": {"shared_critic": True}}, "policy_kwargs.shared_critic"),
    ],
)
def test_a_checkpoint_of_another_network_is_not_resumed(
    theirs: dict[str, Any], ours: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest, match="cannot be resumed with") as refused:
        Hyperparameters.of(ours).check_resumes(Hyperparameters.of(theirs), image=False)
    assert refused.value.extra["field"] == f"hyperparameters.{field}"


def test_what_is_no_part_of_the_policy_may_change_and_so_may_how_the_network_is_said() -> None:
    theirs = Hyperparameters.of({"learning_rate": 1e-3, "normalize": True})
    ours = {"learning_rate": 1e-4, "gamma": 0.9, "normalize": {"norm_reward": False}}
    Hyperparameters.of({**ours, "policy_kwargs": {"net_arch": [64, 64]}}).check_resumes(theirs, image=False)
    with pytest.raises(InvalidRequest, match=r'"vf": \[\]}, and cannot be resumed with {"pi": \[64, 64\]'):
        Hyperparameters.of({"policy_kwargs": {"net_arch": [64, 64]}}).check_resumes(Hyperparameters(), image=True)


def test_the_zoos_spellings_are_taken() -> None:
    hp = Hyperparameters.of({"policy_kwargs": {"activation_fn": "nn.ReLU", "net_arch": [256, 128]}, "normalize": True})
    architecture = hp.architecture(image=False)
    assert (architecture.activation, architecture.pi, architecture.vf) == ("relu", (256, 128), (256, 128))
    assert (hp.norm_obs, hp.norm_reward) == (True, True)
    hp = Hyperparameters.of({"normalize": {"norm_obs": True, "norm_reward": False}})
    assert (hp.norm_obs, hp.norm_reward) == (True, False)


@given(initial=st.floats(1e-8, 1e3), remaining=st.floats(0, 1), linear=st.booleans())
def test_schedules(initial: float, remaining: float, linear: bool) -> None:
    schedule = Schedule.parse(f"lin_{initial!r}" if linear else initial)
    assert schedule == Schedule(initial, linear=linear)
    assert schedule.value(remaining) == (initial * remaining if linear else initial)
    assert schedule.value(-0.5) == (0.0 if linear else initial)
    hp = Hyperparameters(learning_rate=schedule)
    assert Hyperparameters.model_validate_json(hp.model_dump_json()).learning_rate == schedule


def test_progress() -> None:
    assert [progress_remaining(n, 100) for n in (0, 25, 100, 200)] == [1.0, 0.75, 0.0, 0.0]
    assert progress_remaining(10**9, None) == 1.0


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_with_its_own_environments(name: str) -> None:
    hyperparameters, preset = resolve(name, name, {})
    assert preset is not None
    hyperparameters.check(preset.n_envs)
    assert Hyperparameters.of(hyperparameters.model_dump(mode="json")) == hyperparameters
    hyperparameters.architecture(image=preset.env_wrapper == "atari")


def test_presets_of_the_issue_are_there() -> None:
    wanted = (
        "CartPole-v1 Acrobot-v1 MountainCar-v0 MountainCarContinuous-v0 Pendulum-v1 LunarLander-v3 "
        "LunarLanderContinuous-v3 BipedalWalker-v3 HalfCheetah-v4 Hopper-v4 Walker2d-v4 Swimmer-v4 "
        "MiniGrid-DoorKey-5x5-v0 MiniGrid-Empty-Random-5x5-v0 MiniGrid-Unlock-v0 Pong-v5"
    )
    assert set(wanted.split()) <= set(preset_names())
    assert find_preset("ALE/Pong-v5") == get_preset("Pong-v5")
    assert find_preset("Nothing-v0") is None


def test_what_is_given_goes_over_the_preset() -> None:
    hyperparameters, preset = resolve("HalfCheetah-v4", None, {"n_epochs": 3, "policy_kwargs": {"log_std_init": -1}})
    assert preset is not None
    assert (hyperparameters.n_epochs, hyperparameters.gamma) == (3, 0.98)
    assert hyperparameters.policy_kwargs.log_std_init == -1
    assert hyperparameters.architecture(image=False).pi == (256, 256)
    assert resolve("Unheard-v0", None, {})[0] == Hyperparameters()


def test_an_unknown_preset_gets_did_you_mean() -> None:
    with pytest.raises(UnknownName, match="Acrobot-v1"):
        resolve("X", "Acrobat-v1", {})


def test_they_import_without_numpy_and_torch() -> None:
    code = (
        "import sys, rlplatform.algorithms.ppo.presets, rlplatform.algorithms.ppo.hyperparameters as h;"
        "h.Hyperparameters.of({});"
        "sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_to_fall_needs_a_number_of_steps_to_fall_over() -> None:
    given = Hyperparameters.of({"learning_rate": "lin_0.001", "clip_range": 0.2, "clip_range_vf": "lin_0.4"})
    assert given.not_annealed(1000) == []
    assert [why.partition(":")[0] for why in given.not_annealed(None)] == ["learning_rate", "clip_range_vf"]
    assert Hyperparameters().not_annealed(None) == []
