"""``python -m cluster run [--exit]``: start the platform and run the main job for everyone to see; then stay up."""

from __future__ import annotations

import argparse
import sys
import threading

from cluster.bootstrap import Platform, ignoring_interrupts, interruptible
from cluster.demo import main_job
from rlplatform.cli import render
from rlplatform.cli.follow import Interrupted
from rlplatform.errors import PlatformError
from rlplatform.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: done; 1: the job failed; 5: the platform could not be started; 130: interrupted before its end."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description="The platform on this machine.")
    command = parser.add_subparsers(dest="command", required=True).add_parser("run", help=main_job.__doc__)
    command.add_argument("--exit", action="store_true", help="leave after the job")
    options = parser.parse_args(arguments)
    platform = Platform(Settings(), render.step)
    with interruptible():
        try:
            address = platform.start()
            done = main_job(address)
            if options.exit:
                return 0 if done else 1
            render.step(f"the platform stays up at {address.url} until Ctrl-C; the API key is {address.api_key}")
            render.step("try: .venv/bin/rlp runs ls")
            threading.Event().wait()
            return 0
        except (KeyboardInterrupt, Interrupted):
            return 130
        except PlatformError as error:
            render.step(f"error: {error}")
            return 5
        finally:
            with ignoring_interrupts():
                platform.stop()


if __name__ == "__main__":
    sys.exit(main())
