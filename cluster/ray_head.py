"""``python -m cluster.ray_head OPTIONS``: ``ray start --head OPTIONS``, with Redis' password on no command line.

Ray takes the password as an option, and hands it to its processes as one; ``ps`` shows options to every user of the
machine. Here it is read from a file of secrets, and given to the one process that needs it in its environment.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ray._private import ray_constants, services
from ray.scripts.scripts import cli

from rlplatform.settings import secrets_folder

FILE = "redis_password"
_OPTION = "redis_password"


def main(arguments: Sequence[str]) -> None:
    """Start the head; returns only if Ray does, or raises ``SystemExit``."""
    file = secrets_folder() / FILE
    try:
        password = file.read_text().strip()
    except OSError as error:
        sys.exit(f"Redis' password is read from {file}: {error}")
    services.start_ray_process = partial(start_without_password, services.start_ray_process, password)
    cli.main(["start", "--head", f"--redis-password={password}", *arguments], prog_name="ray")


def start_without_password(
    start: Callable[..., Any],
    password: str,
    command: Sequence[str],
    process_type: str,
    *args: Any,
    env_updates: dict[str, str] | None = None,
    **kwargs: Any,
) -> Any:
    """Call Ray's ``start`` with a command that lacks the password; Ray's head reads it from its environment."""
    command = without_password(command, password)
    if process_type == ray_constants.PROCESS_TYPE_GCS_SERVER:
        command.append(f"--fromenv={_OPTION}")
        env_updates = {**(env_updates or {}), f"FLAGS_{_OPTION}": password}
    return start(command, process_type, *args, env_updates=env_updates, **kwargs)


def without_password(command: Sequence[str], password: str) -> list[str]:
    """Return ``command`` without options that hold the password, also within the commands that it passes on."""
    option = re.compile(rf"(?:^|\s)-\S*password={re.escape(password)}(?=\s|$)")
    words = [option.sub("", word) for word in command]
    return [word for word, before in zip(words, command, strict=True) if word or not before]


if __name__ == "__main__":
    main(sys.argv[1:])
