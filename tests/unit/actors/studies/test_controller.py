"""The controller of a study, over a store in memory and trainings that play themselves."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors.studies.controller import MAX_FAILURES, StudyController
from rlplatform.errors import QueueFull
from rlplatform.ids import Kind, new_id
from rlplatform.run_kinds import parse_event
from rlplatform.storage.memory import MemoryStore
from rlplatform.studies.events import StudyPauseRequested, StudyQueued, StudyResumeRequested, StudyStopRequested
from rlplatform.studies.models import Study, StudyRequest, StudyState, TrialState
from rlplatform.studies.record import StudyRun
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.studies import PlayedTrainings
from rlplatform.training.models import TrainingRequest, TrainingState

pytestmark = pytest.mark.anyio

RATE = {"learning_rate": {"kind": "float", "low": 1e-5, "high": 1e-1, "log": True}}
ITERATION = 3000


def training(**fields: Any) -> dict[str, Any]:
    fixed = {"n_steps": ITERATION // 8, "batch_size": 125}
    return {"env": "Some-v0", "hyperparameters": fixed, "stop": {"env_steps": 10 * ITERATION}, **fields}


def request(**fields: Any) -> StudyRequest:
    return StudyRequest.model_validate({"training": training(), "space": RATE, "trials": 6, **fields})


def near_one_thousandth(request: TrainingRequest, env_steps: int) -> float:
    """The best learning rate is 0.001; the return grows with the steps, and differs a little by seed."""
    rate = request.hyperparameters["learning_rate"]
    assert isinstance(rate, float)
    return (10 - abs(math.log10(rate) + 3)) * env_steps / (10 * ITERATION) + 0.01 * request.seed


class Desk:
    """A study's owner on a table: starts its controller, and loses it."""

    def __init__(self) -> None:
        self.clock = FakeClock(auto_advance=True)
        self.store = MemoryStore(self.clock)
        self.trainings = PlayedTrainings(self.store, self.clock, near_one_thousandth)
        self.study_id = ""

    async def create(self, request: StudyRequest) -> None:
        self.study_id = new_id(Kind.STUDY)
        now = self.clock.now()
        document = Study(id=self.study_id, state=StudyState.QUEUED, request=request, created_at=now)
        run = StudyRun(id=self.study_id, tenant="acme", created_by="key_1", document=document)
        await self.store.create(run, StudyQueued(stream=run.stream, time=now))

    async def own(self) -> asyncio.Task[None]:
        epoch = await self.store.acquire(self.study_id)
        controller = StudyController(await self.run(), epoch, self.store, self.trainings, self.clock)
        return asyncio.get_running_loop().create_task(controller.run())

    async def finish(self, request: StudyRequest) -> Study:
        await self.create(request)
        await asyncio.wait_for(await self.own(), 60)
        return await self.study()

    async def run(self) -> StudyRun:
        run = await self.store.get(self.study_id)
        assert isinstance(run, StudyRun)
        return run

    async def lose_at(self, events: int) -> bool:
        """Own the study until its log has so many events, then lose the controller; False if it had finished."""
        task = await self.own()
        while not task.done() and len(await self.types()) < events:
            await asyncio.sleep(0)
        lost = task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return lost

    async def study(self) -> Study:
        return (await self.run()).document

    async def ask(self, event: type[Any]) -> None:
        run = await self.run()
        await self.store.append(run.stream, [event(stream=run.stream, time=self.clock.now(), by="key_1")])

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(30):
            while not holds(await self.study()):
                await asyncio.sleep(0.001)

    async def types(self) -> list[str]:
        lines = await self.store.read(f"studies/{self.study_id}", limit=100_000)
        return [parse_event(line.data).type for line in lines]

    async def trained(self) -> dict[str, int]:
        """Environment steps of each training in the store."""
        runs = await self.store.find("training", limit=10_000)
        return {run.id: run.document.progress.env_steps for run in runs}


@pytest.fixture
async def desk(anyio_backend: str) -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.trainings.close()


async def test_study_runs_its_trials_and_names_the_best(desk: Desk) -> None:
    study = await desk.finish(request())
    assert (study.state, study.stop_reason, study.trial_count) == (StudyState.SUCCEEDED, "trials", 6)
    assert all(trial.state is TrialState.COMPLETED for trial in study.trials)
    best = max(study.trials, key=lambda trial: trial.value or 0)
    assert (study.best_trial, study.best_hyperparameters) == (best.number, best.hyperparameters)
    assert best.rank == 1
    assert sorted(trial.rank for trial in study.trials if trial.rank) == [1, 2, 3, 4, 5, 6]
    assert study.env_steps == sum((await desk.trained()).values()) == 6 * 10 * ITERATION
    assert study.importances.keys() == {"learning_rate"}
    assert desk.trainings.most_active <= 2


async def test_value_is_the_mean_over_seeds_with_an_interval(desk: Desk) -> None:
    study = await desk.finish(request(trials=2, seeds=[1, 2, 3], parallel=3))
    trial = study.trials[0]
    returns = [training.episode_return_mean for training in trial.trainings]
    assert [training.seed for training in trial.trainings] == [1, 2, 3]
    assert trial.value == pytest.approx(sum(filter(None, returns)) / 3)
    assert trial.interval is not None
    assert trial.interval.high - trial.interval.low == pytest.approx(2 * 4.303 * 0.01 / math.sqrt(3))


@pytest.mark.parametrize("pruner", [{"kind": "median", "startup_trials": 2}, {"kind": "hyperband", "reports": 9}])
async def test_pruned_trials_end_early(desk: Desk, pruner: dict[str, Any]) -> None:
    study = await desk.finish(request(trials=12, pruner=pruner, sampler={"kind": "random"}))
    pruned = [trial for trial in study.trials if trial.state is TrialState.PRUNED]
    whole = [trial for trial in study.trials if trial.state is TrialState.COMPLETED]
    assert pruned
    assert whole
    assert all(sum(training.env_steps for training in trial.trainings) < 10 * ITERATION for trial in pruned)
    assert all(trial.rank is None for trial in pruned)
    assert all(
        [report.number for report in trial.reports] == sorted({r.number for r in trial.reports}) for trial in whole
    )
    assert study.best_trial in {trial.number for trial in whole}


@pytest.mark.parametrize("budget", [14 * ITERATION + 500, 45 * ITERATION, 60 * ITERATION])
@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
async def test_budget_is_met_within_an_iteration(desk: Desk, budget: int, seeds: list[int]) -> None:
    study = await desk.finish(request(trials=None, budget_env_steps=budget, seeds=seeds, parallel=4))
    assert (study.state, study.stop_reason) == (StudyState.SUCCEEDED, "budget_env_steps")
    assert budget - ITERATION < sum((await desk.trained()).values()) <= budget
    last = study.trials[-1]
    assert last.state is (TrialState.COMPLETED if budget % (10 * ITERATION * len(seeds)) == 0 else TrialState.CUT_SHORT)


async def test_steps_that_pruning_saves_go_to_further_trials(desk: Desk) -> None:
    pruner = {"kind": "median", "startup_trials": 2}
    study = await desk.finish(
        request(trials=None, budget_env_steps=80 * ITERATION, pruner=pruner, sampler={"kind": "random"})
    )
    assert study.trial_count > 8
    assert 79 * ITERATION < sum((await desk.trained()).values()) <= 80 * ITERATION


async def test_grid_tries_each_combination_with_each_seed(desk: Desk) -> None:
    space = {
        "learning_rate": {"kind": "categorical", "choices": [0.001, 0.01]},
        "policy_kwargs.net_arch": {"kind": "categorical", "choices": [[32], [64, 64]]},
    }
    study = await desk.finish(request(sampler={"kind": "grid"}, space=space, trials=None, seeds=[0, 1]))
    runs = await desk.store.find("training", limit=100)
    tried = Counter(
        (
            run.document.request.hyperparameters["learning_rate"],
            str(run.document.request.hyperparameters["policy_kwargs"]),
        )
        for run in runs
    )
    assert len(tried) == 4
    assert set(tried.values()) == {2}
    assert study.best_hyperparameters is not None
    assert study.best_hyperparameters["learning_rate"] == 0.001


async def test_grid_with_draws_draws_ranges_for_each_combination(desk: Desk) -> None:
    space = {**RATE, "gamma": {"kind": "categorical", "choices": [0.9, 0.99]}}
    study = await desk.finish(request(sampler={"kind": "grid", "draws": 3}, space=space, trials=None))
    assert [trial.hyperparameters["gamma"] for trial in study.trials] == [0.9] * 3 + [0.99] * 3
    assert len({trial.hyperparameters["learning_rate"] for trial in study.trials}) == 6


async def test_population_continues_from_checkpoints_and_replaces_bad_members(desk: Desk) -> None:
    sampler = {"kind": "population", "members": 4, "generations": 3}
    study = await desk.finish(request(sampler=sampler, trials=None, parallel=4))
    assert study.trial_count == 12
    assert [trial.parent for trial in study.trials[:4]] == [None] * 4
    for trial in study.trials[4:]:
        assert trial.parent is not None
        assert trial.parent // 4 == trial.number // 4 - 1
        assert trial.trainings[0].from_env_steps == (trial.number // 4) * 4 * ITERATION
        run = await desk.store.get(trial.trainings[0].training_id)
        assert run.document.request.resume_from is not None
        assert run.document.progress.env_steps == (trial.number // 4 + 1) * 4 * ITERATION
    copies = [trial for trial in study.trials[4:] if trial.parent is not None and trial.parent % 4 != trial.number % 4]
    assert copies
    assert study.env_steps == 12 * 4 * ITERATION
    assert (study.trials[-1].value or 0) > (study.trials[0].value or 0)


SHORT = {"n_steps": 32, "batch_size": 32}
"""Hyperparameters with rollouts of 256 steps: an iteration bundles eight."""


async def test_short_rollouts_are_reported_as_often_as_the_pruner_asks(desk: Desk) -> None:
    short = training(hyperparameters=SHORT, stop={"env_steps": 20_480})
    study = await desk.finish(request(training=short, trials=2, pruner={"kind": "median", "reports": 5}))
    for trial in study.trials:
        assert [report.number for report in trial.reports] == [1, 2, 3, 4, 5]
        assert [report.env_steps for report in trial.reports] == [4096, 8192, 12_288, 16_384, 20_480]


async def test_generations_with_short_rollouts_keep_to_their_part_of_the_steps(desk: Desk) -> None:
    short = training(hyperparameters=SHORT, stop={"env_steps": 12_288})
    sampler = {"kind": "population", "members": 2, "generations": 3}
    study = await desk.finish(request(training=short, sampler=sampler, trials=None))
    assert sorted((await desk.trained()).values()) == [4096, 4096, 8192, 8192, 12_288, 12_288]
    assert study.env_steps == 6 * 4096


async def test_target_ends_the_study_and_its_other_trainings(desk: Desk) -> None:
    study = await desk.finish(request(trials=100, target_return=8.0, parallel=3))
    assert (study.state, study.stop_reason) == (StudyState.SUCCEEDED, "target_return")
    assert (study.best_value or 0) >= 8.0
    assert study.trial_count < 100
    assert all(trial.state is not TrialState.RUNNING for trial in study.trials)


@pytest.mark.parametrize(
    "sampler", [{"kind": "tpe", "startup_trials": 4}, {"kind": "population", "members": 4, "generations": 3}]
)
async def test_lost_controllers_start_no_training_twice(desk: Desk, sampler: dict[str, Any]) -> None:
    population = sampler["kind"] == "population"
    pruner = None if population else {"kind": "hyperband", "reports": 9}
    await desk.create(
        request(trials=None if population else 12, sampler=sampler, pruner=pruner, seeds=[0, 1], parallel=3)
    )
    assert all([await desk.lose_at(events) for events in range(3, 45, 3)])
    await asyncio.wait_for(await desk.own(), 60)
    study = await desk.study()
    assert study.state is StudyState.SUCCEEDED
    assert study.trial_count == 12
    assert set(desk.trainings.started.values()) == {1}
    trainings = [training.training_id for trial in study.trials for training in trial.trainings]
    assert sorted(trainings) == sorted(await desk.trained())
    assert study.env_steps == sum(training.env_steps for trial in study.trials for training in trial.trainings)


async def test_recovered_study_makes_the_same_choices_as_an_undisturbed_one(desk: Desk) -> None:
    alone = request(trials=8, parallel=1, sampler={"kind": "tpe", "startup_trials": 3}, pruner={"kind": "hyperband"})
    undisturbed = await desk.finish(alone)
    await desk.create(alone)
    for events in range(5, 60, 9):
        await desk.lose_at(events)
    await asyncio.wait_for(await desk.own(), 60)
    again = await desk.study()
    assert [trial.hyperparameters for trial in again.trials] == [trial.hyperparameters for trial in undisturbed.trials]


async def test_second_controller_fences_the_first(desk: Desk) -> None:
    await desk.create(request(trials=4))
    first, second = await desk.own(), await desk.own()
    await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 60)
    assert first.exception() is not None
    assert second.exception() is None
    assert set(desk.trainings.started.values()) == {1}


async def test_paused_study_pauses_its_trainings_and_continues(desk: Desk) -> None:
    desk.trainings._iteration_s = 0.005
    await desk.create(request(trials=4))
    task = await desk.own()
    await desk.until(lambda study: study.trial_count >= 2)
    await desk.ask(StudyPauseRequested)
    await desk.until(lambda study: study.state is StudyState.PAUSED)
    runs = await desk.store.find("training", limit=10)
    assert {run.document.state for run in runs} <= {TrainingState.PAUSED, TrainingState.SUCCEEDED}
    assert not task.done()
    await desk.ask(StudyResumeRequested)
    await asyncio.wait_for(task, 60)
    study = await desk.study()
    assert (study.state, study.trial_count) == (StudyState.SUCCEEDED, 4)
    assert study.env_steps == 4 * 10 * ITERATION


async def test_stopped_study_stops_its_trainings(desk: Desk) -> None:
    desk.trainings._iteration_s = 0.005
    await desk.create(request(trials=100))
    task = await desk.own()
    await desk.until(lambda study: study.trial_count >= 3)
    await desk.ask(StudyStopRequested)
    await asyncio.wait_for(task, 60)
    study = await desk.study()
    assert (study.state, study.stop_reason) == (StudyState.STOPPED, "stop_requested")
    assert study.trials[-1].state is TrialState.STOPPED
    assert all(run.final for run in await desk.store.find("training", limit=100))


async def test_full_queue_is_waited_for_and_told_once(desk: Desk) -> None:
    desk.trainings.refusals = [QueueFull("10 trainings wait already", retry_after_s=2.0) for _ in range(3)]
    study = await desk.finish(request(trials=3))
    assert study.trial_count == 3
    assert (await desk.types()).count("study.waiting") == 1
    assert study.message is None


async def test_trial_whose_training_fails_is_failed_and_the_others_go_on(desk: Desk) -> None:
    desk.trainings.failing = lambda request: request.hyperparameters["learning_rate"] > 0.001  # type: ignore[operator]
    study = await desk.finish(request(trials=8, sampler={"kind": "random"}, seeds=[0, 1], parallel=1))
    failed = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert failed
    assert study.state is StudyState.SUCCEEDED
    assert "failed: it broke" in str(failed[0].message)
    assert len(failed[0].trainings) == 1, "the other seeds of a failed trial are not trained"


async def test_study_fails_if_trials_fail_in_a_row(desk: Desk) -> None:
    desk.trainings.failing = lambda request: True
    study = await desk.finish(request(trials=50, parallel=1))
    assert study.state is StudyState.FAILED
    assert study.trial_count == MAX_FAILURES
    assert "it broke" in str(study.message)


async def test_combination_that_cannot_be_trained_fails_its_trial_alone(desk: Desk) -> None:
    space = {
        **RATE,
        "n_steps": {"kind": "categorical", "choices": [16, 125]},
        "batch_size": {"kind": "categorical", "choices": [64, 500]},
    }
    study = await desk.finish(
        request(training=training(hyperparameters={}), space=space, trials=10, sampler={"kind": "random"})
    )
    failed = [trial for trial in study.trials if trial.state is TrialState.FAILED]
    assert study.state is StudyState.SUCCEEDED
    assert {(t.hyperparameters["n_steps"], t.hyperparameters["batch_size"]) for t in failed} == {(16, 500)}
    assert "batch_size" in str(failed[0].message)
