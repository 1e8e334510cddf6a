"""Comparison of programs in a process of its own, with limits of time and memory.

The process gets the programs as JSON on its standard input, and answers with JSON. A program on which the tokenizer
hangs or the memory runs out ends that process alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from pydantic import TypeAdapter

from rlplatform.assignments.similarity.ports import Comparison, Program
from rlplatform.errors import Unavailable

WALL_S = 600
MEMORY_BYTES = 4 << 30
_MAIN = "import sys; sys.path[:] = {path}; from rlplatform.assignments.similarity.process import main; main()"
_COMPARISON = TypeAdapter(Comparison)


class ComparisonProcess:
    """Implements the ``ProgramComparer`` port."""

    def __init__(self, wall_s: float = WALL_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._wall_s = wall_s
        self._memory_bytes = memory_bytes

    async def compare(self, programs: Sequence[Program], given: Program, min_similarity: float) -> Comparison:
        """Return the pairs that are alike (see the port)."""
        asked = {
            "programs": [program._asdict() for program in programs],
            "given": given._asdict(),
            "min_similarity": min_similarity,
            "memory_bytes": self._memory_bytes,
        }
        with tempfile.TemporaryDirectory(prefix="rlp-similarity-") as folder:
            process = subprocess.Popen(
                [sys.executable, "-c", _MAIN.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
            try:
                answer, errors = await asyncio.to_thread(
                    _communicate, process, json.dumps(asked).encode(), self._wall_s
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(f"the comparison took longer than {self._wall_s:g} s") from None
            finally:
                process.kill()  # also if the caller is cancelled: the thread ends with the process
        if process.returncode != 0:
            why = errors.decode(errors="replace").strip().rpartition("\n")[2][:300]
            raise Unavailable(f"the programs could not be compared: {why or f'exit status {process.returncode}'}")
        return _COMPARISON.validate_json(answer)


def _communicate(process: subprocess.Popen[bytes], request: bytes, wall_s: float) -> tuple[bytes, bytes]:
    """Send the request and return standard output and error once the process has ended. Blocking.

    Raises:
        TimeoutExpired: it took longer than ``wall_s`` seconds, and was killed.
    """
    try:
        return process.communicate(request, wall_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def _environment(folder: str) -> dict[str, str]:
    """Return the variables of the process: nothing of the platform's own."""
    return {
        "PATH": os.defpath,
        "HOME": folder,
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": folder,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }


def main() -> None:
    """Answer the request on standard input."""
    asked = json.load(sys.stdin)
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_DATA, (asked["memory_bytes"],) * 2)
    from rlplatform.assignments.similarity.comparison import (
        compare,
    )  # imports what the platform's process does not need

    programs = [Program(**program) for program in asked["programs"]]
    answer = compare(programs, Program(**asked["given"]), asked["min_similarity"])
    sys.stdout.buffer.write(_COMPARISON.dump_json(answer))
