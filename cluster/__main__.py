"""``python -m cluster run [--exit]``: start the platform and run the main job for everyone to see; then stay up."""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import suppress


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: done; 1: the job failed; 5: the platform could not be started; 130: interrupted before its end."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description="The platform on this machine.")
    command = parser.add_subparsers(dest="command", required=True).add_parser("run", help="start, do the main job")
    command.add_argument("--exit", action="store_true", help="leave after the job")
    options = parser.parse_args(arguments)
    try:
        return run(leave=options.exit)
    except KeyboardInterrupt:
        return 130


def run(*, leave: bool) -> int:
    """Start, do the main job, and stay up unless told to ``leave``."""
    from cluster.bootstrap import Platform, ignoring_interrupts, interruptible  # imports Ray: seconds
    from cluster.demo import main_job
    from rlplatform.cli.follow import Interrupted
    from rlplatform.cli.output import step
    from rlplatform.errors import InvalidRequest, PlatformError
    from rlplatform.settings import read_settings

    try:
        platform = Platform(read_settings(), step)
    except InvalidRequest as error:
        step(f"error: {error}")
        return 2
    with interruptible():
        try:
            address = platform.start()
            done = main_job(address)
            if leave:
                return 0 if done else 1
            step(f"\nThe platform stays up at {address.url} until Ctrl-C. The API key is {address.api_key}")
            step(f"In a browser, signed in: {address.url}/#key={address.api_key}")
            step("On the command line: .venv/bin/rlp runs ls")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
            return 0
        except Interrupted:
            return 130
        except PlatformError as error:
            step(f"error: {error}")
            return 5
        finally:
            with ignoring_interrupts():
                platform.stop()


if __name__ == "__main__":
    sys.exit(main())
