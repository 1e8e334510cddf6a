"""Episodes are drawn and policies are played in a process of their own."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.episodes.recording import Recording
from rlplatform.errors import EngineError, InvalidRequest
from rlplatform.playing.process import run_job
from rlplatform.playing.renderers import draw
from rlplatform.playing.video import even
from rlplatform.settings import EpisodeSettings
from rlplatform.training.policy_evaluation import evaluate_policy
from tests.unit.episodes.test_recorder import OWNER, recorded

LIMITS = EpisodeSettings(process_wall_s=60)


def decoded(content: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_video_shows_every_step_and_says_that_it_is_exact() -> None:
    _, (first, *_) = recorded("CartPole-v1", 2)
    info, content = draw(first, {}, LIMITS)
    frames = decoded(content)
    assert len(frames) == info.frames == first.info.length + 1
    assert frames[0].shape == (info.height, info.width, 3) == (400, 600, 3)
    assert (info.exact, info.difference, info.replay_return) == (True, None, first.info.episode_return)
    assert (info.frames_per_s, info.size_bytes) == (50.0, len(content))
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 100, "the pole has fallen"


def test_mujoco_is_drawn_without_a_screen() -> None:
    recorder = EpisodeRecorder()
    evaluate_policy(lambda obs: np.zeros((len(obs), 1)), "InvertedPendulum-v5", {}, 1, 0, recorder=recorder)
    (recording,) = recorder.recordings(OWNER)
    info, content = draw(recording, {}, LIMITS)
    assert info.exact
    assert decoded(content)[0].std() > 10


def test_an_environment_without_pictures_is_refused() -> None:
    _, (first, *_) = recorded("Taxi-v3", 1, 5)
    with pytest.raises(InvalidRequest, match="Taxi-v3 has no picture"):
        draw(first, {}, LIMITS)


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    _, (first, *_) = recorded("CartPole-v1", 1)
    with pytest.raises(EngineError, match=r"longer than 0.2 s \(RLP_EPISODES__PROCESS_WALL_S\)"):
        run_job(
            "draw",
            {},
            lambda folder: (folder / "episode.npz").write_bytes(first.pack()[1]) and None,
            EpisodeSettings(process_wall_s=0.2),
        )


def test_small_pictures_are_enlarged_and_sides_are_even() -> None:
    assert even(np.zeros((5, 7, 3), np.uint8)).shape == (130, 182, 3)
    assert even(np.zeros((401, 600, 3), np.uint8)).shape == (400, 600, 3)


def test_a_recording_that_was_read_back_draws_the_same(tmp_path: Path) -> None:
    _, (first, *_) = recorded("MountainCar-v0", 1, 20)
    again = Recording.unpack(first.pack()[1])
    assert draw(again, {}, LIMITS).info.exact
