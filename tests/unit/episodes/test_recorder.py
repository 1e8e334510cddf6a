"""Policy evaluations are recorded, and their episodes replay exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.options import EnvOptions
from rlplatform.episodes import recorder as module
from rlplatform.episodes.recorder import CUT, EpisodeRecorder, RecordedFor
from rlplatform.episodes.recording import Recording
from rlplatform.episodes.replay import Replay
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, new_id
from rlplatform.training.models import EvaluationReport
from rlplatform.training.policy_evaluation import evaluate_policy

OWNER = RecordedFor(new_id(Kind.TRAINING), datetime(2026, 1, 1, tzinfo=UTC), iteration=4, env_steps=1000)


def random_policy(env: str, options: EnvOptions) -> Any:
    made = make_vector_env(env, {}, [0], options=options)
    space = made.single_action_space
    made.close()
    space.seed(3)

    def act(obs: NDArray[Any]) -> NDArray[Any]:
        return np.stack([space.sample() for _ in obs])

    return act


def recorded(
    env: str, episodes: int, limit: int | None = None, backend: Any = "auto"
) -> tuple[EvaluationReport, list[Recording]]:
    """Evaluate a random policy; return the report, and the recordings as they are read back."""
    options = EnvOptions(backend, limit)
    recorder = EpisodeRecorder()
    report = evaluate_policy(random_policy(env, options), env, {}, episodes, 7, options=options, recorder=recorder)
    return report, [Recording.unpack(recording.pack()[1]) for recording in recorder.recordings(OWNER)]


@pytest.mark.parametrize(
    ("env", "backend", "limit"),
    [
        ("CartPole-v1", "auto", None),  # all copies share their random numbers
        ("CartPole-v1", "envpool", None),
        ("Pendulum-v1", "auto", 30),  # a time limit of the request
        ("LunarLander-v3", "gymnasium", 150),  # actions are numbers that must not overflow
    ],
)
def test_recorded_episodes_replay_exactly(env: str, backend: str, limit: int | None) -> None:
    report, recordings = recorded(env, 40, limit, backend)
    assert {role for recording in recordings for role in recording.info.roles} == {"first", "best", "worst", "last"}
    returns = {role: recording.info.episode_return for recording in recordings for role in recording.info.roles}
    assert (returns["best"], returns["worst"]) == (report.episode_return_max, report.episode_return_min)
    for recording in recordings:
        replay = Replay(recording)
        frames = sum(1 for _ in replay.frames())
        assert frames == recording.info.length + 1
        assert replay.difference is None
        assert recording.info.episode_return == pytest.approx(replay.episode_return)
    last = recordings[-1].info
    assert (last.number, last.run_id, last.iteration, last.env_steps) == (39, OWNER.run_id, 4, 1000)


def test_recording_does_not_change_the_result() -> None:
    options = EnvOptions()
    plain, logged = (
        evaluate_policy(random_policy("CartPole-v1", options), "CartPole-v1", {}, 20, 7, recorder=recorder)
        for recorder in (None, EpisodeRecorder())
    )
    assert plain == logged


def test_a_replay_that_differs_says_where() -> None:
    _, (first, *_) = recorded("Pendulum-v1", 2, 20)
    rewards = first.rewards.copy()
    rewards[4] += 1
    changed = Replay(Recording(first.info, first.origin, first.actions, rewards))
    list(changed.frames())
    assert changed.difference is not None
    assert changed.difference.startswith("step 5 gave a reward of ")


def test_observations_are_those_before_each_action() -> None:
    _, (first, *_) = recorded("CartPole-v1", 3)
    assert first.observations is not None
    assert first.observations.shape == (first.info.length, 4)
    assert np.abs(first.observations[0]).max() <= 0.05, "CartPole begins near the middle"
    document = first.document(None, observations=True)
    assert document.observations is not None
    assert len(document.rewards) == len(document.actions) == len(document.observations) == first.info.length
    assert first.document(None, observations=False).observations is None


def test_an_environment_without_pictures_can_be_read_and_not_watched() -> None:
    _, (first, *_) = recorded("Taxi-v3", 2, 20)
    assert first.info.recorded_steps == first.info.length == len(first.own_actions)
    with pytest.raises(InvalidRequest, match="has no picture"):
        list(Replay(first).frames())


def test_a_long_evaluation_is_recorded_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOG_BYTES", 2 * 16 * 25)  # 25 steps of two copies
    _, recordings = recorded("Pendulum-v1", 2, 40)
    first = recordings[0]
    assert first.info.length == 40
    assert first.info.recorded_steps == len(first.rewards) == len(first.own_actions) < 40
    assert first.info.no_video == CUT
    with pytest.raises(InvalidRequest, match="has no video: it is longer"):
        Replay(first)


def test_an_episode_in_wrappers_replays_in_the_same_ones() -> None:
    options = EnvOptions("gymnasium", 30, ({"name": "frame_stack", "n": 2},))
    recorder = EpisodeRecorder()
    act = random_policy("Pendulum-v1", options)
    evaluate_policy(act, "Pendulum-v1", {}, 2, 7, options=options, recorder=recorder)
    recording = Recording.unpack(recorder.recordings(OWNER)[0].pack()[1])
    assert recording.observations is not None
    assert recording.observations.shape == (30, 6)
    assert recording.origin is not None
    assert recording.origin.env_options.as_json() == options.as_json()
    replay = Replay(recording)
    assert len(list(replay.frames())) == 31
    assert replay.difference is None
