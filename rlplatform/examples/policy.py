"""Serve a policy: train it, publish its best checkpoint, and balance eight poles with it over HTTP.

The environment is on this side of the network, so it can be anything; here it is CartPole-v1, written out.
"""

from __future__ import annotations

import math
import random

from rlplatform.client import Client

REQUEST = {"env": "CartPole-v1", "seed": 1, "stop": {"env_steps": 60_000, "episode_return_mean": 475}}
POLES, STEPS = 8, 200

Pole = list[float]  # position and velocity of the cart, angle and angular velocity of the pole


def main(client: Client) -> None:
    training = client.start_training(REQUEST)
    client.wait(training.id)
    policy = client.publish_policy({"training_id": training.id, "name": "example"})
    print(f"{policy.id}: {policy.parameters:,} parameters, trained for {policy.env_steps:,} steps")

    rng = random.Random(0)
    poles = [[rng.uniform(-0.05, 0.05) for _ in range(4)] for _ in range(POLES)]
    balanced = 0
    while poles and balanced < STEPS:
        actions = client.act(policy.id, poles)  # one request for all poles
        poles = [moved for pole, action in zip(poles, actions, strict=True) if upright(moved := step(pole, action))]
        balanced += 1
    print(f"{len(poles)} of {POLES} poles stand after {balanced} steps")
    client.delete_policy(policy.id)


def step(pole: Pole, action: int) -> Pole:
    """Return ``pole`` 0.02 s later, pushed left (0) or right (1): the dynamics of Gymnasium's CartPole-v1."""
    x, velocity, angle, spin = pole
    sin, cos = math.sin(angle), math.cos(angle)
    force = ((10.0 if action == 1 else -10.0) + 0.05 * spin**2 * sin) / 1.1
    angular = (9.8 * sin - cos * force) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
    linear = force - 0.05 * angular * cos / 1.1
    return [x + 0.02 * velocity, velocity + 0.02 * linear, angle + 0.02 * spin, spin + 0.02 * angular]


def upright(pole: Pole) -> bool:
    """Return True if neither the cart has left its track nor the pole has fallen."""
    return abs(pole[0]) <= 2.4 and abs(pole[2]) <= math.radians(12)
