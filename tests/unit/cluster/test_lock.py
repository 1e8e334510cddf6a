import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cluster.lock import _pin

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [*PROJECT["dependencies"]] + [
    line for extra in ("server", "export", "dev") for line in PROJECT["optional-dependencies"][extra]
]


def locked() -> dict[str, str]:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


@pytest.mark.parametrize("asked", ASKED)
def test_the_lock_file_has_what_is_asked_for(asked: str) -> None:
    requirement = Requirement(asked)
    version = locked().get(canonicalize_name(requirement.name))
    assert version is not None, "run 'make lock'"
    assert requirement.specifier.contains(version), "run 'make lock'"


def test_the_lock_file_names_no_address() -> None:
    assert not re.search(r"://|@", (ROOT / "requirements.lock").read_text())


@pytest.mark.parametrize(
    ("frozen", "pinned"),
    [
        ("numpy==2.1.0", "numpy==2.1.0"),
        ("torch==2.13.0+cpu", "torch==2.13.0"),
        ("torch @ file:///somewhere/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl", "torch==2.13.0"),
    ],
)
def test_a_pin_is_of_no_machine(frozen: str, pinned: str) -> None:
    assert _pin(frozen) == pinned
