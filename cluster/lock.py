"""Writes ``requirements.lock``: what pip resolves for all extras in a new virtual environment (``make lock``)."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Every package of every extra, pinned. Made by 'make lock'; not for hands.\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-q", "-e", f"{ROOT}[server,export,dev]"], check=True)
        frozen = subprocess.run(
            [*pip, "freeze", "--exclude", "rlplatform", "--exclude", "pip"], check=True, capture_output=True, text=True
        ).stdout
    pinned = [_pin(line) for line in frozen.splitlines() if not line.startswith(("-e", "#"))]
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(pinned) + "\n")


def _pin(line: str) -> str:
    """``name==version`` without a build's local label: ``+cpu`` is of this machine."""
    name, _, rest = line.partition(" @ ")
    if rest:
        version = re.search(rf"{re.escape(name)}-([0-9][^-+]*)", rest.replace("_", "-"))
        if not version:
            raise ValueError(f"no version in {line}")
        return f"{name}=={version[1]}"
    return re.sub(r"\+[a-z0-9.]+$", "", line)


if __name__ == "__main__":
    main()
