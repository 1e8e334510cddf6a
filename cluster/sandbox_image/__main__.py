"""``python -m cluster.sandbox_image [FLAVOUR …]``: builds the sandbox images that are not up to date."""

from __future__ import annotations

import argparse
import sys
import time

from rlplatform.errors import PlatformError
from rlplatform.sandbox.engine import Engine
from rlplatform.sandbox.images import build
from rlplatform.sandbox.models import Flavour
from rlplatform.settings import read_settings


def main(arguments: list[str] | None = None) -> int:
    """Build; 0 when all images are there."""
    parser = argparse.ArgumentParser(prog="python -m cluster.sandbox_image", description="Build the sandbox images.")
    parser.add_argument("flavours", nargs="*", metavar="FLAVOUR", help=f"any of {', '.join(Flavour)}; default: python")
    names = parser.parse_args(arguments).flavours or [Flavour.PYTHON.value]
    started = time.monotonic()

    def progress(line: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - started:6.1f} s] {line}\n")

    try:
        flavours = [Flavour(name) for name in names]
    except ValueError:
        parser.error(f"flavours are {', '.join(Flavour)}, not {' '.join(names)}")
    try:
        engine = Engine(read_settings().sandbox.docker_host, timeout_s=600)
        for flavour in flavours:
            build(engine, flavour, progress)
    except PlatformError as error:
        sys.stderr.write(f"sandbox image: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
