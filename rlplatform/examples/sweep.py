"""Sweep a hyperparameter: train each learning rate with several seeds, and rank by the final evaluation.

The command ``rlp sweep`` also draws values at random, and continues after an interruption.
"""

from __future__ import annotations

from itertools import product
from statistics import fmean

from rlplatform.client import Client

LEARNING_RATES = (0.00003, 0.001)
SEEDS = (0, 1)
REQUEST = {
    "env": "CartPole-v1",
    "stop": {"env_steps": 12_000},
    "evaluation": {"episodes": 50},
}


def main(client: Client) -> None:
    trainings = {
        (rate, seed): client.start_training({**REQUEST, "seed": seed, "hyperparameters": {"learning_rate": rate}})
        for rate, seed in product(LEARNING_RATES, SEEDS)
    }  # the platform queues what does not fit
    for training in trainings.values():
        client.wait(training.id)

    returns: dict[float, list[float]] = {rate: [] for rate in LEARNING_RATES}
    for (rate, seed), training in trainings.items():
        done = client.training(training.id)
        if done.evaluation is None:
            print(f"learning rate {rate:g}, seed {seed}: {done.state}, {done.message or 'not evaluated'}")
        else:
            returns[rate].append(done.evaluation.episode_return_mean)
    print("learning rate   mean return   seeds")
    for rate in sorted(LEARNING_RATES, key=lambda rate: fmean(returns[rate] or [0.0]), reverse=True):
        if returns[rate]:
            print(f"{rate:13g}   {fmean(returns[rate]):11.1f}   {len(returns[rate])}")
