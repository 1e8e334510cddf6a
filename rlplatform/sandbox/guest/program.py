"""The submission's files, as they came from the host: bytes, never parsed by the zygote itself."""

from __future__ import annotations

import json
import os
import sys

BOX = "/box"

_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Program:
    """Relative paths and contents; ``entry`` is what is run. All that follows from them is worked out once, at the
    beginning: each page of memory that a child touches is a page to copy."""

    def __init__(self, archive: bytes, entry: str) -> None:
        header, _, body = archive.partition(b"\n")
        self.entry = entry
        self.files: dict[str, bytes] = {}
        self.sources = [entry]
        """Paths of what is compiled, the entry first."""
        self._folders: dict[str, None] = {}
        self._shadowed: list[str] = []
        start = 0
        for path, size in _decode(header.decode(), 0)[0]:
            self.files[path] = body[start : start + size]
            start += size
            if path.endswith(".py") and path != entry:
                self.sources.append(path)
            name, slash, _ = path.partition("/")
            if slash:
                self._folders |= dict.fromkeys(_folders(path))
            name = name.removesuffix(".py")
            if name in sys.modules and name not in sys.builtin_module_names and name != "__main__":
                self._shadowed.append(name)
        self.entries = len(self.files) + len(self._folders)
        """Files and folders that :meth:`unpack` makes."""

    @property
    def is_flat(self) -> bool:
        """Whether no file is in a folder."""
        return not self._folders

    def unpack(self) -> None:
        """Write the files below the box, which is the working directory."""
        for folder in self._folders:
            os.mkdir(folder)
        for path, content in self.files.items():
            target = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            while content:
                content = content[os.write(target, content) :]
            os.close(target)

    def shadow(self) -> None:
        """Let the submission's modules win over preloaded ones of the same name, as they do in a plain interpreter."""
        if self._shadowed:
            for name in [name for name in sys.modules if name.partition(".")[0] in self._shadowed]:
                del sys.modules[name]


def pack(files: dict[str, bytes]) -> bytes:
    """The archive that :class:`Program` reads."""
    header = json.dumps([[path, len(content)] for path, content in files.items()]).encode()
    return header + b"\n" + b"".join(files.values())


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
