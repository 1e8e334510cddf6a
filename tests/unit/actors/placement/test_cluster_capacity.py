"""Trainings that a cluster can ever hold, and those that it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.options import EVALUATOR, SANDBOX_RESOURCE, SANDBOX_SHARE
from actors.placement.cluster_capacity import Room, bundles_of, bundles_of_request, check_capacity, check_request
from rlplatform.errors import InvalidRequest
from rlplatform.training.models import Resources, TrainingRequest
from rlplatform.training.reward import RewardFunction

LAPTOP = [Room.of({"CPU": 4.0}, {"CPU": 3.8})]
GPU_NODE = Room(8, 4.0)


def refused(wanted: Resources, rooms: list[Room], limits: dict[str, float] | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_capacity(wanted, rooms, limits or {})
    return caught.value


@pytest.mark.parametrize(
    ("total", "available", "cpus"),
    [
        (4.0, 4.0, 4),
        (4.0, 3.8, 3),  # the platform's own actors take 0.2
        (4.0, 0.8, 3),  # and three trainings one each
        (4.0, 1.0, 4),
        (0.0, 0.0, 0),
        (2.5, 2.5, 2),
    ],
)
def test_the_platforms_own_actors_cost_one_whole_cpu_and_trainings_none(
    total: float, available: float, cpus: int
) -> None:
    assert Room.of({"CPU": total}, {"CPU": available}).cpus == cpus


def test_what_fits_an_empty_cluster_is_taken() -> None:
    check_capacity(Resources(num_env_runners=2), LAPTOP, {})
    check_capacity(Resources(num_learners=2, num_gpus_per_learner=2), [GPU_NODE], {})
    check_capacity(Resources(num_gpus_per_learner=0.5), [Room(1), Room(1, 1.0)], {})


def test_too_many_env_runners_are_refused_with_how_many_fit() -> None:
    error = refused(Resources(num_env_runners=512), LAPTOP)
    assert error.extra["field"] == "resources.num_env_runners"
    assert "512 env runners need 513 CPUs" in str(error)
    assert "at most 2 env runners fit" in str(error)


def test_too_many_learners_are_refused_by_their_own_field() -> None:
    error = refused(Resources(num_learners=15), LAPTOP)
    assert error.extra["field"] == "resources.num_learners"
    assert "at most 2 learners fit" in str(error)


def test_gpus_that_no_node_has_are_refused() -> None:
    error = refused(Resources(num_gpus_per_learner=8), [GPU_NODE, GPU_NODE])
    assert error.extra["field"] == "resources.num_gpus_per_learner"
    assert "no node has that many (the most on one node: 4)" in str(error)


def test_more_gpu_learners_than_there_are_gpus_are_refused_by_their_number() -> None:
    error = refused(Resources(num_learners=5, num_gpus_per_learner=1), [GPU_NODE])
    assert error.extra["field"] == "resources.num_learners"


def test_what_an_autoscaler_can_bring_waits_and_what_it_cannot_is_refused() -> None:
    limits = {"CPU": 64.0, "GPU": 8.0}
    check_capacity(Resources(num_env_runners=63), LAPTOP, limits)
    check_capacity(Resources(num_learners=8, num_gpus_per_learner=1), LAPTOP, limits)
    assert "the autoscaler brings the cluster to 64" in str(refused(Resources(num_env_runners=64), LAPTOP, limits))
    assert refused(Resources(num_learners=9, num_gpus_per_learner=1), LAPTOP, limits)


@given(
    st.lists(st.builds(Room, st.integers(0, 8), st.integers(0, 4).map(float)), max_size=4),
    st.integers(0, 10),
    st.integers(0, 6),
    st.sampled_from([0.0, 1.0, 2.0]),
)
def test_a_training_is_taken_exactly_if_its_bundles_can_be_packed(
    rooms: list[Room], runners: int, learners: int, gpus: float
) -> None:
    wanted = Resources(num_env_runners=runners, num_learners=learners, num_gpus_per_learner=gpus)
    left = [[room.cpus, room.gpus] for room in rooms]
    packed = True
    for bundle in sorted(bundles_of(wanted), key=lambda bundle: -bundle.get("GPU", 0.0)):
        asked = bundle.get("GPU", 0.0)
        # GPUs go where they are; what needs none goes where fewest GPUs are left
        places = [room for room in sorted(left, key=lambda room: room[1]) if room[0] >= 1 and room[1] >= asked]
        if not places:
            packed = False
            break
        places[0][0] -= 1
        places[0][1] -= asked
    try:
        check_capacity(wanted, rooms, {})
    except InvalidRequest:
        assert not packed
    else:
        assert packed


UPLOADED = TrainingRequest.model_validate(
    {"env": "env_01m8k4mgdye3785n15ze4vz4bq", "stop": {"env_steps": 1}, "resources": {"num_env_runners": 2}}
)
SANDBOXES = Room.of({"CPU": 4.0, "sandbox": 1.0}, {"CPU": 3.9})


def test_processes_of_an_uploaded_environment_go_to_nodes_with_sandboxes_alone() -> None:
    bundles = bundles_of_request(UPLOADED)
    assert [bundle[SANDBOX_RESOURCE] for bundle in bundles] == [SANDBOX_SHARE] * 3
    assert EVALUATOR["resources"][SANDBOX_RESOURCE] + 64 * SANDBOX_SHARE < 1
    installed = UPLOADED.model_copy(update={"env": "CartPole-v1"})
    assert all(SANDBOX_RESOURCE not in bundle for bundle in bundles_of_request(installed))
    rewarded = installed.model_copy(update={"reward": RewardFunction(source="def reward(*step): return 0")})
    assert all(SANDBOX_RESOURCE in bundle for bundle in bundles_of_request(rewarded)), "its reward needs a sandbox"
    check_request(UPLOADED, [SANDBOXES], {})
    check_request(installed, [Room(8)], {})


@pytest.mark.parametrize(
    ("rooms", "field", "why"),
    [
        ([Room(8)], "env", "no node with the resource 'sandbox' exists"),
        ([Room(8), Room(0, sandboxes=True)], "env", "no node with the resource 'sandbox' has CPUs left"),
        ([Room(8), Room(2, sandboxes=True)], "resources.num_env_runners", "at most 1 env runners fit"),
    ],
)
def test_an_uploaded_environment_that_no_node_could_step_is_refused(rooms: list[Room], field: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        check_request(UPLOADED, rooms, {})
    assert caught.value.extra["field"] == field


def test_an_uploaded_environment_waits_for_nodes_that_an_autoscaler_brings() -> None:
    check_request(UPLOADED, [Room(8)], {"CPU": 16, "sandbox": 2})
    with pytest.raises(InvalidRequest, match="no node with the resource"):
        check_request(UPLOADED, [Room(8)], {"CPU": 16})


def test_a_node_for_sandboxes_alone_takes_uploaded_environments_and_no_others() -> None:
    sandboxes = Room.of({"CPU": 4.0, "sandbox": 1.0}, {"CPU": 4.0}, "sandbox")
    installed = UPLOADED.model_copy(update={"env": "CartPole-v1", "resources": Resources()})
    check_request(UPLOADED, [sandboxes], {})
    with pytest.raises(InvalidRequest, match="the cluster has 0 for trainings"):
        check_request(installed, [sandboxes], {})
    check_request(installed, [sandboxes, Room(1)], {})
