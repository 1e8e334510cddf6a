"""Files that a program wrote, as the guest sends them. What comes is validated: only the guest writes to the pipe, but
it stands closest to the program."""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.outcomes import Captured
from rlplatform.sandbox.guest import protocol
from rlplatform.sandbox.models import MAX_OUTPUT_FILE_BYTES, FileFault, OutputFile

_FAULTS = {
    protocol.NO_FILE: FileFault.MISSING,
    protocol.NOT_REGULAR: FileFault.NOT_REGULAR,
    protocol.UNREADABLE: FileFault.UNREADABLE,
    protocol.TOO_LARGE: FileFault.TOO_LARGE,
}


def pipe_bytes(paths: Sequence[str]) -> int:
    """Return how many bytes the guest writes for ``paths`` at the most."""
    return MAX_OUTPUT_FILE_BYTES + len(paths) * protocol.RECORD.size


def parse_outputs(captured: Captured, paths: Sequence[str]) -> dict[str, OutputFile]:
    """Return the files of ``paths``.

    Raises:
        SandboxFault: the guest sent something else than a record for each path.
    """
    data = memoryview(captured.data)
    found: dict[str, OutputFile] = {}
    at = 0
    for path in paths:
        if len(data) - at < protocol.RECORD.size:
            raise SandboxFault("the sandbox did not send all output files")
        kind, size = protocol.RECORD.unpack_from(data, at)
        at += protocol.RECORD.size
        if kind == protocol.FILE and size <= len(data) - at:
            found[path] = bytes(data[at : at + size])
        elif kind in _FAULTS and size == 0:
            found[path] = _FAULTS[kind]
        else:
            raise SandboxFault("the sandbox sent a malformed output file")
        at += size
    if at != len(data) or captured.truncated:
        raise SandboxFault("the sandbox sent more than the output files")
    return found
