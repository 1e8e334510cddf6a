"""Build the sandbox images that are not up to date: ``python -m cluster.sandbox_image [FLAVOUR …]``.

Exit status: 0 if all images are there, 1 if one could not be built, 2 for a usage error. It is 3 if no registry answers
and debootstrap, which could make the base image, is not installed.
"""

from __future__ import annotations

import argparse
import sys
import time

from rlplatform.errors import PlatformError
from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.images.builder import build
from rlplatform.sandbox.images.flavours import USUAL
from rlplatform.sandbox.models import Flavour
from rlplatform.settings import read_settings

NEEDS_DEBOOTSTRAP = 3


def main(arguments: list[str] | None = None) -> int:
    """Build the images that are asked for, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cluster.sandbox_image", description="Build the sandbox images.")
    accepted = f"any of {', '.join(Flavour)}; default: {', '.join(USUAL)}"
    parser.add_argument("flavours", nargs="*", metavar="FLAVOUR", help=accepted)
    names = parser.parse_args(arguments).flavours or list(USUAL)
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
        if error.extra.get("missing") == "debootstrap":
            progress(str(error))
            return NEEDS_DEBOOTSTRAP
        sys.stderr.write(f"sandbox image: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
