"""Programs of both sandboxes: this package's guest in front of a suite, and in front of a submission."""

from __future__ import annotations

from functools import cache
from importlib import resources

from rlplatform.evaluation.own_imports import AFTER, BEFORE
from rlplatform.sandbox.models import Program

STARTER = "_start.py"
PREFIX = "_rlp_"

# The guest's files are no .py files, which the sandbox compiles before it runs a program, and would compile twice.
_IMPORTS = """\
import types
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
package = sys.modules["_rlp"] = types.ModuleType("_rlp")
package.__path__ = []
for name in {modules!r}:
    spec = spec_from_loader(f"_rlp.{{name}}", SourceFileLoader(f"_rlp.{{name}}", f"/box/{prefix}{{name}}"))
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(package, name, module)
"""


@cache
def _source(name: str) -> bytes:
    return resources.files("rlplatform.evaluation.suites.guest").joinpath(name).read_bytes()


def with_guest(files: dict[str, bytes], modules: tuple[str, ...], start: str) -> Program:
    """Return the program of ``files`` that begins with ``start``, a call in the last of ``modules``."""
    guest = {f"{PREFIX}{name}": _source(f"{name}.py") for name in modules}
    starter = BEFORE + _IMPORTS.format(modules=modules, prefix=PREFIX) + AFTER + f"module.{start}\n"
    return Program({**files, **guest, STARTER: starter.encode()}, STARTER)


def is_own(path: str) -> bool:
    """Return True if a file of a program comes from here."""
    return path == STARTER or path.startswith(PREFIX)


def module_names(paths: list[str]) -> list[str]:
    """Return the names under which the Python files of a submission are imported."""
    names = []
    for path in paths:
        if path.endswith(".py") and not is_own(path):
            parts = path.removesuffix(".py").split("/")
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if name and all(part.isidentifier() for part in name.split("."))]
