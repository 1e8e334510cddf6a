from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

from rlplatform.environments import recorded
from rlplatform.environments.probe import suggestions
from rlplatform.training import environment_catalog

SAMPLE = """CartPole-v1 LunarLander-v3 Blackjack-v1 CliffWalking-v1 FetchReach-v4 MiniGrid-Empty-5x5-v0 Pong-v5
CartpoleBalance-v1 Go9x9-v1 lane-keeping-v0 RubiksCube-v0 HalfCheetah-v2"""


@pytest.fixture(autouse=True)
def _afresh() -> None:
    environment_catalog.list_environments.cache_clear()


def test_lists_what_can_be_trained_with_spaces_and_presets() -> None:
    infos = {info.id: info for info in environment_catalog.list_environments()}
    assert infos["CartPole-v1"].backend == "gymnasium"
    assert infos["CartPole-v1"].preset == "CartPole-v1"
    assert infos["CartPole-v1"].action_space == "Discrete(2)"
    assert infos["LunarLander-v3"].backend == "envpool"
    assert infos["LunarLander-v3"].max_episode_steps == 1000
    assert infos["Blackjack-v1"].max_episode_steps == 10_000
    assert infos["CartPole-v1"].preset_env_steps == 100_000
    assert infos["PointMaze_UMaze-v3"].observation_space == "Box(8,) float32"
    assert len(infos) > 1500
    assert infos["Pendulum-v1"].action_space == "Box(1,) float32 in [-2, 2]"
    assert "HalfCheetah-v2" not in infos
    assert list(infos) == sorted(infos)


@pytest.mark.parametrize("env", SAMPLE.split())
def test_what_is_recorded_is_what_the_environment_itself_says(env: str) -> None:
    """Fails after another version of Gymnasium or EnvPool, or a new preset: then write the file again."""
    held = recorded.recorded()[env]
    found = environment_catalog.describe_or_reason(env)
    assert isinstance(found, str) == isinstance(held, str)
    if not isinstance(found, str):
        assert found.model_dump(mode="json", exclude={"id"}, exclude_none=True) == held


def test_other_versions_are_asked_and_not_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "environments.json"
    wrong = {"CartPole-v1": "no"}
    file.write_text(json.dumps({"versions": {"gymnasium": "0", "envpool": "0"}, "environments": wrong}))
    assert recorded.recorded(file) == {}
    file = tmp_path / "same.json"
    file.write_text(json.dumps({"versions": recorded.versions(), "environments": wrong}))
    assert recorded.recorded(file) == wrong


def test_what_cannot_be_made_here_is_never_suggested() -> None:
    near = suggestions()
    assert "CartPole-v1" in near
    assert not any(env.startswith("phys2d/") for env in near)
    assert "HalfCheetah-v2" not in near


def test_an_environment_that_is_not_recorded_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gym.registry, "Mine-v0", gym.spec("CartPole-v1"))
    infos = {info.id: info for info in environment_catalog.list_environments()}
    assert infos["Mine-v0"].observation_space.startswith("Box(4,)")


def test_listing_imports_neither_envpool_nor_torch() -> None:
    code = (
        "import sys; from rlplatform.training.environment_catalog import list_environments; assert list_environments()"
    )
    code += "; sys.exit('envpool' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_describes_what_only_envpool_has() -> None:
    assert environment_catalog.describe_environment("MiniGrid-DoorKey-5x5-v0").backend == "envpool"
