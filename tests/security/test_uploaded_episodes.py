"""Policies play uploaded environments, and their episodes are drawn, in sandboxes that end with the job."""

from __future__ import annotations

import asyncio
import hashlib
import io
from contextlib import closing
from pathlib import Path

import av
import gymnasium as gym
import numpy as np
import pytest

from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.environments.backends.flattening import Flattening
from rlplatform.environments.sandboxed.guest.spaces import describe
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, new_id
from rlplatform.playing.ports import PolicySource
from rlplatform.playing.service import LocalEpisodeService
from rlplatform.policies.models import EvaluatePolicyRequest, PolicyEvaluation
from rlplatform.sandbox.docker_engine import STATE_LABEL, Engine
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import EpisodeSettings, SandboxSettings
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.episodes import local_episodes
from rlplatform.testing.policies import MemoryPolicyFiles
from tests.unit.algorithms.ppo.test_policy import make_policy
from tests.unit.environments.sandboxed.environments import DRAWN, GRID

pytestmark = pytest.mark.docker


def code_of(text: str) -> UserCode:
    names: dict[str, type[gym.Env]] = {}
    exec(text, names)
    env = names["Grid"]()
    spaces = {"observation": describe(env.observation_space), "action": describe(env.action_space)}
    return UserCode("env_grid", "environment", {"mine.py": text.encode()}, "mine:Grid", spaces=spaces)


def policy_for(text: str) -> PPOPolicy:
    names: dict[str, type[gym.Env]] = {}
    exec(text, names)
    env = names["Grid"]()
    assert isinstance(env.observation_space, gym.spaces.Dict)
    observations = Flattening("env_grid", env.observation_space).space
    return make_policy(observations, env.action_space, {})


class Table:
    """A service of episodes over real sandboxes, and one policy to play."""

    def __init__(self, folder: Path, state: Path, text: str) -> None:
        files, policy_id = MemoryPolicyFiles(), new_id(Kind.POLICY)
        archive = policy_for(text).pack()
        files.put(policy_id, archive)
        digest = hashlib.sha256(archive).hexdigest()
        options = {"backend": "auto", "max_episode_steps": 20}
        self._source = PolicySource(policy_id, "ppo", "env_grid", {}, options, "ckpt_x", 1, 2, policy_id, digest)
        code = code_of(text)

        async def find(*_: str) -> UserCode:
            return code

        self.service = LocalEpisodeService(
            local_episodes(folder),
            MemoryCheckpoints(),
            files,
            EpisodeSettings(),
            find_code=find,
            sandbox=SandboxSettings(state_dir=state),
        )

    def play(self) -> PolicyEvaluation:
        request = EvaluatePolicyRequest(episodes=5, seed=3, deterministic=False)
        return asyncio.run(self.service.play(self._source, request))


def test_an_uploaded_environment_is_played_and_its_replay_is_drawn_exactly(
    docker_pool: DockerPool, sandbox_state: Path, tmp_path: Path
) -> None:
    table = Table(tmp_path, sandbox_state, DRAWN)
    labels = {STATE_LABEL: str(sandbox_state)}
    with closing(Engine()) as engine:
        before = {entry.id for entry in engine.list(**labels)}
        played = table.play()
        assert (played.report.episodes, played.environment_faults) == (5, 0)
        assert played == table.play().model_copy(update={"episodes": played.episodes})
        best = next(info for info in played.episodes if "best" in info.roles)
        video = asyncio.run(table.service.video(best))
        assert (video.info.exact, video.info.difference, video.info.frames_per_s) == (True, None, 12)
        assert video.info.frames == best.length + 1
        with av.open(io.BytesIO(video.content)) as container:
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert np.ptp(pictures[0]) > 150
        assert {entry.id for entry in engine.list(**labels)} <= before


def test_an_uploaded_environment_without_pictures_has_its_episodes_without_video(
    docker_pool: DockerPool, sandbox_state: Path, tmp_path: Path
) -> None:
    table = Table(tmp_path, sandbox_state, GRID)
    played = table.play()
    with pytest.raises(InvalidRequest, match="env_grid has no picture"):
        asyncio.run(table.service.video(played.episodes[0]))
    kept = local_episodes(tmp_path).get(played.episodes[0].id)
    assert kept.observations is not None
    assert len(kept.observations) == played.episodes[0].length
