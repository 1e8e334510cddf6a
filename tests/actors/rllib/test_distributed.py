"""Env runners and learners in actors of their own, on a cluster of several nodes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from actors.rllib.engine import RllibEngine
from rlplatform.errors import CapacityExhausted, Unavailable
from rlplatform.testing.contracts.engine import small_request
from rlplatform.training.models import TrainingRequest

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
]

HYPERPARAMETERS = {"n_steps": 64, "batch_size": 64, "n_epochs": 2}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three nodes of two CPUs each."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[Callable[..., RllibEngine]]:
    engines: list[RllibEngine] = []

    def make(resources: dict[str, Any], **changes: Any) -> RllibEngine:
        request = small_request(**({"hyperparameters": HYPERPARAMETERS} | changes), resources=resources)
        engines.append(RllibEngine(request))
        return engines[-1]

    yield make
    for made in engines:
        made.close()


def algorithm(engine: RllibEngine) -> Any:
    return engine._open._algo  # type: ignore[attr-defined]


def runner_nodes(engine: RllibEngine) -> list[str]:
    group = algorithm(engine).env_runner_group
    return group.foreach_env_runner(lambda _: ray.get_runtime_context().get_node_id(), local_env_runner=False)


@pytest.fixture(scope="module")
def pair(cluster: Cluster) -> Iterator[RllibEngine]:
    """Two env runners with normalisers, for several tests: each costs seconds of imports."""
    made = RllibEngine(normalised_request({"num_env_runners": 2, "num_envs_per_env_runner": 2}))
    yield made
    made.close()


def normalised_request(resources: dict[str, Any]) -> TrainingRequest:
    hyperparameters = {**HYPERPARAMETERS, "normalize": True}
    return small_request(env="Pendulum-v1", hyperparameters=hyperparameters, resources=resources)


def test_env_runners_play_different_episodes(pair: RllibEngine) -> None:
    group = algorithm(pair).env_runner_group
    first, second = group.foreach_env_runner(lambda r: r.sampler._obs.copy(), local_env_runner=False)
    assert not np.isclose(first, second).any()


def test_normalisers_of_all_env_runners_are_merged(pair: RllibEngine) -> None:
    before = {name: normalizer.get_state()["count"] for name, normalizer in algorithm(pair).normalizers.items()}
    assert set(before) == {"norm_obs", "norm_reward"}
    steps = pair.train_iteration().metrics["rollout/env_steps"]
    for name, normalizer in algorithm(pair).normalizers.items():
        assert normalizer.get_state()["count"] - before[name] == pytest.approx(steps, rel=0.05)


def test_what_was_restored_is_what_env_runners_act_with(pair: RllibEngine, tmp_path: Path) -> None:
    pair.train_iteration()
    pair.save(tmp_path)
    saved, evaluation = pair._open.parameters().copy(), pair.evaluate(3, seed=1)
    for _ in range(3):
        pair.train_iteration()
    pair.restore(tmp_path)
    assert pair.evaluate(3, seed=1) == evaluation
    algo = algorithm(pair)
    algo._request()
    algo.runners.collect(algo._request)
    acting = algo.env_runner_group.foreach_env_runner(
        lambda r: r.module.network.flat_numpy.copy(), local_env_runner=False
    )
    for weights in acting:
        assert np.array_equal(weights, saved)


def test_goes_on_with_another_number_of_env_runners(pair: RllibEngine, tmp_path: Path) -> None:
    alone = RllibEngine(normalised_request({"num_envs_per_env_runner": 4}))
    saved = alone.train_iteration()
    alone.save(tmp_path)
    pair.restore(tmp_path)
    assert pair.parameter_hash() == alone.parameter_hash()
    for name, normalizer in algorithm(pair).normalizers.items():
        assert normalizer.get_state()["count"] == algorithm(alone).normalizers[name].get_state()["count"]
    assert pair.train_iteration().env_steps > saved.env_steps
    alone.close()


def test_a_lost_env_runner_comes_back_and_without_any_it_fails_rather_than_hangs(pair: RllibEngine) -> None:
    pair.train_iteration()
    algo = algorithm(pair)
    manager = algo.env_runner_group._worker_manager
    ray.kill(manager.actors()[1], no_restart=False)
    reports = [pair.train_iteration()]
    deadline = time.monotonic() + 240
    while manager.num_healthy_actors() < 2 and time.monotonic() < deadline:
        reports.append(pair.train_iteration())
        time.sleep(0.2)
    assert manager.num_healthy_actors() == 2
    assert all(after.env_steps > before.env_steps for before, after in itertools.pairwise(reports))
    full = pair.train_iteration().metrics["rollout/env_steps"]
    assert pair.train_iteration().metrics["rollout/env_steps"] == pytest.approx(full, rel=0.1)
    lives = algo.env_runner_group.foreach_env_runner(lambda r: r._life, local_env_runner=False)
    assert sorted(life > 0 for life in lives) == [False, True]

    algo.runners.timeout_s = 3.0
    for actor in manager.actors().values():
        ray.kill(actor)
    with pytest.raises(Unavailable, match="no env runner has answered"):
        pair.train_iteration()


def test_env_runners_on_several_nodes_sample_while_the_learner_learns(
    engine: Callable[..., RllibEngine], tmp_path: Path
) -> None:
    made = engine({"num_env_runners": 3, "num_envs_per_env_runner": 2, "pipeline_depth": 1})
    assert len(set(runner_nodes(made))) > 1
    reports = [made.train_iteration() for _ in range(3)]
    assert [report.iteration for report in reports] == [1, 2, 3]
    assert reports[-1].env_steps > 2 * reports[0].env_steps
    assert reports[-1].episodes > 0
    made.save(tmp_path)
    parameters, evaluation = made.parameter_hash(), made.evaluate(3, seed=1)
    made.train_iteration()
    made.restore(tmp_path)
    assert made.parameter_hash() == parameters
    assert made.evaluate(3, seed=1) == evaluation
    assert made.train_iteration().env_steps > reports[-1].env_steps


@pytest.mark.parametrize("runners", [0, 2])
def test_two_learners_take_the_steps_of_one(engine: Callable[..., RllibEngine], tmp_path: Path, runners: int) -> None:
    """One minibatch an epoch, no normalisation within it: then the averaged gradient is the gradient of the whole."""
    whole = {"n_steps": 64, "batch_size": 256, "n_epochs": 3, "normalize_advantage": False}
    resources = {"num_env_runners": runners, "num_envs_per_env_runner": 4 // max(1, runners)}
    parameters = []
    for learners in (0, 2):
        made = engine(resources | {"num_learners": learners}, hyperparameters=whole)
        algorithm(made).options = {**algorithm(made).options, "rollouts_per_iteration": 1}
        made.train_iteration()
        parameters.append(made._open.parameters().copy())
        if not learners:
            made.close()
    assert np.abs(parameters[0] - parameters[1]).max() < 2e-5
    if runners:
        _saves_and_restores_until_a_learner_is_lost(made, tmp_path)


def _saves_and_restores_until_a_learner_is_lost(made: RllibEngine, folder: Path) -> None:
    made.save(folder)
    parameters = made.parameter_hash()
    made.train_iteration()
    made.restore(folder)
    assert made.parameter_hash() == parameters
    group = algorithm(made).learner_group
    for _ in range(2):
        weights = [answer.get()[1] for answer in group.foreach_learner(lambda learner: learner.weights())]
        assert np.array_equal(*weights)
        made.train_iteration()
    ray.kill(group._worker_manager.actors()[1])
    with pytest.raises(Unavailable, match="a learner is lost"):
        made.train_iteration()


def test_works_within_a_placement_group_and_refuses_one_that_is_too_small(cluster: Cluster) -> None:
    group = placement_group([{"CPU": 1}] * 4, strategy="SPREAD")
    assert group.wait(30)

    @ray.remote(num_cpus=1)
    class Session:
        def train(self, runners: int) -> tuple[int, list[str | None]]:
            resources = {"num_env_runners": runners, "num_envs_per_env_runner": 2, "num_learners": 1}
            engine = RllibEngine(small_request(hyperparameters=HYPERPARAMETERS, resources=resources))
            try:
                report = engine.train_iteration()
                where = lambda _: ray.get_runtime_context().get_placement_group_id()  # noqa: E731
                places = algorithm(engine).env_runner_group.foreach_env_runner(where, local_env_runner=False)
                places += [answer.get() for answer in algorithm(engine).learner_group.foreach_learner(where)]
                return report.env_steps, places
            finally:
                engine.close()

    strategy = PlacementGroupSchedulingStrategy(group, 0, placement_group_capture_child_tasks=True)
    session = Session.options(scheduling_strategy=strategy).remote()
    steps, places = ray.get(session.train.remote(2), timeout=400)
    assert steps > 0
    assert places == [group.id.hex()] * 3
    with pytest.raises(CapacityExhausted):
        ray.get(session.train.remote(3), timeout=120)
    ray.kill(session)
    remove_placement_group(group)
