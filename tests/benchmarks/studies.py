"""Environment steps until a study reaches a return: TPE with a pruner against random search.

    python -m tests.benchmarks.studies [--env CartPole-v1] [--seeds 0 1 2 3 4]

Each study ends when a trial's policy evaluation reaches the target. The trainings are real ones, in this process,
without Ray's actors; the study's controller is the platform's. The methods take turns. Results go to
``results/studies_ENV.json`` and, as a table, ``.md`` after each study; those of other seeds stay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from actors.studies.controller import StudyController
from actors.training.engines import make_engine
from actors.training.trainer import Trainer
from rlplatform.access.principals import Principal
from rlplatform.clock import SystemClock
from rlplatform.runs.ports import Idempotency
from rlplatform.storage.memory import MemoryStore
from rlplatform.store import Store
from rlplatform.studies.models import Study, StudyRequest
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.commands import FakeCommands
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun

RESULTS = Path(__file__).parent / "results"
SPACE = {
    "learning_rate": {"kind": "float", "low": 1e-5, "high": 1e-1, "log": True},
    "gamma": {"kind": "float", "low": 0.8, "high": 0.9999},
    "gae_lambda": {"kind": "float", "low": 0.8, "high": 1.0},
    "ent_coef": {"kind": "float", "low": 1e-8, "high": 0.1, "log": True},
    "n_epochs": {"kind": "int", "low": 1, "high": 20},
    "n_steps": {"kind": "categorical", "choices": [32, 128, 512]},
}
TASKS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {"env_steps": 20_480, "target": 490.0, "budget": 2_000_000},
    "LunarLander-v3": {"env_steps": 100_000, "target": 0.0, "budget": 2_000_000},
}
METHODS: dict[str, dict[str, Any]] = {
    "random": {"sampler": {"kind": "random"}},
    "TPE, median pruner": {
        "sampler": {"kind": "tpe", "startup_trials": 5},
        "pruner": {"kind": "median", "reports": 5, "startup_trials": 3},
    },
}


class LocalTrainings(FakeCommands):
    """Trains in this process."""

    def __init__(self, store: Store, scratch: Path) -> None:
        self.checkpoints = MemoryCheckpoints()
        super().__init__(store, SystemClock(), checkpoints=self.checkpoints)
        self._local_store = store
        self._scratch = scratch
        self._trainers: dict[str, tuple[Trainer, asyncio.Task[None]]] = {}

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        run, new = await super().start_training(request, principal, idempotency)
        epoch = await self._local_store.acquire(run.id)
        folder = self._scratch / run.id
        trainer = Trainer(run, epoch, self._local_store, self.checkpoints, make_engine, SystemClock(), folder)
        self._trainers[run.id] = trainer, asyncio.create_task(trainer.run())
        return run, new

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        run = await super().command_training(run_id, command, principal)
        self._trainers[run_id][0].command(command, *(("stop_requested",) if command == "stop" else ()))
        return run


async def study_of(env: str, method: str, seed: int, scratch: Path) -> tuple[Study, int]:
    """Run one study; return it and the environment steps of all its trainings."""
    task = TASKS[env]
    store = MemoryStore(SystemClock())
    trainings = LocalTrainings(store, scratch)
    request = StudyRequest.model_validate(
        {
            "training": {
                "env": env,
                "preset": env,
                "stop": {"env_steps": task["env_steps"]},
                "evaluation": {"episodes": 20},
            },
            "space": SPACE,
            "seeds": [seed],
            "seed": seed,
            "parallel": 1,
            "target_return": task["target"],
            "budget_env_steps": task["budget"],
            **METHODS[method],
        }
    )
    principal = Principal(id="key_1", tenant="acme", scopes=frozenset())
    run, _ = await trainings.start_study(request, principal)
    epoch = await store.acquire(run.id)
    await StudyController(run, epoch, store, trainings, SystemClock()).run()
    study = (await store.get(run.id)).document
    steps = [found.document.progress.env_steps for found in await store.find("training", limit=10_000)]
    return study, sum(steps)


class Result(NamedTuple):
    """Outcome of a study."""

    seed: int
    env_steps: int
    trials: int
    reached: bool


def table(env: str, found: dict[str, list[Result]]) -> str:
    """Return the results of each method as Markdown."""
    task = TASKS[env]
    lines = [
        f"Environment steps until a policy evaluation of 20 episodes of {env} reaches {task['target']:g};",
        f"trials of {task['env_steps']:,} steps, at most {task['budget']:,} steps a study",
        f"(`python -m tests.benchmarks.studies --env {env}`):",
        "",
        "| method | median steps | steps of each study | trials of each study | reached |",
        "| --- | --- | --- | --- | --- |",
    ]
    for method, each in found.items():
        steps = [study.env_steps for study in each]
        told = ", ".join(f"{taken:,}" for taken in steps)
        trials = ", ".join(str(study.trials) for study in each)
        reached = sum(study.reached for study in each)
        lines.append(f"| {method} | {statistics.median(steps):,.0f} | {told} | {trials} | {reached} of {len(each)} |")
    return "\n".join(lines)


def known(env: str) -> dict[str, list[Result]]:
    """Return the results that earlier calls stored."""
    path = RESULTS / f"studies_{env}.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    return {method: [Result(**study) for study in stored.get(method, [])] for method in METHODS}


def store(env: str, found: dict[str, list[Result]]) -> None:
    data = {method: [study._asdict() for study in each] for method, each in found.items()}
    (RESULTS / f"studies_{env}.json").write_text(json.dumps(data, indent=1) + "\n")
    (RESULTS / f"studies_{env}.md").write_text(f"# Studies of {env}\n\n{table(env, found)}\n")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", choices=TASKS, default="CartPole-v1")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=list(METHODS), help="others keep their results"
    )
    chosen = parser.parse_args()
    found = known(chosen.env)
    with tempfile.TemporaryDirectory() as scratch:
        for seed in chosen.seeds:
            for method in chosen.methods:
                each = found[method]
                study, steps = await study_of(chosen.env, method, seed, Path(scratch))
                result = Result(seed, steps, study.trial_count, study.stop_reason == "target_return")
                each[:] = sorted([*(other for other in each if other.seed != seed), result])
                print(f"{method}: {result}, best return {study.best_value}", flush=True)
                if all(found.values()):
                    store(chosen.env, found)
    print(table(chosen.env, found))


if __name__ == "__main__":
    asyncio.run(main())
