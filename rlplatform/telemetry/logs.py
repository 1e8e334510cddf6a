"""Logs as JSON, one object a line, in one file for each kind of process, without secrets."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

from rlplatform.settings import Settings
from rlplatform.telemetry.log_context import FIELDS, current
from rlplatform.telemetry.scrubbing import Scrubber, secrets_of


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, process, message and ids (``log_context``).

    Args:
        process: Kind of the process, ``supervisor`` for example.
        secrets: Texts that never appear in a line.
    """

    def __init__(self, process: str, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._process = process
        self._without_secrets = Scrubber(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = record.exc_text or self.formatException(record.exc_info)
        ids = {**current(), **{name: value for name in FIELDS if (value := getattr(record, name, None))}}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": self._without_secrets(message),
            **{name: self._without_secrets(str(ids[name])) for name in FIELDS if name in ids},
            **getattr(record, "fields", {}),
        }
        if record.exc_text:
            line["exception"] = self._without_secrets(record.exc_text)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(settings: Settings, process: str) -> None:
    """Have this process write its log as the settings say; with the format ``plain`` nothing is changed. Idempotent.

    If the file cannot be written, lines go to standard error.
    """
    if settings.logs.format != "json":
        return
    root = logging.getLogger()
    if any(isinstance(handler.formatter, JsonFormatter) for handler in root.handlers):
        return
    handler = _handler((settings.logs.folder or settings.state_dir / "logs").absolute() / f"{process}.jsonl")
    handler.setFormatter(JsonFormatter(process, secrets_of(settings)))
    root.addHandler(handler)
    root.setLevel(settings.logs.level)


def _handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return WatchedFileHandler(path, encoding="utf-8")
    except OSError:
        return logging.StreamHandler(sys.stderr)
