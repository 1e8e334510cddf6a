"""Memory that a sandbox shares with the host: of fixed size, so that no write elsewhere can make reading it fail."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Mapping
from typing import Any

from rlplatform.environments.sandboxed.guest.memory import Arrays, memory_bytes, views

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class SharedMemory:
    """Arrays of one plan in an anonymous file, which is sealed: nobody can change its size."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.size_bytes = memory_bytes(plan)
        self.descriptor = os.memfd_create("rlp-environment", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, self.size_bytes)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
            self.arrays: Arrays = views(mmap.mmap(self.descriptor, self.size_bytes), plan)
        except BaseException:
            os.close(self.descriptor)
            raise

    def close(self) -> None:
        """Release it. Idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
            self.arrays = {}
