"""Action masks, from the environment to the policy that heeds them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from rlplatform.algorithms.ppo.backends.update_phase import UpdateSettings
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.onnx_export import export_onnx
from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.algorithms.ppo.rollout.advantages import pack
from rlplatform.algorithms.ppo.sampler import Sampler
from rlplatform.algorithms.ppo.update import PPOUpdate
from rlplatform.environments.backends.flattening import Flattening
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.guest.spaces import describe
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.environments.spaces import FlatSpace, space_from_json, space_to_json
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.errors import InvalidRequest
from rlplatform.testing.sessions import LocalSessions

MINES = '''
import gymnasium as gym
import numpy as np


class Mines(gym.Env):
    """Two of six actions are safe in each step; any other one ends the episode."""

    def __init__(self, place="observation"):
        self.place = place
        mask = {"action_mask": gym.spaces.MultiBinary(6)} if place == "observation" else {}
        self.observation_space = gym.spaces.Dict({"sight": gym.spaces.Box(0, 1, (3,), np.float32), **mask})
        self.action_space = gym.spaces.Discrete(6)

    def _see(self):
        self.safe = np.zeros(6, np.int8)
        self.safe[self.np_random.choice(6, 2, replace=False)] = 1
        mask = {"action_mask": self.safe}
        seen = {"sight": self.np_random.random(3, np.float32)}
        return (seen | mask, {}) if self.place == "observation" else (seen, mask)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._see()

    def step(self, action):
        blown = not self.safe[action]
        obs, info = self._see()
        return obs, 0.0 if blown else 1.0, bool(blown), False, info
'''
LIMIT = 25


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    names: dict[str, Any] = {}
    exec(MINES, names)
    gym.register("Mines-v0", names["Mines"])
    yield
    del gym.registry["Mines-v0"]


@pytest.fixture
def uploaded() -> Iterator[str]:
    names: dict[str, Any] = {}
    exec(MINES, names)
    env = names["Mines"]("info")
    described = {"observation": describe(env.observation_space), "action": describe(env.action_space)}
    files = {"mines.py": MINES.encode()}
    code = UserCode("env_mines", "environment", files, "mines:Mines", config={"place": "info"}, spaces=described)
    registry.install([code], LocalSessions(), budget=10)
    yield "env_mines"
    registry.close()


def masked(source: str) -> EnvOptions:
    return EnvOptions("auto", LIMIT, ({"name": "action_mask", "source": source, "key": "action_mask"},))


def network_of(env: VectorEnv) -> ActorCritic:
    encoder, head = ObservationEncoder.of(env.single_observation_space), ActionHead.of(env.single_action_space)
    return ActorCritic(encoder, head, Hyperparameters.of({}).architecture(image=False), seed=1)


def lengths(env: str, config: dict[str, Any], options: EnvOptions) -> list[int]:
    """Return the lengths of the episodes that an untrained network plays, drawing its actions."""
    with_spaces = make_vector_env(env, config, [0], options=options)
    network = network_of(with_spaces)
    with_spaces.close()
    sampler = Sampler(network, Hyperparameters.of({}), env, config, 4, seed=3, options=options)
    try:
        return list(sampler.sample(4 * LIMIT).episode_lengths)
    finally:
        sampler.close()


@pytest.mark.parametrize("source", ["observation", "info"])
def test_masked_actions_are_never_drawn(source: str) -> None:
    config = {"place": source}
    assert min(lengths("Mines-v0", config, masked(source))) == LIMIT
    assert min(lengths("Mines-v0", {"place": "observation"}, EnvOptions("auto", LIMIT))) < LIMIT


def test_an_uploaded_environment_has_its_mask_in_info(uploaded: str) -> None:
    assert min(lengths(uploaded, {}, masked("info"))) == LIMIT


def test_gymnasiums_taxi_never_bumps_into_a_wall() -> None:
    options = EnvOptions("auto", 50, ({"name": "action_mask", "source": "info", "key": "action_mask"},))
    env = make_vector_env("Taxi-v3", {}, [0, 1], options=options)
    policy = PPOPolicy(network_of(env), Hyperparameters.of({}), env.single_observation_space, env.single_action_space)
    obs, done = env.reset(), np.zeros(2, bool)
    for _ in range(200):
        before = obs.copy()
        step = env.step(policy.act(obs, deterministic=False)[0])
        moved = (step.obs != before).any(axis=1)
        assert (moved | done).all(), "an action that does nothing is masked"
        obs, done = step.obs, step.terminated | step.truncated


def test_an_update_keeps_the_mask_and_learns_from_masked_steps() -> None:
    env = make_vector_env("Mines-v0", {}, [0], options=masked("observation"))
    network = network_of(env)
    hyperparameters = Hyperparameters.of({"n_steps": 64, "batch_size": 64, "n_epochs": 2})
    sampler = Sampler(network, hyperparameters, "Mines-v0", {}, 4, seed=0, options=masked("observation"))
    update = PPOUpdate(network, UpdateSettings.of(hyperparameters), seed=0)
    assert (sampler.kernel.name, update.backend) == ("torch", "torch")
    before = network.flat_numpy.copy()
    for _ in range(3):
        fragment = sampler.sample(64)
        batch = pack([fragment], update.values, gamma=0.99, gae_lambda=0.95)
        statistics = update.run(batch, learning_rate=3e-3, clip_range=0.2)
        assert statistics["entropy_loss"] > -np.log(2) - 1e-6, "two actions are left"
        assert min(fragment.episode_lengths) == LIMIT
    assert not np.array_equal(before, network.flat_numpy)


def test_the_most_likely_action_is_a_valid_one_in_the_policy_and_in_its_onnx_model(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    env = make_vector_env("Mines-v0", {}, list(range(32)), options=masked("observation"))
    made = PPOPolicy(network_of(env), Hyperparameters.of({}), env.single_observation_space, env.single_action_space)
    policy = PPOPolicy.unpack(made.pack())
    obs = env.reset().copy()
    start, stop = policy.network.encoder.mask or (0, 0)
    rows = np.arange(len(obs))
    chosen, logp = policy.act(obs)
    assert obs[rows, start + chosen].all()
    export_onnx(policy, tmp_path / "mines.onnx", obs)
    session = onnxruntime.InferenceSession(str(tmp_path / "mines.onnx"), providers=["CPUExecutionProvider"])
    for allowed in range(6):
        obs[:, start:stop] = 0
        obs[:, start + allowed] = 1
        assert (session.run(None, {"observation": obs})[0] == allowed).all()
        chosen, logp = policy.act(obs, deterministic=False)
        assert (chosen == allowed).all()
        np.testing.assert_allclose(logp, 0.0, atol=1e-6)


def test_components_of_multi_discrete_actions_are_masked_one_by_one() -> None:
    space = spaces.Dict(action_mask=spaces.Box(0, 1, (5,)), rest=spaces.Box(-1, 1, (2,)))
    actions = spaces.MultiDiscrete([2, 3])
    flat = Flattening("it", space).space
    observations = FlatSpace(flat.low, flat.high, flat.parts, mask=(0, 5))
    restored = space_from_json(*space_to_json(observations))
    assert isinstance(restored, FlatSpace)
    assert restored.mask == (0, 5)
    encoder, head = ObservationEncoder.of(restored), ActionHead.of(actions)
    network = ActorCritic(encoder, head, Hyperparameters.of({}).architecture(image=False))
    policy = PPOPolicy(network, Hyperparameters.of({}), restored, actions)
    obs = np.tile(np.array([0, 1, 1, 0, 1, 0.5, -0.5], np.float32), (200, 1))
    drawn = policy.act(obs, deterministic=False)[0]
    assert set(map(tuple, drawn.tolist())) == {(1, 0), (1, 2)}


@pytest.mark.parametrize(
    ("env", "wrappers", "backend", "said"),
    [
        ("CartPole-v1", [{}], "auto", "they are in one part"),
        ("Mines-v0", [{"key": "mask"}], "auto", "no part 'mask'; they have action_mask, sight"),
        ("Mines-v0", [{"key": "sight"}], "auto", "3 numbers"),
        ("Mines-v0", [{}, {"name": "time_aware"}], "auto", "would hide the action mask"),
        ("Mines-v0", [{"name": "time_aware"}, {}], "auto", "goes with no other wrapper"),
        ("Pendulum-v1", [{"source": "info"}], "auto", "takes Discrete and MultiDiscrete actions"),
        ("CartPole-v1", [{"source": "info"}], "envpool", "EnvPool's"),
    ],
)
def test_a_mask_that_is_not_there_is_refused(env: str, wrappers: list[dict[str, str]], backend: Any, said: str) -> None:
    asked = tuple({"name": "action_mask", **wrapper} for wrapper in wrappers)
    with pytest.raises(InvalidRequest, match=said):
        make_vector_env(env, {}, [0], options=EnvOptions(backend, None, asked))
