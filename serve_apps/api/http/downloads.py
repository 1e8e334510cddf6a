"""Files made for one download: sent completely or in part, and always removed afterwards, even if the client
disconnects."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from rlplatform.errors import RangeNotSatisfiable

_PREFIX = "rlp-download-"
_RANGES = re.compile(r"bytes=\s*(\d{1,18}-\d{0,18}|-\d{1,18})(\s*,\s*(\d{1,18}-\d{0,18}|-\d{1,18})){0,9}\s*", re.I)


async def made(make: Callable[[Path], Path]) -> Path:
    """Let ``make`` write a file into a new folder, in a thread. The folder is removed if that fails."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{_PREFIX}{os.getpid()}-"))
    making = asyncio.ensure_future(asyncio.to_thread(make, folder))
    try:
        return await asyncio.shield(making)
    except BaseException:
        making.add_done_callback(lambda done: _remove(folder, done))  # a thread that still writes is not stopped
        raise


def remove_left() -> None:
    """Remove the folders of processes that were killed during a download."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


class Download(FileResponse):
    """Sends ``path``, then removes its folder, even if the client disconnects.

    A malformed ``Range`` is ignored, as RFC 9110 requires. A range that begins after the end of the file is 416.
    """

    def __init__(self, path: Path, *, media_type: str, filename: str, headers: Mapping[str, str]) -> None:
        super().__init__(path, media_type=media_type, filename=filename, headers=headers)
        self._folder = path.parent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(self._with_sensible_range(scope), receive, send)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the file and its folder."""
        with suppress(RuntimeError):  # the loop's threads are gone: so is the process, soon
            asyncio.get_running_loop().run_in_executor(None, _remove, self._folder)

    def _with_sensible_range(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        asked, condition = headers.get("range"), headers.get("if-range")
        if asked is None:
            return scope
        size = Path(self.path).stat().st_size
        applies = condition in (None, self.headers.get("etag"), self.headers.get("last-modified"))
        if applies and _RANGES.fullmatch(asked):
            ranges = [part.strip().split("-") for part in asked.partition("=")[2].split(",")]
            backwards = any(first and last and int(last) < int(first) for first, last in ranges)
            possible = [int(first) < size if first else int(last) > 0 and size > 0 for first, last in ranges]
            if not backwards and not any(possible):
                raise RangeNotSatisfiable(f"the file has {size} bytes; {asked[:80]!r} is beyond its end", size=size)
            if not backwards and all(possible):
                return scope
        kept = [pair for pair in scope["headers"] if pair[0].lower() != b"range"]
        return {**scope, "headers": kept}


def _remove(folder: Path, *_: object) -> None:
    shutil.rmtree(folder, ignore_errors=True)
