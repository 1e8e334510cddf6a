"""How fast PPO trains: ours, Stable-Baselines3, RLlib's own PPO, and random actions in the bare environments.

    python -m tests.benchmarks.ppo_speed [--repeats 3] [--settings A B C] [--trainers ours sb3 rllib random]

Same hyperparameters and number of environments; one thread for BLAS and torch; trainers take turns, each in a process
of its own. Building, imports and the first iteration are not counted. "ours" is measured through RllibEngine, as the
platform trains. Each trainer steps what it would by itself: Stable-Baselines3 and RLlib Gymnasium's environments, ours
what make_vector_env chooses; "sb3-envpool" gives Stable-Baselines3 our environments, too. "random" is the limit. Rates
are medians; on a shared machine the rate per CPU-second says more than the one by the clock.

Writes results/ppo_speed.json and .md after each repeat; three take about ten minutes on two idle cores. Needs the extra
``benchmarks``; for LunarLander in Gymnasium Box2D and pygame, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {
    "A": {
        "title": "CartPole-v1, zoo settings (8 × 32, minibatch 256, 20 epochs)",
        "env": "CartPole-v1",
        "envs": 8,
        "env_steps": 100_000,
        "peers_env_steps": 30_000,
        "hyperparameters": {"n_steps": 32, "batch_size": 256, "n_epochs": 20, "gamma": 0.98, "gae_lambda": 0.8,
                            "learning_rate": "lin_0.001", "clip_range": "lin_0.2", "ent_coef": 0.0},
        "note": "PureJaxRL took 2.5-4 s for 100,000 such steps on two cores of the same kind, after 4-13 s of "
                "compiling (research, section 8). By perf, two thirds of the C update are dense products, at some 60 "
                "GFLOP/s with AVX2 on a busy core; a fifth is the loss row by row, a tenth tanh. More than half of the "
                "sampling is Gymnasium's own CartPole.",
    },
    "B": {
        "title": "CartPole-v1, 64 × 128, minibatch 2048, 4 epochs",
        "env": "CartPole-v1",
        "envs": 64,
        "env_steps": 400_000,
        "peers_env_steps": 120_000,
        "hyperparameters": {"n_steps": 128, "batch_size": 2048, "n_epochs": 4, "learning_rate": 3e-4},
        "note": "Nearly two thirds are dense products of the update: four passes over every row.",
    },
    "C": {
        "title": "LunarLander-v3, zoo settings (16 × 1024, minibatch 64, 4 epochs)",
        "env": "LunarLander-v3",
        "envs": 16,
        "env_steps": 98_304,
        "peers_env_steps": 65_536,
        "hyperparameters": {"n_steps": 1024, "batch_size": 64, "n_epochs": 4, "gamma": 0.999, "gae_lambda": 0.98,
                            "ent_coef": 0.01, "learning_rate": 3e-4},
        "note": "EnvPool's Box2D on its own thread is what most of the time goes into.",
    },
}  # fmt: skip
TRAINERS = ("ours", "sb3", "sb3-envpool", "rllib", "random")
PEERS = ("sb3", "sb3-envpool", "rllib")
"""They take fewer steps: they are slow, and speed does not depend on how many."""
RESULTS = Path(__file__).parent / "results"
Measured = dict[str, Any]


class Meter:
    """Wall and CPU seconds of this process from the first call of :meth:`start` on."""

    def start(self, env_steps: int) -> None:
        self.first, self.wall, self.cpu = env_steps, time.perf_counter(), time.process_time()

    def stop(self, env_steps: int, **more: Any) -> Measured:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        steps = env_steps - self.first
        return {
            "env_steps": steps,
            "wall_s": round(wall, 3),
            "env_steps_per_s": round(steps / wall),
            "env_steps_per_cpu_s": round(steps / cpu),
            **more,
        }


def measure_engine(setting: dict[str, Any], path: str, env_steps: int, seed: int) -> Measured:
    import ray

    from actors.rllib.engine import RllibEngine
    from rlplatform.training.models import TrainingRequest

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    request = TrainingRequest.model_validate(
        {
            "env": setting["env"],
            "seed": seed,
            "hyperparameters": setting["hyperparameters"],
            "resources": {"num_envs_per_env_runner": setting["envs"]},
            "stop": {"env_steps": env_steps},
        }
    )
    engine = RllibEngine(request, path=path)
    meter = Meter()
    report = engine.train_iteration()
    meter.start(report.env_steps)
    parts = {"sample": 0.0, "update": 0.0}
    while report.env_steps < env_steps:
        report = engine.train_iteration()
        for name in parts:
            parts[name] += report.metrics.get(f"time/{name}_s", 0.0)
    measured = meter.stop(report.env_steps, episode_return_mean=report.metrics.get("rollout/episode_return_mean"))
    if path == "fast":
        rest = measured["wall_s"] - sum(parts.values())
        measured["seconds"] = {name: round(value, 3) for name, value in (parts | {"rest": rest}).items()}
        described = engine.describe()
        measured["backends"] = [described["env_backend"], described["policy_kernel"], described["update_backend"]]
    engine.close()
    ray.shutdown()
    return measured


def measure_sb3(setting: dict[str, Any], env_steps: int, seed: int, envpool: bool) -> Measured:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    from rlplatform.algorithms.ppo.schedule import Schedule

    meter = Meter()

    class FirstRollout(BaseCallback):
        """Starts the meter once the first rollout has been learned from."""

        rollouts = 0

        def _on_rollout_start(self) -> None:
            self.rollouts += 1
            if self.rollouts == 2:
                meter.start(self.num_timesteps)

        def _on_step(self) -> bool:
            return True

    given = dict(setting["hyperparameters"])
    for name in ("learning_rate", "clip_range"):
        if name in given:
            schedule = Schedule.parse(given[name])
            given[name] = schedule.value if schedule.linear else schedule.initial
    envs = make_envs_for_sb3(setting, seed) if envpool else make_vec_env(setting["env"], setting["envs"], seed=seed)
    model = PPO("MlpPolicy", envs, seed=seed, device="cpu", **given)
    model.learn(env_steps, callback=FirstRollout())
    returns = [episode["r"] for episode in model.ep_info_buffer or []]
    return meter.stop(model.num_timesteps, episode_return_mean=statistics.fmean(returns) if returns else None)


def make_envs_for_sb3(setting: dict[str, Any], seed: int) -> Any:
    """Our vector environment as Stable-Baselines3 wants it: SAME_STEP autoreset made of NEXT_STEP by one more step."""
    import numpy as np
    from stable_baselines3.common.vec_env import VecEnv, VecMonitor

    from rlplatform.environments.factory import make_vector_env

    inner = make_vector_env(setting["env"], {}, list(range(seed, seed + setting["envs"])))

    class Adapter(VecEnv):
        def __init__(self) -> None:
            super().__init__(inner.num_envs, inner.single_observation_space, inner.single_action_space)

        def reset(self) -> Any:
            return np.array(inner.reset())

        def step_async(self, actions: Any) -> None:
            self._actions = actions

        def step_wait(self) -> Any:
            step = inner.step(self._actions)
            done = step.terminated | step.truncated
            infos: list[dict[str, Any]] = [{} for _ in done]
            for place in np.flatnonzero(done):
                cut = bool(step.truncated[place] and not step.terminated[place])
                infos[place] = {"terminal_observation": step.obs[place].copy(), "TimeLimit.truncated": cut}
            return np.array(step.obs), np.array(step.rewards), done, infos

        def close(self) -> None:
            inner.close()

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            return [None] * self.num_envs

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            raise NotImplementedError

        def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
            raise NotImplementedError

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            return [False] * self.num_envs

    return VecMonitor(Adapter())


def measure_random(setting: dict[str, Any], env_steps: int, seed: int) -> Measured:
    import numpy as np

    from rlplatform.environments.factory import make_vector_env

    envs = make_vector_env(setting["env"], {}, list(range(seed, seed + setting["envs"])))
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, envs.single_action_space.n, (512, envs.num_envs))
    envs.reset()
    meter = Meter()
    meter.start(0)
    for step in range(env_steps // envs.num_envs):
        envs.step(actions[step % 512])
    return meter.stop(env_steps // envs.num_envs * envs.num_envs)


def measure(name: str, trainer: str, seed: int) -> Measured:
    """One measurement, in this process."""
    import torch

    torch.set_num_threads(1)
    setting = SETTINGS[name]
    env_steps = setting["peers_env_steps" if trainer in PEERS else "env_steps"]
    measures: dict[str, Callable[[], Measured]] = {
        "ours": lambda: measure_engine(setting, "fast", env_steps, seed),
        "rllib": lambda: measure_engine(setting, "stock", env_steps, seed),
        "sb3": lambda: measure_sb3(setting, env_steps, seed, envpool=False),
        "sb3-envpool": lambda: measure_sb3(setting, env_steps, seed, envpool=True),
        "random": lambda: measure_random(setting, env_steps, seed),
    }
    load = os.getloadavg()[0]
    return {"setting": name, "trainer": trainer, "seed": seed, "load": round(load, 1)} | measures[trainer]()


def apart(name: str, trainer: str, seed: int) -> Measured | None:
    """One measurement, in a process of its own with one thread; None where it fails."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.ppo_speed", "--one", name, trainer, str(seed)]
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"setting"')]
    if not lines:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    found: Measured = json.loads(lines[-1])
    return found


def table(runs: list[Measured]) -> str:
    """Medians as Markdown, and how many times the others' rate ours is."""
    lines = ["# PPO speed", "", str(__doc__ or "").split("\n\n")[2].replace("\n", " "), ""]
    for name, setting in SETTINGS.items():
        rates: dict[str, tuple[float, float]] = {}
        rows = []
        for trainer in TRAINERS:
            mine = [run for run in runs if (run["setting"], run["trainer"]) == (name, trainer)]
            if not mine:
                continue
            wall, cpu = (
                statistics.median(run[key] for run in mine) for key in ("env_steps_per_s", "env_steps_per_cpu_s")
            )
            best = max(run["env_steps_per_s"] for run in mine)
            rates[trainer] = wall, cpu
            loads = f"{min(run['load'] for run in mine)}-{max(run['load'] for run in mine)}"
            rows.append(f"| {trainer} | {wall:,.0f} | {best:,.0f} | {cpu:,.0f} | {len(mine)} | {loads} |")
        if not rows:
            continue
        lines += [f"## {name}: {setting['title']}", "", "| trainer | env steps/s | best | per CPU-s | runs | load |",
                  "| --- | --- | --- | --- | --- | --- |", *rows, ""]  # fmt: skip
        if "ours" in rates:
            wall, cpu = rates["ours"]
            ratios = [
                f"{other}: {wall / rates[other][0]:.1f} (clock), {cpu / rates[other][1]:.1f} (CPU)"
                for other in TRAINERS[1:]
                if other in rates
            ]
            lines += ["Ours over " + "; ".join(ratios) + ".", ""]
            last = next(run for run in reversed(runs) if (run["setting"], run["trainer"]) == (name, "ours"))
            parts = ", ".join(f"{part} {seconds:g} s" for part, seconds in last["seconds"].items())
            lines += [f"Where the time goes ({last['wall_s']:g} s, {last['env_steps']:,} steps): {parts}.", ""]
            lines += [setting["note"], ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("SETTING", "TRAINER", "SEED"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--settings", nargs="+", choices=tuple(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--trainers", nargs="+", choices=TRAINERS, default=list(TRAINERS))
    arguments = parser.parse_args()
    if arguments.one:
        name, trainer, seed = arguments.one
        print(json.dumps(measure(name, trainer, int(seed))), flush=True)
        return
    runs: list[Measured] = []
    for repeat in range(1, arguments.repeats + 1):
        for name in arguments.settings:
            for trainer in arguments.trainers:
                if trainer == "sb3-envpool" and SETTINGS[name]["env"] == "CartPole-v1":
                    continue
                run = apart(name, trainer, repeat)
                print(json.dumps(run), flush=True)
                if run is not None:
                    runs.append(run)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "ppo_speed.json").write_text(json.dumps(runs, indent=1) + "\n")
        (RESULTS / "ppo_speed.md").write_text(table(runs))


if __name__ == "__main__":
    main()
