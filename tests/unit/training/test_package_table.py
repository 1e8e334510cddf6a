"""The page about packages of environments."""

from rlplatform.environments.models import EnvironmentInfo
from rlplatform.training.package_table import section


def info(env: str) -> EnvironmentInfo:
    return EnvironmentInfo(id=env, observation_space="Box(4,) float32", action_space="Discrete(2)", backend="gymnasium")


def test_a_package_lists_what_can_be_trained_and_says_why_not_of_the_rest() -> None:
    found = {"A-v0": info("A-v0"), "B-v0": info("B-v0")}
    found |= {env: f"env: grid:{env}'s actions are of Dict; Box is covered" for env in ("C-v0", "D-v0")}
    text = section("grid", "grid 1.0", found, None)
    assert "## `grid` (grid 1.0)" in text
    assert "2 of 4 environments can be trained on." in text
    assert "| `A-v0`, `B-v0` | Box(4,) float32 | Discrete(2) |" in text
    assert "| `C-v0`, `D-v0` | the environment's actions are of Dict; Box is covered |" in text
    assert "It cannot be imported: ImportError: x" in section("grid", None, {}, "It cannot be imported: ImportError: x")


def test_long_lists_are_cut_and_tables_stay_tables() -> None:
    found = {f"E{number:02}-v0": info("E-v0") for number in range(20)}
    found["F-v0"] = "env: a | b\nc"
    text = section("many", None, found, None)
    assert "`E11-v0` and 8 more" in text
    assert r"a \| b c" in text
