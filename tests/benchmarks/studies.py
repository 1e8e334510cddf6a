"""Environment steps until a study reaches a return: TPE with a pruner against random search.

    python -m tests.benchmarks.studies [--env CartPole-v1] [--studies 5]

Each study ends when a trial's policy evaluation reaches the target. The trainings are real ones, in this process,
without Ray's actors; the study's controller is the platform's. Writes ``results/studies.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any

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

RESULTS = Path(__file__).parent / "results" / "studies.md"
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
    "LunarLander-v3": {"env_steps": 200_000, "target": 180.0, "budget": 20_000_000},
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


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", choices=TASKS, default="CartPole-v1")
    parser.add_argument("--studies", type=int, default=5)
    chosen = parser.parse_args()
    task = TASKS[chosen.env]
    command = f"python -m tests.benchmarks.studies --env {chosen.env} --studies {chosen.studies}"
    lines = [
        f"Environment steps until a policy evaluation of 20 episodes of {chosen.env} reaches {task['target']:g};",
        f"trials of {task['env_steps']:,} steps, {chosen.studies} studies each (`{command}`):",
        "",
        "| method | median steps | steps of each study | trials of each study | reached |",
        "| --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        for method in METHODS:
            found = []
            for seed in range(chosen.studies):
                study, steps = await study_of(chosen.env, method, seed, Path(scratch))
                found.append((steps, study.trial_count, study.stop_reason))
                print(
                    method, seed, f"{steps:,} steps", f"{study.trial_count} trials", study.stop_reason, study.best_value
                )
            each = ", ".join(f"{steps:,}" for steps, _, _ in found)
            trials = ", ".join(str(count) for _, count, _ in found)
            reached = sum(reason == "target_return" for _, _, reason in found)
            median = statistics.median(steps for steps, _, _ in found)
            lines.append(f"| {method} | {median:,} | {each} | {trials} | {reached} of {len(found)} |")
    text = "\n".join(lines)
    print(text)
    RESULTS.write_text(f"# Studies\n\n{text}\n")


if __name__ == "__main__":
    asyncio.run(main())
