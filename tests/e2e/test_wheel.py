"""The wheel: ``rlplatform`` alone, typed, with ``rlp`` as a client. The server comes with an editable installation."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Missing
from tests.e2e.local import serving
from tests.unit.test_bare_install import bare_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
PACKAGES = ("rlplatform", "actors", "serve_apps", "cluster")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources: building leaves files beside them."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "dist")
        )
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, missing: Missing) -> Path:
    """The wheel that ``pip`` builds of the checkout."""
    pip([], "wheel", "--wheel-dir", str(checkout / "wheels"), str(checkout), missing=missing)
    return next((checkout / "wheels").glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and what it declares."""
    python, packages = bare_environment(tmp_path_factory.mktemp("environment"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    return python


def pip(options: list[str], *command: str, missing: Missing) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *options, command[0], "--quiet", "--no-deps", *command[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found for setuptools" in done.stderr:
        missing("building needs a package index with setuptools")
    assert done.returncode == 0, done.stderr


def test_the_wheel_has_rlplatform_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        top = next(name for name in names if name.endswith("top_level.txt"))
        assert archive.read(top).decode().split() == ["rlplatform"]
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"rlplatform"}
    assert "rlplatform/py.typed" in names
    assert "rlplatform/examples/__main__.py" in names
    assert "rlplatform/environments/environments.json" in names


@pytest.mark.anyio
async def test_rlp_works_as_a_client_from_the_wheel(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "double.py"
    program.write_text("print(int(input()) * 2)\n")
    async with serving() as local:
        command = [str(program), "--stdin", "2", "--expect", "4", "--json"]
        rlp = await asyncio.create_subprocess_exec(
            *[str(python), "-I", "-c", "from rlplatform.cli.main import main; main()", "evaluate", *command],
            cwd=tmp_path,
            env={**os.environ, "RLP_URL": local.url, "RLP_API_KEY": local.key},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = await rlp.communicate()
    assert rlp.returncode == 0, errors.decode()
    assert json.loads(output.splitlines()[-1])["verdict"] == "accepted"


def test_rlp_serve_from_the_wheel_says_where_the_server_is(python: Path, tmp_path: Path) -> None:
    for command in ("serve", "doctor"):
        done = subprocess.run(
            [str(python), "-I", "-c", "from rlplatform.cli.main import main; main()", command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 5
        assert "It runs from a checkout of the repository: make run" in " ".join(done.stderr.split())


def test_a_type_checker_sees_the_types_of_the_wheel(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from rlplatform.client import Client\n\n"
        "with Client() as client:\n"
        "    reveal_type(client.training('train_1').progress.env_steps)\n"
    )
    mypy = [str(Path(sys.executable).with_name("mypy")), "--strict", "--python-executable", str(python), "program.py"]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(mypy, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Revealed type is "int"' in done.stdout.replace("builtins.", "")


def test_an_editable_installation_has_the_server_too(checkout: Path, tmp_path: Path, missing: Missing) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip(["--python", str(python)], "install", "--editable", str(checkout), missing=missing)
    imports = "; ".join(f"import {name}; print({name}.__file__)" for name in PACKAGES)
    done = subprocess.run([str(python), "-I", "-c", imports], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(checkout / name / "__init__.py") for name in PACKAGES], done.stderr
