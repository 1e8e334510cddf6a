"""Videos are drawn once; policies are played with their own archive."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.episodes.models import VideoInfo
from rlplatform.episodes.ports import Video
from rlplatform.episodes.recording import Recording
from rlplatform.errors import CheckpointError, InvalidRequest, NotFound, Unavailable
from rlplatform.ids import Kind, new_id
from rlplatform.playing import users_code
from rlplatform.playing.ports import PolicySource
from rlplatform.playing.service import LocalEpisodeService
from rlplatform.policies.models import EvaluatePolicyRequest
from rlplatform.settings import EpisodeSettings, SandboxSettings
from rlplatform.testing import episodes
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.policies import MemoryPolicyFiles

pytestmark = pytest.mark.anyio
RUN = new_id(Kind.TRAINING)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Drawing:
    """A renderer that counts, and waits for ``go``."""

    def __init__(self) -> None:
        self.drawn = 0
        self.go = threading.Event()
        self.go.set()
        self.refusal: InvalidRequest | None = None
        self.jobs: list[Mapping[str, Any]] = []

    def __call__(self, recording: Recording, job: Mapping[str, Any], _: EpisodeSettings) -> Video:
        self.jobs.append(job)
        assert self.go.wait(5)
        self.drawn += 1
        if self.refusal is not None:
            raise self.refusal
        info = VideoInfo(
            frames=2, frames_per_s=30, steps_per_frame=1, width=2, height=2, size_bytes=5, replay_return=3, exact=True
        )
        return Video(info, b"video")


def service(folder: Path, drawing: Drawing, **given: Any) -> LocalEpisodeService:
    store = episodes.local_episodes(folder)
    files = given.pop("files", None) or MemoryPolicyFiles()
    return LocalEpisodeService(store, MemoryCheckpoints(), files, EpisodeSettings(), renderer=drawing, **given)


async def test_requests_for_one_video_share_one_drawing_and_it_is_kept(tmp_path: Path) -> None:
    drawing = Drawing()
    (info,) = episodes.local_episodes(tmp_path).put([episodes.recording(RUN)])
    it = service(tmp_path, drawing)
    drawing.go.clear()
    asked = [asyncio.create_task(it.video(info)) for _ in range(3)]
    await asyncio.sleep(0.01)
    asked[0].cancel()  # somebody leaves
    drawing.go.set()
    assert [(await task).content for task in asked[1:]] == [b"video"] * 2
    assert (await service(tmp_path, drawing).video(info)).content == b"video"
    assert drawing.drawn == 1


async def test_a_refusal_is_remembered_and_a_failure_is_tried_again(tmp_path: Path) -> None:
    drawing = Drawing()
    (info,) = episodes.local_episodes(tmp_path).put([episodes.recording(RUN)])
    it = service(tmp_path, drawing)
    drawing.refusal = InvalidRequest("no picture")
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            await it.video(info)
    assert drawing.drawn == 1
    with pytest.raises(NotFound):
        await it.video(episodes.recording(RUN).info)


async def test_a_policy_is_played_only_with_the_archive_that_was_published(tmp_path: Path) -> None:
    files, policy_id = MemoryPolicyFiles(), new_id(Kind.POLICY)
    files.put(policy_id, b"archive")
    jobs: list[tuple[str, Mapping[str, Any], bytes]] = []

    def run(
        name: str, job: Mapping[str, Any], prepare: Callable[[Path], None], limits: EpisodeSettings
    ) -> dict[str, bytes]:
        prepare(tmp_path)
        jobs.append((name, job, (tmp_path / "policy.tar").read_bytes()))
        report = (
            '{"episodes": 2, "episode_return_mean": 3, "episode_return_std": 0, "episode_return_min": 3,'
            ' "episode_return_max": 3, "episode_length_mean": 3}'
        )
        return {"report.json": report.encode(), "faults.json": b"3", "0.npz": episodes.recording(policy_id).pack()[1]}

    it = service(tmp_path, Drawing(), files=files, run=run)
    digest = hashlib.sha256(b"archive").hexdigest()
    source = PolicySource(policy_id, "ppo", "CartPole-v1", {}, {}, new_id(Kind.CHECKPOINT), 1, 2, policy_id, digest)
    played = await it.play(source, EvaluatePolicyRequest(episodes=2, seed=5))
    assert (played.report.episodes, [info.run_id for info in played.episodes]) == (2, [policy_id])
    assert played.environment_faults == 3
    ((name, job, archive),) = jobs
    assert (name, job["episodes"], job["seed"], archive) == ("play", 2, 5, b"archive")
    with pytest.raises(CheckpointError, match="not what was published"):
        await it.play(source._replace(sha256="0" * 64), EvaluatePolicyRequest())


async def test_an_uploaded_environment_is_drawn_with_its_code_in_a_sandbox(tmp_path: Path) -> None:
    drawing, asked = Drawing(), []
    code = UserCode("env_mine", "environment", {"grid.py": b"pass"}, "grid:Grid")
    (info,) = episodes.local_episodes(tmp_path).put([episodes.recording(RUN, env="env_mine")])

    async def find(env: str, run_id: str) -> UserCode:
        asked.append((env, run_id))
        return code

    it = service(tmp_path, drawing, find_code=find, sandbox=SandboxSettings(warm=3))
    assert (await it.video(info)).content == b"video"
    assert asked == [("env_mine", RUN)]
    (job,) = drawing.jobs
    users_code.install(json.loads(json.dumps(job)))
    try:
        assert registry.find("env_mine", field="env") == code
    finally:
        registry.close()


async def test_without_sandboxes_uploaded_environments_are_not_played(tmp_path: Path) -> None:
    (info,) = episodes.local_episodes(tmp_path).put([episodes.recording(RUN, env="env_mine")])
    with pytest.raises(Unavailable, match="plays no uploaded environments"):
        await service(tmp_path, Drawing()).video(info)
