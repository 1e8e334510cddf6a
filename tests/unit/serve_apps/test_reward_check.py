"""The program with which the page checks a reward function."""

import io
import json
import runpy
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "serve_apps/web/src/rewards/check.py"
SHAPED = "def shaped(before, action, after, own, terminated, truncated):\n    return {}\n"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs the program with a source beside it, and returns what it printed."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(source: str, env: str = "CartPole-v1", entry: str = "shaped") -> str:
        (tmp_path / "reward.py").write_text(source)
        monkeypatch.delitem(sys.modules, "reward", raising=False)
        asked = {"entry": entry, "env": env, "env_config": {}}
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(asked)))
        runpy.run_path(str(PROGRAM), run_name="__main__")
        return capsys.readouterr().out

    yield run
    sys.modules.pop("reward", None)


def test_a_function_is_called_for_steps_of_the_environment(check) -> None:
    assert "rewards from 0.5 to 0.5" in check(SHAPED.format("own / 2"))


def test_an_environment_that_the_sandbox_lacks_is_said(check) -> None:
    assert "is not in the sandbox" in check(SHAPED.format("1 / 0"), env="env_0123")


@pytest.mark.parametrize(
    ("returned", "said"), [("'much'", "no number"), ("None", "no number"), ("float('nan')", "is finite")]
)
def test_a_value_that_is_no_reward_is_refused(check, returned: str, said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        check(SHAPED.format(returned))


def test_a_missing_function_is_named(check) -> None:
    with pytest.raises(SystemExit, match="defines no function 'other'"):
        check(SHAPED.format("own"), entry="other")


@pytest.mark.parametrize("env", ["CartPole-v1", "env_0123"])
def test_a_function_of_other_arguments_is_refused(check, env: str) -> None:
    with pytest.raises(TypeError):
        check("def shaped(obs, action):\n    return 0.0\n", env=env)
