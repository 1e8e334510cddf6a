from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

from rlplatform.training import catalogue


@pytest.fixture(autouse=True)
def _afresh() -> None:
    catalogue.list_environments.cache_clear()


def test_lists_what_can_be_trained_with_spaces_and_presets() -> None:
    infos = {info.id: info for info in catalogue.list_environments()}
    assert infos["CartPole-v1"].backend == "gymnasium"
    assert infos["CartPole-v1"].preset == "CartPole-v1"
    assert infos["CartPole-v1"].action_space == "Discrete(2)"
    assert infos["LunarLander-v3"].backend == "envpool"
    assert infos["LunarLander-v3"].max_episode_steps == 1000
    assert infos["Blackjack-v1"].max_episode_steps is None
    assert infos["Pendulum-v1"].action_space == "Box(1,) float32 in [-2, 2]"
    assert "HalfCheetah-v2" not in infos
    assert list(infos) == sorted(infos)


def test_what_is_recorded_is_what_the_environments_themselves_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails after another version of Gymnasium or EnvPool, or a new preset: then write the file again."""
    committed = catalogue.FILE.read_text()
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "environments.json")
    catalogue.main()
    assert (tmp_path / "environments.json").read_text() == committed


def test_other_versions_are_asked_and_not_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "environments.json")
    wrong = {"CartPole-v1": None}
    for versions, known in ((catalogue._versions(), wrong), ({"gymnasium": "0", "envpool": "0"}, {})):
        catalogue.FILE.write_text(json.dumps({"versions": versions, "environments": wrong}))
        assert catalogue._recorded() == known


def test_an_environment_that_is_not_recorded_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gym.registry, "Mine-v0", gym.spec("CartPole-v1"))
    infos = {info.id: info for info in catalogue.list_environments()}
    assert infos["Mine-v0"].observation_space.startswith("Box(4,)")


def test_listing_imports_neither_envpool_nor_torch() -> None:
    code = "import sys; from rlplatform.training.catalogue import list_environments; assert list_environments()"
    code += "; sys.exit('envpool' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_describes_what_only_envpool_has() -> None:
    assert catalogue.describe_environment("MiniGrid-DoorKey-5x5-v0").backend == "envpool"
