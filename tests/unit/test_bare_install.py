"""The base installation: an environment with what it declares, and nothing else, has the client and ``rlp``."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SERVER = {"ray", "torch", "fastapi", "starlette", "uvicorn", "gymnasium", "numpy", "redis", "docker", "pyarrow"}


def closure() -> dict[str, Distribution]:
    """The distributions that ``pip install rlplatform`` brings, as installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    found: dict[str, Distribution] = {}
    while waiting:
        requirement = waiting.pop()
        key = requirement.name.lower().replace("_", "-")
        wanted = ["", *requirement.extras]
        if key in found and not requirement.extras:
            continue
        found[key] = distribution(requirement.name)
        for text in found[key].requires or ():
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in wanted):
                waiting.append(inner)
    return found


def bare_environment(folder: Path) -> tuple[Path, Path]:
    """An environment in ``folder`` that holds the closure alone; its Python, and where its packages are."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for found in closure().values():
        for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))))
    return folder / "bin" / "python", packages


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the closure and the package alone."""
    python, packages = bare_environment(tmp_path_factory.mktemp("bare"))
    (packages / "rlplatform").symlink_to(ROOT / "rlplatform")
    return python


def run(python: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=python.parent)


def test_the_base_declares_nothing_of_the_server() -> None:
    assert not SERVER & closure().keys()


def test_it_has_the_client_and_the_command(bare: Path) -> None:
    done = run(
        bare, "import rlplatform.client, rlplatform.testing.clock; print(rlplatform.client.AsyncClient.__name__)"
    )
    assert (done.returncode, done.stdout) == (0, "AsyncClient\n"), done.stderr
    done = run(bare, "from rlplatform.cli.main import main; main()", "--help")
    assert done.returncode == 0, done.stderr
    assert "sweep" in done.stdout
    assert run(bare, "import ray").returncode == 1, "the environment is not bare"


def test_what_needs_the_server_says_so(bare: Path) -> None:
    for command in ("doctor", "serve"):
        done = run(bare, "from rlplatform.cli.main import main; main()", command)
        assert done.returncode == 5, done.stderr
        assert "the server is not installed here ('cluster' is missing)" in done.stderr
        said = " ".join(done.stderr.split())  # lines break between words
        assert "pip install -c requirements.lock -e '.[server,export]'" in said
