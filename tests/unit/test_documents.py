"""The pages for people: their links lead somewhere, and the paths and commands that they name exist."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from rlplatform.cli.main import app
from rlplatform.examples.__main__ import EXAMPLES
from rlplatform.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("rlplatform", "actors", "serve_apps", "cluster", "tests", "docs")
PAGES = [
    page
    for page in (*ROOT.glob("*.md"), *(page for package in PACKAGES for page in (ROOT / package).rglob("*.md")))
    if "node_modules" not in page.parts
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def links(page: Path) -> Iterator[str]:
    """The targets of the links and images of a page, except those of other sites."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as Git hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(rf"(?<!Create )`((?:{'|'.join(PACKAGES)})/[\w/.-]+)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    unknown = []
    for words in re.findall(r"(?:`|^|/)rlp((?: [a-z][a-z-]*)+)", page.read_text(), re.M):
        command = get_command(app)
        for word in words.split():
            commands = getattr(command, "commands", None)
            if commands is None:
                break
            if word not in commands:
                unknown.append(f"rlp{words}")
                break
            command = commands[word]
    assert unknown == []


def test_the_readme_lists_every_example() -> None:
    table = re.findall(r"^\| `(\w+)` \| (?!\d)", (ROOT / "README.md").read_text().partition("examples`")[2], re.M)
    assert table[: len(EXAMPLES)] == list(EXAMPLES)


def test_pictures_are_small() -> None:
    pictures = [path for path in (ROOT / "docs" / "images").iterdir() if path.suffix in (".png", ".svg")]
    assert pictures
    assert sum(path.stat().st_size for path in pictures) <= 600_000


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for page in PAGES for name in re.findall(r"`make ([\w-]+)", page.read_text())}
    assert named <= targets


NAMED_TEST = re.compile(r"`(?:((?:\w+/)*test_\w+)(?:\.py)?::)?((?:\w+/)*test_\w+)(?:\.py)?(…?)`")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    """``FILE::TEST``, or a file or a test alone; ``…`` stands for the rest of a name."""
    paths = [path for folder in (ROOT / "tests", ROOT / "rlplatform" / "testing") for path in folder.rglob("*.py")]
    unknown = []
    for file, name, more in NAMED_TEST.findall(page.read_text()):
        files = [path for path in paths if f"/{path.with_suffix('')}".endswith(f"/{file or name}")]
        function = re.compile(rf"def {name.rpartition('/')[2]}{'' if more else chr(92) + '('}")
        searched = files if file else paths
        if not (files and not file) and not any(function.search(path.read_text()) for path in searched):
            unknown.append(f"{file}::{name}" if file else name)
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_modules_in_a_pages_tables_exist(page: Path) -> None:
    """Tables with a first column ``module`` list files and folders beside the page, with or without a suffix."""
    unknown = []
    for table in re.findall(r"^\| module \|.*\n\|[ -|]*\n((?:\|.*\n)*)", page.read_text(), re.M):
        for row in table.splitlines():
            for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
                if not (page.parent / name).exists() and not (page.parent / f"{name}.py").exists():
                    unknown.append(name)
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_dotted_names_in_a_page_exist(page: Path) -> None:
    text = page.read_text()
    created = [path.replace("/", ".") for path in re.findall(r"^Create `([\w/]+)\.py`", text, re.M)]
    unknown = []
    for name in re.findall(r"(?<![\w/.])(?:rlplatform|actors|serve_apps|cluster)(?:\.\w+)+", text):
        place, rest = ROOT, name.split(".")
        while rest and (place / rest[0]).is_dir():
            place /= rest.pop(0)
        if rest and (place / f"{rest[0]}.py").exists():
            place /= f"{rest.pop(0)}.py"
        source = place if place.is_file() else place / "__init__.py"
        if rest and name not in created and not (source.exists() and re.search(rf"\b{rest[0]}\b", source.read_text())):
            unknown.append(name)
    assert unknown == []


def setting_names(model: type[BaseModel], prefix: str = "RLP_") -> Iterator[str]:
    """The environment variables of a model of settings."""
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        yield variable
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from setting_names(part, f"{variable}__")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_settings_that_a_page_names_exist(page: Path) -> None:
    """A name that ends in ``…`` stands for all that begin so."""
    known = set(setting_names(Settings))
    named = re.findall(r"\b(RLP_[A-Z]+__[A-Z_]*)(…?)", page.read_text())
    unknown = [
        name
        for name, more in named
        if name not in known and not (more and any(variable.startswith(name) for variable in known))
    ]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_calls_that_a_page_names_exist(page: Path) -> None:
    """``POST /v1/…`` in backquotes; braces hold an id, or a choice."""
    document = json.loads((ROOT / "serve_apps" / "api" / "openapi.json").read_text())
    known = {(method, re.sub(r"{\w+}", "ID", path)) for path, found in document["paths"].items() for method in found}
    unknown = []
    for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^\s`?]+)", page.read_text()):
        pattern = re.escape(re.sub(r"{[^,}]+}", "ID", path)).replace(r"\{", "(").replace(r"\}", ")").replace(",", "|")
        if not any(verb == method.lower() and re.fullmatch(pattern, called) for verb, called in known):
            unknown.append(f"{method} {path}")
    assert unknown == []


def test_the_layers_of_the_architecture_are_those_that_the_linter_enforces() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    enforced = next(contract["layers"] for contract in contracts if contract.get("containers") == ["rlplatform"])
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("Inside `rlplatform`, top down:")[2]
    rows = re.findall(r"^\|([^|]+)\|", text.partition("\n\n")[2].partition("\n\n")[0], re.M)[2:]
    shown = [re.findall(r"`(\w+)`", row) for row in rows]
    assert [set(row) for row in shown] == [set(layer.split(" | ")) for layer in enforced]


def test_the_page_of_settings_lists_every_setting() -> None:
    listed = re.findall(r"^\| `(RLP_\w+)` \|", (ROOT / "docs" / "settings.md").read_text().partition("## All")[2], re.M)
    assert sorted(listed) == sorted(name for name in setting_names(Settings) if not is_section(name))


def is_section(name: str) -> bool:
    return any(other.startswith(f"{name}__") for other in setting_names(Settings))
