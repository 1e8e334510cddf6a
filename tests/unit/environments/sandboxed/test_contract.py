"""The checks of an environment's contract, on environments that break one of them each."""

import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from rlplatform.environments.sandboxed.guest.contract import CHECKS, check
from tests.unit.environments.sandboxed.environments import GRID

SOUND = dict.fromkeys(CHECKS)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    made = sys.modules["mine"] = types.ModuleType("mine")
    yield made
    del sys.modules["mine"]


def problems(module: types.ModuleType, text: str) -> dict[str, str | None]:
    exec(text, module.__dict__)
    return {name: check(name, "mine:Grid", {})["problem"] for name in CHECKS}


def test_a_sound_environment_passes_and_its_facts_are_told(module: types.ModuleType) -> None:
    exec(GRID, module.__dict__)
    found: dict[str, Any] = {name: check(name, "mine:Grid", {}) for name in CHECKS}
    assert {name: facts["problem"] for name, facts in found.items()} == SOUND
    assert found["spaces"]["spaces"]["action"] == {"kind": "discrete", "n": 2, "start": 0}
    assert found["endings"]["episodes"] > 10
    assert found["step_rate"]["steps_per_s"] > 1000


@pytest.mark.parametrize(
    ("broken", "old", "new", "said"),
    [
        ("spaces", "return self._see(), {}", "return {'place': 99, 'sight': 0}, {}", "not in its observation_space"),
        ("spaces", "gym.spaces.Discrete(2)", "gym.spaces.Text(3)", "cannot be trained on"),
        ("spaces", "return self._see(), {}", "return self._see()", "it returns an observation and a dict"),
        ("spaces", "super().reset(seed=seed)", "1 / 0", "ZeroDivisionError"),
        ("spaces", ", *, seed=None, options=None", "", "it takes the keywords seed and options"),
        ("seeding", "super().reset(seed=seed)", "super().reset()", "call super().reset(seed=seed)"),
        ("determinism", "float(done)", "float(np.random.rand())", "self.np_random alone"),
        ("copies", "self.place = 0", "Grid.place = 0", "keep all state in self"),
        ("endings", "done, False, {}", "int(done), False, {}", "it is True or False"),
        ("rewards", "float(done)", "float('nan')", "it must be finite"),
        ("rewards", "float(done)", "'much'", "it is a number"),
    ],
)
def test_what_breaks_the_contract_is_told_with_what_to_do(
    module: types.ModuleType, broken: str, old: str, new: str, said: str
) -> None:
    text = GRID.replace(old, new)
    if broken == "copies":
        text = text.replace("self.place", "Grid.place")
    assert text != GRID
    problem = problems(module, text)[broken]
    assert problem is not None
    assert said in problem


def test_an_environment_that_never_ends_an_episode_passes_with_a_note(module: types.ModuleType) -> None:
    exec(GRID.replace("done = self.place == self.goal", "done = False"), module.__dict__)
    found = check("endings", "mine:Grid", {})
    assert found["problem"] is None
    assert "truncate after max_episode_steps" in found["note"]


def test_a_missing_class_is_told(module: types.ModuleType) -> None:
    assert "mine defines no Grid" in str(check("spaces", "mine:Grid", {})["problem"])
