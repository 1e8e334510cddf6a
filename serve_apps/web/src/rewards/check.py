"""Check the reward function in reward.py, in a sandbox: call it for random steps of the environment.

Standard input has the function's name, the environment and its options as JSON. The traceback of an exception has the
line of reward.py; what is printed is shown to the author.
"""

import importlib
import inspect
import json
import math
import sys
from typing import Any

STEPS = 200


def main() -> None:
    """Call the function and print its range."""
    asked = json.load(sys.stdin)
    function = find_function(asked["entry"])
    try:
        import gymnasium

        env = gymnasium.make(asked["env"], **asked["env_config"])
    except Exception:
        inspect.signature(function).bind(*range(6))
        print(f"{asked['entry']} can be imported. {asked['env']} is not in the sandbox: training will call it first.")
        return
    rewards = call(function, env)
    print(f"{STEPS} random steps of {asked['env']}: rewards from {min(rewards):g} to {max(rewards):g}")


def find_function(entry: str) -> Any:
    """Return the function ``entry`` of reward.py."""
    function = getattr(importlib.import_module("reward"), entry, None)
    if not callable(function):
        sys.exit(f"reward.py defines no function {entry!r}")
    return function


def call(function: Any, env: Any) -> list[float]:
    """Return the rewards of random steps."""
    env.action_space.seed(0)
    before, _ = env.reset(seed=0)
    rewards = []
    for step in range(1, STEPS + 1):
        action = env.action_space.sample()
        after, own, terminated, truncated, _ = env.step(action)
        found = function(before, action, after, float(own), bool(terminated), bool(truncated))
        try:
            value = float(found)
        except (TypeError, ValueError):
            sys.exit(f"step {step}: it returned {found!r}, which is no number")
        if not math.isfinite(value):
            sys.exit(f"step {step}: it returned {value}; a reward is finite")
        rewards.append(value)
        before = env.reset()[0] if terminated or truncated else after
    return rewards


if __name__ == "__main__":
    main()
