"""The engine on RLlib keeps the contract of training engines, on both of its paths."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from actors.rllib.engine import RllibEngine
from rlplatform.algorithms.ppo.policy import PPOPolicy, policy_folder
from rlplatform.clock import SystemClock
from rlplatform.environments.pulse import CutShort, silent
from rlplatform.errors import CapacityExhausted, CheckpointError, InvalidRequest, UnknownName
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.engine import TrainingEngineContract, small_request
from rlplatform.training.events import TrainingEvaluationCutShort, TrainingFailed, TrainingSucceeded
from rlplatform.training.models import TrainingRequest
from rlplatform.training.policy_evaluation import evaluate_policy
from rlplatform.training.ports import TrainingEngine
from rlplatform.training.request_checks import planned
from rlplatform.training.session import TrainingSession

RUN = "train_01jd0000000000000000000000"
pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_here")]


class TestFastPath(TrainingEngineContract):
    def build(self, request: TrainingRequest) -> TrainingEngine:
        return RllibEngine(request)


class TestStockPath(TrainingEngineContract):
    deterministic = False

    def build(self, request: TrainingRequest) -> TrainingEngine:
        return RllibEngine(request, path="stock")


def test_trains_cartpole_to_475() -> None:
    request = small_request(seed=1, hyperparameters={}, resources={}, stop={"env_steps": 100_000})
    engine = RllibEngine(request)
    assert not engine.simulated
    described = engine.describe()
    assert described["path"] == "fast"
    assert described["fallback"] is None
    assert described["preset"] == "CartPole-v1"
    report = engine.train_iteration()
    each = planned(request).env_steps_per_iteration
    assert each == 2048
    assert 0.9 * each < report.env_steps <= each, "resets take a row"
    while report.env_steps < 100_000:
        report = engine.train_iteration()
    assert report.metrics["rollout/episode_return_mean"] >= 475
    assert engine.evaluate(20, seed=9).episode_return_mean >= 475
    assert report.metrics["train/learning_rate"] == pytest.approx(0.0, abs=1e-5)
    assert report.metrics["train/clip_range"] == pytest.approx(0.0, abs=2e-3)
    engine.close()


def test_trains_pong_on_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zoo's preset at a smaller size: EnvPool's Atari, the Nature CNN, torch."""
    monkeypatch.setattr("rlplatform.algorithms.ppo.hyperparameters.ITERATION_ENV_STEPS", 1)
    small = {"n_steps": 16, "batch_size": 32, "n_epochs": 1}
    engine = RllibEngine(small_request(env="Pong-v5", hyperparameters=small, resources={"num_envs_per_env_runner": 4}))
    described = engine.describe()
    assert (described["path"], described["preset"], described["env_backend"]) == ("fast", "Pong-v5", "envpool")
    assert described["update_backend"] == ["torch", "no C kernel: the network has a CNN"]
    before = engine.parameter_hash()
    report = engine.train_iteration()
    assert report.env_steps == 64
    assert report.metrics["train/learning_rate"] == pytest.approx(2.5e-4, rel=1e-3)
    assert engine.parameter_hash() != before
    engine.close()


def test_memory_does_not_grow_with_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlplatform.algorithms.ppo.hyperparameters.ITERATION_ENV_STEPS", 1)
    engine = RllibEngine(small_request(hyperparameters={"n_steps": 8, "batch_size": 16, "n_epochs": 1}))

    def resident_after(iterations: int) -> int:
        for _ in range(iterations):
            engine.train_iteration()
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    settled = resident_after(300)
    assert resident_after(700) < settled + (2 << 20), "less than 3 KiB an iteration"
    engine.close()


def test_interrupted_and_resumed_it_ends_with_the_same_parameters(tmp_path: Path) -> None:
    """CartPole's state can be saved: the interruption leaves no trace at all."""
    through, first, second = (RllibEngine(small_request()) for _ in range(3))
    reports = [through.train_iteration() for _ in range(4)]
    first.train_iteration()
    first.train_iteration()
    first.save(tmp_path)
    second.restore(tmp_path)
    resumed = [second.train_iteration() for _ in range(2)]
    assert second.parameter_hash() == through.parameter_hash()
    for report, again in zip(reports[2:], resumed, strict=True):
        assert (report.iteration, report.env_steps, report.episodes) == (
            again.iteration,
            again.env_steps,
            again.episodes,
        )
        same = {name: value for name, value in report.metrics.items() if not name.startswith("time/")}
        assert same == {name: value for name, value in again.metrics.items() if not name.startswith("time/")}
    for engine in (through, first, second):
        engine.close()


def test_resumes_counters_schedules_and_optimiser_where_environments_cannot_be_saved(tmp_path: Path) -> None:
    """EnvPool's state cannot be saved; with a learning rate of next to nothing the rest must go on all the same."""
    changes = {"env": "Pendulum-v1", "hyperparameters": {"n_steps": 64, "batch_size": 64, "n_epochs": 2,
               "normalize": True, "learning_rate": "lin_0.001"}, "stop": {"env_steps": 5000}}  # fmt: skip
    engine, resumed = RllibEngine(small_request(**changes)), RllibEngine(small_request(**changes))
    for _ in range(2):
        saved = engine.train_iteration()
    engine.save(tmp_path)
    resumed.restore(tmp_path)
    before, after = engine._open._algo, resumed._open._algo  # type: ignore[attr-defined]
    state, again = (algo.learner_group._learner.updater.get_state() for algo in (before, after))
    assert state["n_updates"] == again["n_updates"] > 0
    assert state["rng"] == again["rng"]
    for name, moments in state["adam"].items():
        assert (moments == again["adam"][name]).all() if hasattr(moments, "all") else moments == again["adam"][name]
    for name, normalizer in before.normalizers.items():
        assert normalizer.get_state()["count"] <= after.normalizers[name].get_state()["count"]
        assert normalizer.get_state()["mean"] == pytest.approx(
            after.normalizers[name].get_state()["mean"], rel=0.05, abs=0.05
        )
    report = resumed.train_iteration()
    assert report.env_steps > saved.env_steps
    assert report.metrics["train/learning_rate"] < saved.metrics["train/learning_rate"]
    engine.close()
    resumed.close()


def checkpoint_policy(checkpoints: MemoryCheckpoints, folder: Path) -> PPOPolicy:
    """The policy of the newest checkpoint, as whoever serves it gets hold of it."""
    checkpoints.fetch(RUN, checkpoints.list(RUN)[-1].id, folder)
    return PPOPolicy.load(policy_folder(folder))


def test_a_session_is_suspended_and_recovered_to_the_same_end(tmp_path: Path) -> None:
    request = small_request(stop={"iterations": 4}, checkpoint={"every_iterations": 2}, evaluation={"episodes": 3})
    straight: list[Any] = []
    TrainingSession(
        RUN, request, RllibEngine(request), MemoryCheckpoints(), FakeClock(), tmp_path, straight.append
    ).run()

    log: list[Any] = []
    checkpoints = MemoryCheckpoints()
    first = TrainingSession(RUN, request, RllibEngine(request), checkpoints, FakeClock(), tmp_path, log.append)
    for _ in range(4):
        first.advance()
    second = TrainingSession(RUN, request, RllibEngine(request), checkpoints, FakeClock(), tmp_path, log.append)
    second.recover(first.progress)
    final = second.run()
    assert isinstance(final, TrainingSucceeded)
    assert final.progress == straight[-1].progress
    policy = checkpoint_policy(checkpoints, tmp_path / "published")
    assert evaluate_policy(policy, "CartPole-v1", {}, 3, request.seed) == next(
        event.report for event in log if event.type == "training.evaluated"
    )
    evaluated, same = (
        [event.report for event in events if event.type == "training.evaluated"] for events in (log, straight)
    )
    assert evaluated == same
    recovered = next(event for event in log if event.type == "training.recovered")
    assert (recovered.iteration, recovered.redone_iterations) == (2, 1)


def test_refuses_a_checkpoint_of_another_environment(tmp_path: Path) -> None:
    engine, other = RllibEngine(small_request()), RllibEngine(small_request(env="Acrobot-v1"))
    engine.save(tmp_path)
    with pytest.raises(CheckpointError, match="CartPole-v1"):
        other.restore(tmp_path)
    engine.close()
    other.close()


@pytest.mark.parametrize("network", [{"net_arch": [8]}, {"activation_fn": "relu"}])
def test_refuses_a_checkpoint_of_another_network(tmp_path: Path, network: dict[str, object]) -> None:
    small = {"n_steps": 64, "batch_size": 64, "policy_kwargs": network}
    engine, other = RllibEngine(small_request()), RllibEngine(small_request(hyperparameters=small))
    engine.save(tmp_path)
    with pytest.raises(CheckpointError):
        other.restore(tmp_path)
    engine.close()
    other.close()


@pytest.mark.parametrize("normalized", [True, False])
def test_refuses_a_checkpoint_that_saw_its_observations_otherwise(tmp_path: Path, normalized: bool) -> None:
    small = {"n_steps": 64, "batch_size": 64, "n_epochs": 1}
    engine = RllibEngine(small_request(hyperparameters={**small, "normalize": normalized}))
    other = RllibEngine(small_request(hyperparameters={**small, "normalize": not normalized}))
    engine.train_iteration()
    engine.save(tmp_path)
    with pytest.raises(CheckpointError, match=r"hyperparameters\.normalize"):
        other.restore(tmp_path)
    engine.close()
    other.close()


def test_says_what_is_not_annealed_for_want_of_a_number_of_steps() -> None:
    annealed = {"n_steps": 64, "batch_size": 64, "learning_rate": "lin_0.001", "clip_range": 0.2}
    ends = RllibEngine(small_request(hyperparameters=annealed))
    endless = RllibEngine(small_request(hyperparameters=annealed, stop={"iterations": 3}))
    assert ends.describe()["not_applied"] == []
    assert endless.describe()["not_applied"] == [
        "learning_rate: stays at its initial value, since stop.env_steps is not given"
    ]
    ends.close()
    endless.close()


def test_refuses_what_there_is_no_room_for_at_once() -> None:
    with pytest.raises(CapacityExhausted, match="40 env runners"):
        RllibEngine(small_request(resources={"num_env_runners": 40, "num_envs_per_env_runner": 1}))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"env": "CartPol-v1"}, UnknownName),
        ({"hyperparameters": {"gama": 1}}, UnknownName),
        ({"hyperparameters": {"batch_size": 100_000}}, InvalidRequest),
        *(
            ({"env": env, "hyperparameters": {"batch_size": 3}, "resources": {"num_learners": 2}}, InvalidRequest)
            for env in ("CartPole-v1", "Blackjack-v1")
        ),
    ],
)
def test_refuses_requests_that_make_no_sense(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        RllibEngine(small_request(**changes))


def test_observations_of_several_parts_take_the_fast_path(tmp_path: Path) -> None:
    """Their policy is saved, described and exported like any other."""
    request = small_request(env="Blackjack-v1", env_config={"natural": True})
    engine = RllibEngine(request)
    described = engine.describe()
    assert (described["path"], described["fallback"]) == ("fast", None)
    assert described["environment"]["wrappers"] == ["FlattenObservation"]  # type: ignore[index]
    engine.train_iteration()
    engine.save(tmp_path)
    policy = PPOPolicy.load(tmp_path / "algorithm" / "policy")
    parts = policy.card().observation_space.parts
    assert parts is not None
    assert [(part.path, part.size) for part in parts] == [([0], 32), ([1], 11), ([2], 2)]
    assert policy(np.zeros((1, 45), np.float32)).shape == (1,)
    engine.close()


def test_rllibs_own_ppo_trains_what_is_asked_of_it() -> None:
    request = small_request(env="Blackjack-v1", env_config={"natural": True}, max_episode_steps=9)
    engine = RllibEngine(request, path="stock")
    described = engine.describe()
    assert described["path"] == "stock"
    assert described["fallback"] == "asked for"
    assert described["environment"]["max_episode_steps"] == 9  # type: ignore[index]
    config = engine._open._config  # type: ignore[attr-defined]
    assert (config.use_kl_loss, config.vf_clip_param, config.grad_clip) == (False, 1e9, 0.5)
    report = engine.train_iteration()
    assert report.episodes > 0
    assert engine.evaluate(3, seed=1).episodes == 3
    engine.close()


class Wild(gym.Env[Any, Any]):
    """An environment that does something in the step of a given number; its episodes never end."""

    observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

    def __init__(self, does: str = "nothing", at: int = 10**9, pace_s: float = 0.0) -> None:
        self.does, self.at, self.pace_s, self.steps = does, at, pace_s, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        time.sleep(self.pace_s)
        self.steps += 1
        if self.steps >= self.at:
            if self.does == "exit":
                sys.exit(3)
            if self.does == "interrupt":
                raise KeyboardInterrupt
            if self.does == "raise":
                raise ValueError("the goal is outside the map")
        return np.zeros(2, np.float32), 1.0, False, False, {}


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gym.registry, "Wild-v0", EnvSpec("Wild-v0", Wild, max_episode_steps=None))


def wild_request(**changes: Any) -> TrainingRequest:
    small: dict[str, Any] = {"n_steps": 64, "batch_size": 32, "n_epochs": 1}
    fields: dict[str, Any] = {"env": "Wild-v0", "preset": None, "hyperparameters": small}
    return small_request(**fields | {"resources": {"num_envs_per_env_runner": 2}} | changes)


@pytest.mark.parametrize("path", ["fast", "stock"])
@pytest.mark.parametrize(
    ("does", "said"), [("exit", "SystemExit: 3"), ("interrupt", "KeyboardInterrupt"), ("raise", "outside the map")]
)
@pytest.mark.usefixtures("wild")
def test_whatever_an_environment_raises_ends_the_training_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, does: str, said: str
) -> None:
    monkeypatch.setattr("rlplatform.algorithms.ppo.hyperparameters.ITERATION_ENV_STEPS", 1)
    request = wild_request(env_config={"does": does, "at": 150}, stop={"iterations": 9})
    checkpoints, log = MemoryCheckpoints(), list[Any]()
    engine = RllibEngine(request, path=path)
    session = TrainingSession(RUN, request, engine, checkpoints, FakeClock(), tmp_path, log.append)
    final = session.run()
    assert isinstance(final, TrainingFailed)
    assert said in final.reason
    assert "test_engine.py" in final.reason, "the line of the environment is named"
    (saved,) = checkpoints.list(RUN)
    assert saved.iteration == final.progress.iteration == 2

    fresh = RllibEngine(wild_request(), path=path)
    following = TrainingSession(
        RUN, wild_request(stop={"iterations": 3}), fresh, checkpoints, FakeClock(), tmp_path, log.append
    )
    following.restore(saved)
    assert following.advance() is None
    assert following.advance() is None
    assert following.progress.iteration == 3, "what was saved after the failure can be continued"
    fresh.close()


@pytest.mark.parametrize("path", ["fast", "stock"])
@pytest.mark.usefixtures("wild")
def test_an_evaluation_without_end_is_cut_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str) -> None:
    monkeypatch.setattr("rlplatform.algorithms.ppo.hyperparameters.ITERATION_ENV_STEPS", 1)
    evaluation = {"episodes": 2, "max_wall_time_s": 1.0}
    request = wild_request(env_config={"pace_s": 0.001}, stop={"iterations": 1}, evaluation=evaluation)
    log = list[Any]()
    engine = RllibEngine(request, path=path)
    session = TrainingSession(RUN, request, engine, MemoryCheckpoints(), SystemClock(), tmp_path, log.append)
    began = time.monotonic()
    assert isinstance(session.run(), TrainingSucceeded)
    assert time.monotonic() - began < 20
    assert [event for event in log if isinstance(event, TrainingEvaluationCutShort)]


@pytest.mark.parametrize("path", ["fast", "stock"])
@pytest.mark.usefixtures("wild")
def test_a_rollout_tells_how_far_it_has_come_and_can_be_abandoned(path: str) -> None:
    engine = RllibEngine(wild_request(env_config={"pace_s": 0.01}), path=path)
    steps = []

    def pulse(env_steps: int) -> None:
        steps.append(env_steps)
        if env_steps >= 60:
            raise CutShort("enough")

    engine.watch(pulse)
    with pytest.raises(CutShort):
        engine.train_iteration()
    assert steps == sorted(steps)
    assert 60 <= steps[-1] < 128
    assert engine.sound()
    engine.watch(silent)
    assert engine.train_iteration().env_steps > 0
    engine.close()


def test_a_checkpoint_continues_in_another_environment_of_the_same_spaces(tmp_path: Path) -> None:
    engine = RllibEngine(small_request(env="CartPole-v0"))
    engine.train_iteration()
    engine.save(tmp_path)
    parameters = engine.parameter_hash()
    engine.close()
    other = RllibEngine(small_request(env="CartPole-v1"))
    other.restore(tmp_path)
    assert other.parameter_hash() == parameters
    other.train_iteration()
    other.close()
    different = RllibEngine(small_request(env="Acrobot-v1"))
    with pytest.raises(CheckpointError, match="CartPole-v0"):
        different.restore(tmp_path)
    different.close()
