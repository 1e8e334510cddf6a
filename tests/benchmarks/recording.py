"""Cost of recording the episodes of policy evaluations, as a part of the training around them.

``python -m tests.benchmarks.recording [--env CartPole-v1] [--rounds 15] [--iterations 10] [--episodes 10]``. Each round
trains for some iterations with the default hyperparameters, and evaluates the policy twice: once with a recorder and
once without, in alternating order. The ratio is (training + recorded evaluation) / (training + evaluation). Its median
over the rounds is at most 1.01. Times are CPU times of this process: other processes disturb them less than wall-clock
times.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from rlplatform.algorithms.ppo.backends.update_phase import UpdateSettings
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.algorithms.ppo.rollout.advantages import pack
from rlplatform.algorithms.ppo.sampler import Sampler
from rlplatform.algorithms.ppo.update import PPOUpdate
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.episodes.recorder import EpisodeRecorder, RecordedFor
from rlplatform.ids import Kind, new_id
from rlplatform.training.policy_evaluation import evaluate_policy

TARGET = 1.01


class Training:
    """A network that is trained and evaluated in this process."""

    def __init__(self, env: str, num_envs: int) -> None:
        probe = make_vector_env(env, {}, [0])
        observations, actions = probe.single_observation_space, probe.single_action_space
        probe.close()
        self.env, hyperparameters = env, Hyperparameters.of({})
        encoder, head = ObservationEncoder.of(observations), ActionHead.of(actions)
        network = ActorCritic(encoder, head, hyperparameters.architecture(image=encoder.image))
        self.policy = PPOPolicy(network, hyperparameters, observations, actions)
        self._sampler = Sampler(network, hyperparameters, env, {}, num_envs, seed=0)
        self._update = PPOUpdate(network, UpdateSettings.of(hyperparameters))
        self._steps = hyperparameters.n_steps

    def train(self, iterations: int) -> None:
        """Train for some iterations."""
        for _ in range(iterations):
            batch = pack([self._sampler.sample(self._steps)], self._update.values, 0.99, 0.95)
            self._update.run(batch, learning_rate=3e-4, clip_range=0.2)

    def evaluate(self, episodes: int, *, recorded: bool) -> None:
        """Evaluate the policy; ``recorded``: as a training does, to the bytes that are stored."""
        recorder = EpisodeRecorder() if recorded else None
        evaluate_policy(self.policy, self.env, {}, episodes, 0, recorder=recorder)
        if recorder is not None:
            for recording in recorder.recordings(RecordedFor(new_id(Kind.TRAINING), datetime.now(UTC), 1, 1)):
                recording.pack()

    def close(self) -> None:
        self._sampler.close()


def timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(training: Training, rounds: int, iterations: int, episodes: int) -> dict[str, Any]:
    """Return the median ratio, its range, and the median times."""
    training.train(iterations)  # warms up
    training.evaluate(episodes, recorded=True)
    rows = []
    for number in range(rounds):
        trained = timed(lambda: training.train(iterations))
        spent = {}
        for recorded in (False, True) if number % 2 else (True, False):
            spent[recorded] = timed(lambda kind=recorded: training.evaluate(episodes, recorded=kind))  # type: ignore[misc]
        rows.append((trained, spent[False], spent[True]))
    ratios = [(train + record) / (train + plain) for train, plain, record in rows]
    quartiles = np.percentile(ratios, [25, 50, 75])
    train, plain, record = (statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "ratio": round(float(quartiles[1]), 4),
        "quartiles": [round(float(quartiles[0]), 4), round(float(quartiles[2]), 4)],
        "train_s": round(train, 3),
        "evaluate_s": round(plain, 3),
        "evaluate_recorded_s": round(record, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--episodes", type=int, default=10)
    given = parser.parse_args()
    torch.set_num_threads(1)
    training = Training(given.env, given.num_envs)
    try:
        found = measure(training, given.rounds, given.iterations, given.episodes)
    finally:
        training.close()
    print(json.dumps({"env": given.env, **found}), flush=True)
    if found["ratio"] > TARGET:
        raise SystemExit(f"recording costs more than {TARGET - 1:.0%} of the training")


if __name__ == "__main__":
    main()
