"""The ``rlp`` command in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple

RLP = str(Path(sys.executable).with_name("rlp"))


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


async def start(
    directory: Path,
    *arguments: str,
    stdin: int | IO[bytes] = asyncio.subprocess.DEVNULL,
    stdout: int | IO[bytes] = asyncio.subprocess.PIPE,
    **environment: str,
) -> asyncio.subprocess.Process:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RLP_")}
    return await asyncio.create_subprocess_exec(
        RLP,
        *arguments,
        cwd=directory,
        env=plain | environment,
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )


async def rlp(directory: Path, *arguments: str, **environment: str) -> Done:
    process = await start(directory, *arguments, **environment)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
