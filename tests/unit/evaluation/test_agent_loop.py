"""The loop in front of an agent, as a program of its own: functions, classes, and what is neither."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rlplatform.evaluation.graders import agent_loop


def actions(folder: Path, source: str, observations: list[Any], entry: str = "Agent") -> tuple[list[Any], str]:
    """Return the actions for ``observations``, and what the program wrote to stderr."""
    (folder / "main.py").write_text(source)
    (folder / agent_loop.PATH).write_bytes(agent_loop.source(entry))
    asked = [one if isinstance(one, dict) else {"observation": one} for one in observations]
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run(
        [sys.executable, agent_loop.PATH], cwd=folder, input=lines, capture_output=True, text=True, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_class_is_made_and_reset_once_and_remembers(tmp_path: Path) -> None:
    source = """
class Agent:
    def __init__(self):
        self.seen = [open("weights.txt").read()]
    def reset(self):
        print("reset")
        self.seen.append("reset")
    def act(self, observation):
        self.seen.append(observation)
        return self.seen
"""
    (tmp_path / "weights.txt").write_text("w")
    found, printed = actions(tmp_path, source, [1, 2])
    assert found == [["w", "reset", 1], ["w", "reset", 1, 2]]
    assert printed == "reset\n", "prints do not disturb the wire"


def test_a_class_needs_no_reset_and_a_function_no_class(tmp_path: Path) -> None:
    source = "class Agent:\n    def act(self, observation): return -observation\n\ndef act(o): return o + 1\n"
    assert actions(tmp_path, source, [3]) == ([-3], "")
    assert actions(tmp_path, source, [3], entry="act") == ([4], "")


SIDE_BY_SIDE = [{"episodes": [0, 2], "observations": [5, 6]}, {"episodes": [2], "observations": [7]}]


def test_each_of_many_episodes_has_an_agent_of_its_own(tmp_path: Path) -> None:
    source = """
class Agent:
    def __init__(self): self.seen = []
    def reset(self): self.seen.append("reset")
    def act(self, observation):
        self.seen.append(observation)
        return list(self.seen)
"""
    assert actions(tmp_path, source, SIDE_BY_SIDE)[0] == [[["reset", 5], ["reset", 6]], [["reset", 6, 7]]]


def test_an_agent_may_choose_for_all_episodes_at_once(tmp_path: Path) -> None:
    source = """
class Agent:
    calls = 0
    def act_batch(self, observations):
        self.calls += 1
        return [[self.calls, one] for one in observations]
"""
    assert actions(tmp_path, source, [*SIDE_BY_SIDE, 8])[0] == [[[1, 5], [1, 6]], [[2, 7]], [3, 8]]
    function = "def act(observation): return observation + 1"
    assert actions(tmp_path, function, SIDE_BY_SIDE, entry="act")[0] == [[6, 7], [8]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "main.py defines no function or class 'Agent'"),
        ("Agent = 3", "main.py defines no function or class 'Agent'"),
        ("class Agent: pass", "main.py: class 'Agent' has no method act(self, observation)"),
        ("class Agent:\n    act = 3", "main.py: class 'Agent' has no method act(self, observation)"),
        (
            "class Agent:\n    def __init__(self, size): pass\n    def act(self, o): pass",
            "missing 1 required positional argument: 'size'",
        ),
        ("class Agent:\n    def act(self, o): return 1\n    def reset(self): 1 / 0", "ZeroDivisionError"),
    ],
)
def test_an_agent_that_cannot_act_says_why(tmp_path: Path, source: str, message: str) -> None:
    found, printed = actions(tmp_path, source, [1])
    assert found == []
    assert message in printed
