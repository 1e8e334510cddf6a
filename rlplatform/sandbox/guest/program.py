"""The submission's files, as they came from the host: bytes, never parsed by the zygote itself."""

from __future__ import annotations

import json
import os
import sys

BOX = "/box"


class Program:
    """Relative paths and contents; ``entry`` is what is run."""

    def __init__(self, archive: bytes, entry: str) -> None:
        header, _, body = archive.partition(b"\n")
        self.entry = entry
        self.files: dict[str, bytes] = {}
        start = 0
        for path, size in json.loads(header):
            self.files[path] = body[start : start + size]
            start += size
        self.entries = len(self.files) + len({folder for path in self.files for folder in _folders(path)})
        """Files and folders that :meth:`unpack` makes."""

    def unpack(self) -> None:
        """Write the files below the box, which is the working directory."""
        for path, content in self.files.items():
            folder = os.path.dirname(path)
            if folder:
                os.makedirs(folder, exist_ok=True)
            target = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            while content:
                content = content[os.write(target, content) :]
            os.close(target)

    def shadow(self) -> None:
        """Let the submission's modules win over preloaded ones of the same name, as they do in a plain interpreter."""
        for path in self.files:
            name = path.partition("/")[0].removesuffix(".py")
            if name in sys.modules and name not in sys.builtin_module_names and name != "__main__":
                for loaded in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
                    del sys.modules[loaded]


def pack(files: dict[str, bytes]) -> bytes:
    """The archive that :class:`Program` reads."""
    header = json.dumps([[path, len(content)] for path, content in files.items()]).encode()
    return header + b"\n" + b"".join(files.values())


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
