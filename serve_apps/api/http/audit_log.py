"""Audit log: one line for every request that changes something or tries to, with principal, action and result."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from logging.handlers import WatchedFileHandler
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import Scope

_LOG = logging.getLogger("rlplatform.audit")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ACTING = "/act"  # a POST for its body's sake: a policy's answer changes nothing


def keep(path: Path) -> None:
    """Append the log to ``path`` from now on; any number of processes may do so at once.

    If the file cannot be written, the log goes to standard error. If the file was moved away, a new one is started.
    """
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        handler = WatchedFileHandler(path, encoding="utf-8")
    except OSError as error:
        logging.getLogger("rlplatform.api").warning("the audit log goes to standard error: %s", error)
        handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)


def note(scope: Scope, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Log an answer with the address of the created resource, unless its request changes nothing."""
    if scope["method"] in _READING or scope["path"].endswith(_ACTING):
        return
    who = scope["state"].get("principal")
    path = quote(scope["path"], safe="/:")
    made = Headers(raw=list(headers)).get("location", path)
    _LOG.info(
        "%s %s by %s of %s: %d%s [%s]",
        scope["method"],
        path,
        who.id if who else "nobody",
        who.tenant if who else "no tenant",
        status,
        f" {made}" if made != path else "",
        scope["state"]["request_id"],
    )
