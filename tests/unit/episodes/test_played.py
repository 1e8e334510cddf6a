"""Episodes that graders play: recorded, chosen, replayed and stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rlplatform.episodes import graded
from rlplatform.episodes.graded import GradedEpisodes
from rlplatform.episodes.played import Budget, PlayedEpisode, worth_keeping
from rlplatform.episodes.recorder import CUT, RecordedFor
from rlplatform.episodes.recording import Recording
from rlplatform.episodes.replay import Replay
from rlplatform.errors import StorageError
from rlplatform.evaluation.graders.played_environments import RegisteredEnvironments
from rlplatform.ids import Kind, new_id
from rlplatform.testing.episodes import local_episodes

OWNER = RecordedFor(new_id(Kind.EVALUATION), datetime(2026, 1, 1, tzinfo=UTC))


def play(env: str, actions: list[object], seed: int = 5, budget: Budget | None = None) -> PlayedEpisode:
    """Play ``actions``, or fewer if the environment ends the episode."""
    episode = PlayedEpisode(0, seed, budget or Budget())
    envs = RegisteredEnvironments(env, 1)
    (observation,) = envs.reset([seed])
    for action in actions:
        episode.acted(observation, action)
        step = envs.step({0: action})[0]
        observation = step.observation
        episode.rewarded(step.reward, terminated=step.terminated)
        if step.terminated or step.truncated:
            break
    envs.close()
    return episode


def recorded(env: str, episode: PlayedEpisode) -> Recording:
    return episode.recording(env, ["best"], OWNER, test="t1", hidden=False)


@pytest.mark.parametrize(
    ("env", "actions"),
    [
        ("CartPole-v1", [1] * 100),  # ended by the environment
        ("CartPole-v1", [0, 1] * 3),  # ended by the grader's max_steps, or by the agent
        ("Pendulum-v1", [np.array([1.5], np.float32)] * 250),  # cut by its own time limit
    ],
)
def test_an_episode_of_a_grader_is_replayed_exactly(env: str, actions: list[object]) -> None:
    episode = play(env, actions, seed=2**62 + 3)
    replay = Replay(recorded(env, episode))
    frames = list(replay.frames(steps_per_frame=100))
    assert (replay.difference, replay.episode_return) == (None, episode.episode_return)
    assert frames[0].shape[-1] == 3


def test_a_recording_survives_its_file() -> None:
    kept = recorded("CartPole-v1", play("CartPole-v1", [1, 0, 1]))
    read = Recording.unpack(kept.pack()[1])
    assert (read.info, read.origin) == (kept.info, kept.origin)
    assert read.own_actions.tolist() == [1, 0, 1]
    assert read.rewards.tolist() == [1.0, 1.0, 1.0]
    assert read.observations is not None
    assert read.observations.shape == (3, 4)


def test_steps_beyond_the_budget_count_and_are_not_recorded() -> None:
    kept = recorded("CartPole-v1", play("CartPole-v1", [0, 1] * 5, budget=Budget(log=16 * 4, observations=16 * 2)))
    assert (kept.info.length, kept.info.recorded_steps, kept.info.episode_return) == (10, 4, 10.0)
    assert (kept.origin, kept.info.no_video, kept.observations) == (None, CUT, None)


def test_best_median_and_worst_are_kept_with_their_roles() -> None:
    def of(number: int, steps: int) -> PlayedEpisode:
        episode = PlayedEpisode(number, number, Budget())
        for _ in range(steps):
            episode.acted(0, 0)
            episode.rewarded(1.0, terminated=False)
        return episode

    found = {episode.number: roles for episode, roles in worth_keeping([of(n, n % 7) for n in range(32)])}
    assert list(found.values()) == [["best"], ["median"], ["worst"]]
    best, median, worst = found
    assert (best % 7, median % 7, worst % 7) == (6, 3, 1), "an episode without a step is not kept"
    assert worth_keeping([of(0, 0)]) == []
    ((one, roles),) = worth_keeping([of(4, 2)])
    assert (one.number, roles) == (4, ["best", "median", "worst"])


def test_another_attempt_at_an_evaluation_replaces_the_episodes_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = local_episodes(tmp_path)
    for _ in range(2):
        episodes = GradedEpisodes(store, OWNER, "CartPole-v1")
        episodes.add("t1", [play("CartPole-v1", [0, 1])], hidden=False)
        episodes.add("t2", [play("CartPole-v1", [0, 1, 0])], hidden=True)
        episodes.store()
    assert sorted((info.test, info.length, info.hidden) for info in store.list(OWNER.run_id)) == [
        ("t1", 2, False),
        ("t2", 3, True),
    ]
    monkeypatch.setattr(graded, "MOST", 3)
    episodes = GradedEpisodes(store, OWNER, "CartPole-v1")
    for number in range(5):
        episodes.add(f"t{number}", [play("CartPole-v1", [0, 1])], hidden=False)
    episodes.store()
    assert len(store.list(OWNER.run_id)) == 3


def test_a_storage_that_fails_costs_no_verdict(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def clear(self, run_id: str) -> None:
            raise StorageError("no bucket")

    GradedEpisodes(Failing(), OWNER, "CartPole-v1").store()  # type: ignore[arg-type]
    assert "its episodes are not kept: no bucket" in caplog.text
