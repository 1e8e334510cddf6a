"""Networks and batches of every kind, shared by the tests of kernels and updates."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.algorithms.ppo.backends.selection import make_acting_backend
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch
from rlplatform.environments.observation_encoder import ObservationEncoder

BACKENDS = ("torch", "numpy") if c_library.why_no_kernel() else ("torch", "numpy", "c")
BY_HAND = BACKENDS[1:]

DISCRETE = spaces.Discrete(3)
MULTI = spaces.MultiDiscrete([2, 4, 3])
BOX = spaces.Box(-1.0, 1.0, (3,))

# name -> (observation features, action space, hyperparameters)
MLPS: dict[str, tuple[int, spaces.Space[Any], dict[str, Any]]] = {
    "discrete": (4, DISCRETE, {}),
    "discrete, shared": (4, DISCRETE, {"policy_kwargs": {"shared_critic": True}}),
    "discrete, relu, odd widths": (5, DISCRETE, {"policy_kwargs": {"net_arch": [33, 7], "activation_fn": "relu"}}),
    "discrete, no hidden layer": (4, DISCRETE, {"policy_kwargs": {"net_arch": []}}),
    "multi-discrete, three layers": (9, MULTI, {"policy_kwargs": {"net_arch": [16, 24, 40]}}),
    "binary": (3, spaces.MultiBinary(4), {"policy_kwargs": {"net_arch": [16]}}),
    "box": (17, BOX, {"policy_kwargs": {"log_std_init": -0.5}}),
    "box, towers differ": (6, BOX, {"policy_kwargs": {"net_arch": {"pi": [48], "vf": [20, 20, 20, 20]}}}),
    "box, shared relu": (6, BOX, {"policy_kwargs": {"activation_fn": "relu", "shared_critic": True}}),
    "gSDE": (3, BOX, {"use_sde": True, "policy_kwargs": {"log_std_init": -1.0, "ortho_init": False}}),
    "gSDE, odd widths": (3, spaces.Box(-2.0, 2.0, (1,)), {"use_sde": True, "policy_kwargs": {"net_arch": [21, 10]}}),
}


def make_network(
    observation_space: spaces.Space[Any], action_space: spaces.Space[Any], given: dict[str, Any], *, seed: int = 0
) -> ActorCritic:
    """A network for two spaces under some hyperparameters."""
    hyperparameters = Hyperparameters.of(given)
    encoder = ObservationEncoder.of(observation_space)
    head = ActionHead.of(action_space, use_sde=hyperparameters.use_sde)
    return ActorCritic(encoder, head, hyperparameters.architecture(image=encoder.image), seed=seed)


def make_mlp(name: str, *, seed: int = 0, noise: float = 0.1) -> ActorCritic:
    """Make one of ``MLPS``, its parameters shaken so that no gradient vanishes by symmetry."""
    features, action_space, given = MLPS[name]
    network = make_network(spaces.Box(-np.inf, np.inf, (features,)), action_space, given, seed=seed)
    rng = np.random.default_rng(seed)
    network.flat_numpy[...] += rng.normal(0, noise, network.flat.numel()).astype(np.float32)
    return network


def make_batch(network: ActorCritic, rows: int, *, seed: int = 0) -> Batch:
    """Rows whose actions the network could have taken a few updates ago: ratios on both sides of the clip range."""
    rng = np.random.default_rng(seed)
    if network.encoder.image:
        obs: Any = rng.integers(0, 256, (rows, *network.encoder.shape), dtype=np.uint8)
    else:
        obs = rng.standard_normal((rows, *network.encoder.shape), dtype=np.float32)
    actions, logp = make_acting_backend(network, rng, prefer="torch").act(obs)
    logp = logp + rng.normal(0, 0.2, rows).astype(np.float32)
    advantages, returns, values = rng.standard_normal((3, rows), dtype=np.float32)
    return Batch(obs, actions, logp, advantages * 3 + 1, returns, values)
