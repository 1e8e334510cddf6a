"""CPU microseconds of one PPO minibatch update and of one acting step: torch, NumPy, C; interleaved, medians.

::

    python tests/benchmarks/ppo_update.py [--rounds 5] [--json FILE]

One minibatch is gather, forward, loss, backward, clip by global norm, Adam. One BLAS and torch thread for all, so that
CPU time is what an idle machine's wall clock would show; it is measured instead, since machines are shared.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from rlplatform.algorithms.ppo.backends.selection import make_acting_backend
from rlplatform.algorithms.ppo.backends.update_phase import UpdateSettings
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.native import c_library
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.algorithms.ppo.update import PPOUpdate
from rlplatform.environments.observation_encoder import ObservationEncoder

BACKENDS = ("torch", "numpy", "c") if not c_library.why_no_kernel() else ("torch", "numpy")
ROWS = 8192
CASES: dict[str, tuple[int, spaces.Space[Any], dict[str, Any]]] = {
    "cartpole 2x64 tanh": (4, spaces.Discrete(2), {}),
    "lunarlander 2x64 tanh": (8, spaces.Discrete(4), {}),
    "pendulum 2x64 tanh gSDE": (3, spaces.Box(-2, 2, (1,)), {"use_sde": True}),
    "walker 2x64 tanh": (24, spaces.Box(-1, 1, (4,)), {}),
    "cheetah 2x256 relu": (
        17,
        spaces.Box(-1, 1, (6,)),
        {"policy_kwargs": {"net_arch": [256, 256], "activation_fn": "relu"}},
    ),
    "wide 2x512 tanh": (17, spaces.Box(-1, 1, (6,)), {"policy_kwargs": {"net_arch": [512, 512]}}),
    "minigrid 2x64 tanh": (2835, spaces.Discrete(7), {}),
}


def build(case: str) -> tuple[ActorCritic, Batch, ObservationEncoder]:
    """A network and a batch of random rows."""
    inputs, action_space, given = CASES[case]
    hyperparameters = Hyperparameters.of(given)
    encoder = ObservationEncoder.of(spaces.Box(-np.inf, np.inf, (inputs,)))
    head = ActionHead.of(action_space, use_sde=hyperparameters.use_sde)
    network = ActorCritic(encoder, head, hyperparameters.architecture(image=False))
    rng = np.random.default_rng(0)
    obs = rng.standard_normal((ROWS, inputs), dtype=np.float32)
    actions, logp = make_acting_backend(network, rng, prefer="numpy").act(obs)
    advantages, returns, values = rng.standard_normal((3, ROWS), dtype=np.float32)
    return network, Batch(obs, actions, logp, advantages, returns, values), encoder


def interleaved(calls: dict[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    """Median CPU microseconds a unit; each call does some work and returns how many units that was."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for name in calls:
        calls[name]()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.process_time()
            units = call()
            times[name].append((time.process_time() - start) / units * 1e6)
    return {name: round(median(values), 1) for name, values in times.items()}


def time_update(case: str, minibatch: int, rounds: int) -> dict[str, float]:
    """Microseconds a minibatch update."""
    network, batch, _ = build(case)
    rows = min(ROWS, minibatch * 32)
    part = Batch(
        *(getattr(batch, name)[:rows] for name in ("obs", "actions", "logp", "advantages", "returns", "values"))
    )

    def call(backend: str) -> Callable[[], int]:
        settings = UpdateSettings(n_epochs=1, batch_size=minibatch, ent_coef=0.01)
        update = PPOUpdate(copy.deepcopy(network), settings, prefer=backend)  # type: ignore[arg-type]

        def run() -> int:
            update.run(part, learning_rate=1e-5, clip_range=0.2)
            return rows // minibatch

        return run

    return interleaved({backend: call(backend) for backend in BACKENDS}, rounds)


def time_act(case: str, envs: int, rounds: int) -> dict[str, float]:
    """Microseconds an acting step of a rollout, noise included."""
    network, batch, encoder = build(case)
    steps = 128

    def call(backend: str) -> Callable[[], int]:
        kernel = make_acting_backend(network, np.random.default_rng(0), prefer=backend)  # type: ignore[arg-type]
        fragment = Fragment.empty(steps, envs, encoder, network.head)
        fragment.obs[...] = batch.obs[: (steps + 1) * envs].reshape(fragment.obs.shape)

        def run() -> int:
            kernel.begin(fragment)
            for step in range(steps):
                kernel.act_at(step)
            return steps

        return run

    return interleaved({backend: call(backend) for backend in BACKENDS}, rounds)


def main() -> None:
    """Print one table of each and write them as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    isa = "none" if c_library.why_no_kernel() else c_library.load().isa
    rows: list[dict[str, Any]] = []
    print(f"C kernel: {isa}; load {os.getloadavg()[0]:.1f}")
    for case in CASES:
        for minibatch in (64, 256, 2048):
            rows.append(
                {"what": "update", "case": case, "rows": minibatch, **time_update(case, minibatch, options.rounds)}
            )
            print(rows[-1], flush=True)
        for envs in (1, 8, 16, 63):
            rows.append({"what": "act", "case": case, "rows": envs, **time_act(case, envs, options.rounds)})
            print(rows[-1], flush=True)
    if options.json:
        document = {"isa": isa, "load": os.getloadavg()[0], "unit": "us", "median_of": options.rounds, "rows": rows}
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
