"""Environments of packages that the operator names, and of no others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.settings import read_settings

ENVIRONMENT = """
import gymnasium as gym, numpy as np
from gymnasium import spaces
class Line(gym.Env):
    observation_space = spaces.Box(-9, 9, (1,), np.float32)
    action_space = spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed); self.x = 0.0
        return np.zeros(1, np.float32), {}
    def step(self, action):
        self.x += 1.0 if action else -1.0
        return np.full(1, self.x, np.float32), self.x, False, False, {}
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Packages: one whose import registers, one with an entry point alone, one that exits, one never named."""
    at_import = f"{ENVIRONMENT}\ngym.register('Line-v0', 'line_at_import:Line')\n"
    (tmp_path / "line_at_import.py").write_text(at_import)
    (tmp_path / "line_by_entry.py").write_text(
        f"{ENVIRONMENT}\ndef register():\n    gym.register('Line-v1', 'line_by_entry:Line', max_episode_steps=7)\n"
    )
    for number, (group, name) in enumerate([("gymnasium.envs", "mine"), ("gymnasium.envs.__root__", "x")]):
        info = tmp_path / f"line_by_entry_{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: line-by-entry-{number}\nVersion: 1.0\n")
        (info / "top_level.txt").write_text("line_by_entry\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = line_by_entry:register\n")
    (tmp_path / "exits.py").write_text("raise SystemExit(3)")
    (tmp_path / "never_named.py").write_text("import pathlib; pathlib.Path(__file__).with_suffix('.imported').touch()")
    return tmp_path


def run(plugins: Path, code: str, *modules: str) -> str:
    prelude = f"from rlplatform.environments import environment_modules as m; m.configure({modules!r})\n"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(plugins), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", prelude + code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("module", "env"),
    [
        ("line_at_import", "Line-v0"),
        ("line_at_import", "line_at_import:Line-v0"),
        ("line_by_entry", "mine/Line-v1"),
        ("line_by_entry", "Line-v1"),
        ("line_by_entry", "line_by_entry:Line-v1"),
    ],
)
def test_a_named_packages_environments_are_known_and_described(plugins: Path, module: str, env: str) -> None:
    code = f"""
from rlplatform.environments.probe import probe, describe
made = probe({env!r}, {{}})
said = describe({env!r}, made)
print(said["backend"], said["max_episode_steps"], said["package"])
"""
    limit = "7" if "v1" in env else "10000"
    backend, steps, *package = run(plugins, code, module).split()
    assert (backend, steps) == ("sync", limit)
    assert package[0].startswith("line-by-entry") if module == "line_by_entry" else package == ["None"]


def test_the_error_of_an_unknown_environment_says_how_to_add_one_and_what_could_not_be_imported(plugins: Path) -> None:
    code = """
from rlplatform.environments.probe import probe
try: probe("Line-v9", {})
except Exception as error: print(type(error).__name__, error.extra["field"], error)
"""
    said = run(plugins, code, "line_at_import", "exits", "not_there")
    assert said.startswith("UnknownName env ")
    assert "did you mean Line-v0" in said
    assert "RLP_TRAINING__ENVIRONMENT_MODULES" in said
    assert "exits cannot be imported: SystemExit: 3" in said
    assert "not_there cannot be imported: ModuleNotFoundError" in said


@pytest.mark.parametrize("env", ["never_named:Line-v0", "os:system", "line_at_import.sub:Line-v0", "a:b:Line-v0"])
def test_a_module_that_is_not_named_is_never_imported(plugins: Path, env: str) -> None:
    code = f"""
from rlplatform.testing.probes import check_request
from rlplatform.training.models import TrainingRequest
try: check_request(TrainingRequest(env={env!r}, stop={{"env_steps": 1}}))
except Exception as error: print(type(error).__name__, error.extra["field"])
"""
    assert run(plugins, code, "line_at_import") == "UnknownName env"
    assert not (plugins / "never_named.imported").exists()


def test_the_setting_is_a_list_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLP_TRAINING__ENVIRONMENT_MODULES", "highway_env, ale_py")
    assert read_settings().training.environment_modules == ("highway_env", "ale_py")
    monkeypatch.setenv("RLP_TRAINING__ENVIRONMENT_MODULES", "highway_env;ale_py")
    with pytest.raises(InvalidRequest, match="RLP_TRAINING__ENVIRONMENT_MODULES: accepted are"):
        read_settings()
