"""An environment in files of this machine, named as ``./grid.py:GridWorld``: what is uploaded of it, and its report."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, ServiceError
from rlplatform.user_environments.models import UserEnvironment

POLL_S = 0.5
_WAIT_S = 900.0


def is_local(env: str) -> bool:
    """Return True if ``env`` names a file with an environment in it: ``grid.py:GridWorld``."""
    path, colon, _ = env.rpartition(":")
    return bool(colon) and path.endswith(".py")


def upload_of(env: str, beside: Sequence[Path] = (), **settings: Any) -> dict[str, Any]:
    """Return the upload of ``path/grid.py:GridWorld``: the file, the modules of its folder that it imports, and the
    files ``beside``; ``settings`` that are None are left out.

    Raises:
        InvalidRequest: a file is missing, or is not text.
    """
    path, _, name = env.rpartition(":")
    main = Path(path)
    if not is_local(env) or not name.isidentifier():
        raise InvalidRequest(f"give a file and a class in it, as ./grid.py:GridWorld; got {env!r}", field="--env")
    found = {main.name: _text(main)}
    for module in _imported(main.parent, found[main.name]):
        found.setdefault(module.relative_to(main.parent).as_posix(), _text(module))
    for file in beside:
        inside = file.resolve().is_relative_to(main.parent.resolve())
        shown = file.resolve().relative_to(main.parent.resolve()).as_posix() if inside else file.name
        found[shown] = _text(file)
    given = {key: value for key, value in settings.items() if value is not None}
    files = [{"path": shown, "content": text} for shown, text in found.items()]
    return {"entry": f"{main.stem}:{name}", "files": files, **given}


def push(client: Client, output: Output, upload: dict[str, Any]) -> UserEnvironment:
    """Upload an environment, wait for its report, and show it."""
    return wait_for_report(client, output, client.upload_environment(upload))


def wait_for_report(client: Client, output: Output, environment: UserEnvironment) -> UserEnvironment:
    """Wait until the contract of ``environment`` is checked, showing each check as it ends.

    Raises:
        ServiceError: it takes too long.
    """
    shown = 0
    deadline = time.monotonic() + _WAIT_S
    while True:
        for check in environment.report[shown:]:
            output.note(_line(check.check, check.verdict.value, check.message, check.facts))
        shown = max(shown, len(environment.report))
        if environment.state != "checking":
            return environment
        if time.monotonic() > deadline:
            raise ServiceError(f"{environment.id} is still being checked; see rlp env show {environment.id}")
        time.sleep(POLL_S)
        environment = client.environment(environment.id)


def require_ready(environment: UserEnvironment) -> UserEnvironment:
    """Return ``environment`` if it can be trained on.

    Raises:
        InvalidRequest: it cannot; says why.
    """
    if environment.state != "ready":
        raise InvalidRequest(f"{environment.id} is {environment.state}: {environment.message}", field="--env")
    return environment


def _line(check: str, verdict: str, message: str | None, facts: dict[str, Any]) -> str:
    mark = "ok" if verdict == "accepted" else verdict
    numbers = {key: value for key, value in facts.items() if isinstance(value, int | float) and value is not None}
    told = ", ".join(f"{key} {value:g}" for key, value in numbers.items())
    return f"{check:12} {mark}" + (f"  {told}" if told else "") + (f"\n{'':12} {message}" if message else "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text", field=str(path)) from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field=str(path)) from None


def _imported(folder: Path, source: str, seen: set[Path] | None = None) -> Iterator[Path]:
    """Yield the modules of ``folder`` that ``source`` imports, and those that they import."""
    seen = set() if seen is None else seen
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return  # the report says where
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        parts = name.split(".")
        inits = [folder.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
        for path in (*inits, folder.joinpath(*parts).with_suffix(".py")):
            if path.is_file() and path not in seen:
                seen.add(path)
                yield path
                yield from _imported(folder, path.read_text(encoding="utf-8", errors="replace"), seen)
