"""The lock file: complete, consistent, and enough on a machine that has nothing but a package index."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cluster.requirements import requirements
from tests.conftest import Missing

ROOT = Path(__file__).parents[3]
EXTRAS = list(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
SERVER = ["server", "export"]
DEBIAN_PYTHON = Path("/usr/bin/python3.11")


def versions(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def locked() -> dict[str, str]:
    return versions(ROOT / "requirements.lock")


def resolve(python: Path, extras: list[str], folder: Path) -> dict[str, str]:
    """Resolve the package with ``extras`` for ``python`` from the package index alone: no local wheels, no settings.

    Returns:
        The version of each package that would be installed. All of them have wheels for ``python``.
    """
    wanted, answer = folder / "wanted.txt", folder / "answer.txt"
    wanted.write_text("\n".join(requirements(extras, ROOT / "pyproject.toml")))
    plain = ["--no-config", "--no-annotate", "--no-header", "--quiet", "--only-binary", ":all:"]
    places = ["--python", str(python), "-c", str(ROOT / "requirements.lock"), "-o", str(answer), str(wanted)]
    done = subprocess.run(
        [uv.find_uv_bin(), "pip", "compile", *plain, *places],
        env={name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHONPATH"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return versions(answer)


@pytest.mark.parametrize("asked", requirements(EXTRAS, ROOT / "pyproject.toml"))
def test_the_lock_file_has_each_requirement_at_an_accepted_version(asked: str) -> None:
    requirement = Requirement(asked)
    version = locked().get(canonicalize_name(requirement.name))
    assert version is not None, "run 'make lock'"
    assert requirement.specifier.contains(version), "run 'make lock'"


def test_the_lock_file_names_no_address_and_no_local_build() -> None:
    assert not re.search(r"://|@|\+", (ROOT / "requirements.lock").read_text())


def test_the_server_resolves_on_debians_own_python_from_a_plain_index(tmp_path: Path, missing: Missing) -> None:
    if not DEBIAN_PYTHON.exists():
        missing(f"no {DEBIAN_PYTHON}: Debian 12's own Python")
    found = resolve(DEBIAN_PYTHON, SERVER, tmp_path)
    assert found.items() <= locked().items(), "something is not locked, or locked at another version"
    assert {"torch", "ray", "envpool", "onnx"} <= found.keys()
    assert any(name.startswith("nvidia-") for name in found), "torch of a plain index needs its CUDA libraries"
    assert not {"pytest", "mypy", "moto", "flask", "hypothesis", "uv"} & found.keys()


def test_all_extras_resolve_together_on_this_python_from_a_plain_index(tmp_path: Path) -> None:
    found = resolve(Path(sys.executable), EXTRAS, tmp_path)
    assert found.items() <= locked().items()


def test_an_unknown_extra_has_no_requirements() -> None:
    with pytest.raises(KeyError, match="no-such-extra"):
        requirements(["no-such-extra"], ROOT / "pyproject.toml")
