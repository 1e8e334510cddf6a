"""Modules that no type checker reads, benchmarks above all, import names that exist."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("rlplatform", "actors", "serve_apps", "cluster", "tests")
FOLDERS = ("actors", "cluster", "serve_apps", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_modules_import_names_that_exist(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    assert sources
    missing = [
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in sources
        for module, name in imports(path)
        if not exists(module, name)
    ]
    assert not missing


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each ``from module import name`` of our own packages."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            yield from ((node.module, alias.name) for alias in node.names)


def exists(module: str, name: str) -> bool:
    place = ROOT.joinpath(*module.split("."))
    if any((place / each).exists() for each in (name, f"{name}.py")):
        return True
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return source.exists() and name in defined(source)


@cache
def defined(source: Path) -> set[str]:
    """Return the names that a module binds outside of its functions and classes."""
    names: set[str] = set()
    unread: list[ast.AST] = [ast.parse(source.read_text(encoding="utf-8"))]
    while unread:
        node = unread.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        else:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            unread.extend(ast.iter_child_nodes(node))
    return names
