"""The submission's files, as they came from the host: bytes, never parsed by the zygote itself."""

from __future__ import annotations

import json
import os
import sys

from . import values

BOX = "/box"
INTERRUPTED = 256  # no exit status: KeyboardInterrupt was not caught

_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Program:
    """Relative paths and contents; ``entry`` is what is run, and the names of what is compiled end with ``suffix``.
    ``links`` lead from paths in the box to files outside of it, which can only be read.

    All that follows from them is worked out once, at the beginning: each page of memory that a child touches is a page
    to copy.
    """

    def __init__(self, archive: bytes, entry: str, suffix: str, links: dict[str, str]) -> None:
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
            if path.endswith(suffix) and path != entry:
                self.sources.append(path)
        self._links = links
        self.paths = [*self.files, *links]
        """Paths of all files and links."""
        for path in self.paths:
            name, slash, _ = path.partition("/")
            if slash:
                self._folders |= dict.fromkeys(_folders(path))
            name = name.removesuffix(".py")
            if name in sys.modules and name not in sys.builtin_module_names and name != "__main__":
                self._shadowed.append(name)
        self.entries = len(self.paths) + len(self._folders)
        """Files, links and folders that :meth:`unpack` makes."""

    @property
    def is_flat(self) -> bool:
        """True if no file is in a folder."""
        return not self._folders

    def count_more(self, links: dict[str, str]) -> int:
        """Return how many more links and folders :meth:`unpack` makes for the links of one test."""
        return len(links) + len({folder for path in links for folder in _folders(path)} - self._folders.keys())

    def unpack(self, links: dict[str, str] | None = None) -> None:
        """Write the files below the box, which is the working directory; ``links`` are those of one test."""
        for folder in self._folders:
            os.mkdir(folder)
        for path, target_path in self._links.items():
            os.symlink(target_path, path)
        for path, target_path in links.items() if links else ():
            if folder := path.rpartition("/")[0]:
                os.makedirs(folder, exist_ok=True)
            os.symlink(target_path, path)
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


class Request:
    """A function call that the host asks for."""

    def __init__(self, data: bytes) -> None:
        nonce, function, args, kwargs = data.split(b"\n")
        self.nonce = nonce
        self.function = function.decode()
        self.args = values.decode(args)
        self.kwargs = values.decode(kwargs)


def pack(files: dict[str, bytes]) -> bytes:
    """The archive that :class:`Program` reads."""
    header = json.dumps([[path, len(content)] for path, content in files.items()]).encode()
    return header + b"\n" + b"".join(files.values())


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
