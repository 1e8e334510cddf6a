"""``monitor.csv``: one row per episode, in the format of Stable-Baselines3's ``Monitor``, which the RL Zoo can plot.

The first line is a comment with JSON (``t_start``, ``env_id``). The columns are ``r`` (return), ``l`` (steps), ``t``
(seconds since ``t_start``) and ``iteration``. An engine reports which episodes an iteration ended, but not when, so
their times are spread evenly over the iteration.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

Episode = tuple[float, int]
"""Return and number of steps of an episode."""


class MonitorFile:
    """``monitor.csv`` in the folder ``path``. An existing file is continued."""

    def __init__(self, path: Path) -> None:
        self._path = path / "monitor.csv"
        self._lines: list[str] = []
        self._started: float | None = None
        self._last_s = 0.0
        if self._path.exists():
            self._continue()

    def _continue(self) -> None:
        """Read the header and the last time of an existing file, and drop a row that was not written completely."""
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._path, whole)
        head, *rows = content[:whole].decode().splitlines()
        self._started = json.loads(head.removeprefix("#"))["t_start"]
        if len(rows) > 1:
            self._last_s = float(rows[-1].split(",")[2])

    def begin(self, env: str, time: float) -> None:
        """Write the header of a new file. ``time`` is the start of the training (POSIX, seconds)."""
        if self._started is None:
            self._started = time
            head = json.dumps({"t_start": time, "env_id": env})
            self._path.write_text(f"#{head}\nr,l,t,iteration\n")

    def add(self, episodes: Sequence[Episode], iteration: int, time: float) -> None:
        """Add the episodes that ended in ``iteration``, which ended at ``time`` (POSIX, seconds)."""
        if self._started is None:
            return
        now_s = max(self._last_s, time - self._started)
        step_s = (now_s - self._last_s) / max(1, len(episodes))
        for number, (episode_return, length) in enumerate(episodes, 1):
            at_s = self._last_s + number * step_s
            self._lines.append(f"{episode_return:.6f},{length},{at_s:.6f},{iteration}\n")
        self._last_s = now_s

    def roll_back(self, iteration: int) -> None:
        """Drop the episodes after ``iteration``: a recovery replaces them."""
        self.flush()
        if self._started is None:
            return
        head, columns, *rows = self._path.read_text().splitlines(keepends=True)
        kept = [row for row in rows if int(row.rpartition(",")[2]) <= iteration]
        part = self._path.with_suffix(".part")
        part.write_text("".join([head, columns, *kept]))
        part.replace(self._path)

    def flush(self) -> None:
        """Write the added rows to the file."""
        if self._lines:
            with self._path.open("a") as file:
                file.writelines(self._lines)
            self._lines = []

    def clear(self) -> None:
        """Delete the file, because the whole folder is written again."""
        self._path.unlink(missing_ok=True)
        self._lines, self._started, self._last_s = [], None, 0.0
