"""Recipes of CONTRIBUTING.md do what they promise: each one's check runs in sources that followed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recipes import RECIPES, STEP, copy_sources, follow, run

MOST_LINES = 30


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_does_what_it_promises(name: str, tmp_path: Path) -> None:
    check = follow(name, copy_sources(tmp_path))
    run(check, tmp_path)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_short(name: str) -> None:
    lines = [
        line
        for step in STEP.finditer(RECIPES[name])
        if step["code"]
        for line in step["code"].splitlines()
        if line.strip()
    ]
    assert 0 < len(lines) <= MOST_LINES


def test_there_are_recipes() -> None:
    assert RECIPES
