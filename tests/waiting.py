"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def comes_true(condition: Callable[[], object], within_s: float = 10.0, every_s: float = 0.01) -> bool:
    """Return True as soon as ``condition`` holds; False if it does not within ``with_timeout_s`` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
