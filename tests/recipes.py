"""Recipes of CONTRIBUTING.md, carried out step by step in a copy of the sources."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("rlplatform", "actors", "serve_apps")

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT.partition("## Recipes\n")[2], re.M | re.S))
STEP = re.compile(
    r"^(?P<verb>Create|Append to|In) `(?P<path>[\w/.-]+)`"
    r"(?:, (?P<place>after|replace) `(?P<line>[^\n]+?)`(?: by)?)?:\n\n"
    r"```\w*\n(?P<code>.*?)```|"
    r"^In `(?P<file>[\w/.-]+)`, before `(?P<next>[^\n`]+)`, insert `(?P<insertion>[^\n`]+)`\.|"
    r"^Check:\n\n```python\n(?P<check>.*?)```",
    re.M | re.S,
)


def copy_sources(folder: Path) -> Path:
    """Copy the packages into ``folder``, to change them there."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            folder / package,
            ignore=shutil.ignore_patterns("node_modules", "__pycache__", "dist", "*.md"),
        )
    return folder


def take(sources: Path, step: re.Match[str]) -> None:
    """Do one step of a recipe."""
    if step["insertion"]:
        path = sources / step["file"]
        assert path.read_text().count(step["next"]) == 1, f"{step['next']!r} is not there once in {step['file']}"
        path.write_text(path.read_text().replace(step["next"], step["insertion"] + step["next"]))
        return
    path, code = sources / step["path"], step["code"]
    if step["verb"] == "Create":
        assert not path.exists(), f"{path} exists"
        path.write_text(code)
        return
    text = path.read_text()
    if step["place"] is None:
        path.write_text(f"{text}\n\n{code}")
        return
    lines = [number for number, line in enumerate(text.splitlines()) if line.strip() == step["line"].strip()]
    assert len(lines) == 1, f"{step['line']!r} is there {len(lines)} times in {step['path']}"
    kept = text.splitlines(keepends=True)
    begin = lines[0] + (1 if step["place"] == "after" else 0)
    path.write_text("".join([*kept[:begin], code, *kept[lines[0] + 1 :]]))


def run(code: str, sources: Path) -> str:
    """Run ``code`` with the changed sources, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=sources,
        env={**os.environ, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def follow(name: str, sources: Path) -> str:
    """Take the steps of a recipe, and return its check."""
    steps = list(STEP.finditer(RECIPES[name]))
    blocks = [step for step in steps if not step["insertion"]]
    assert len(blocks) == RECIPES[name].count("```") // 2, "a block of code is no step"
    (check,) = [step["check"] for step in steps if step["check"]]
    for step in steps:
        if not step["check"]:
            take(sources, step)
    return check
