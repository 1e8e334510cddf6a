"""Print what the package and some of its extras require: ``python cluster/requirements.py [EXTRA …]``.

The Dockerfile installs this before it copies the sources, so that a change of code does not install all packages again.
Standard library only; run from the folder of ``pyproject.toml``.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(extras: list[str], project_file: Path = Path("pyproject.toml")) -> list[str]:
    """Return the requirements of the package, then those of ``extras``.

    Raises:
        KeyError: there is no such extra.
    """
    project = tomllib.loads(project_file.read_text())["project"]
    return [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(sys.argv[1:])) + "\n")
