"""Options of all commands, and the objects made from them."""

from __future__ import annotations

import importlib
import json
import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.sandbox.models import Limits


def output_of(ctx: typer.Context, lines: bool) -> Output:
    """The output of this invocation, which also tells of errors; ``lines``: as JSON Lines."""
    output: Output = ctx.find_root().obj
    output.lines = lines
    return output


Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, nothing else.")]
Url = Annotated[str | None, typer.Option("--url", help="The platform's address.", show_default="RLP_URL")]
ApiKey = Annotated[str | None, typer.Option("--api-key", help="The API key.", show_default="RLP_API_KEY")]

Also = Annotated[
    list[Path] | None, typer.Option("--with", help="A further file of the program.", exists=True, dir_okay=False)
]
Data = Annotated[
    list[Path] | None,
    typer.Option("--data", help="A file to upload, which the program can read.", exists=True, dir_okay=False),
]
Executed = Annotated[
    Path | None, typer.Option("--executed", help="Of a notebook: file to save it to, with its outputs.")
]
MemoryMib = Annotated[int | None, typer.Option("--memory-mib", "--memory-mb", help="Limit of each test, in MiB.")]
IsolationTier = Annotated[
    Literal["single-use", "jail", "gvisor"] | None,
    typer.Option("--tier", help="Isolation of the sandbox; single-use by default."),
]
Image = Annotated[
    str | None, typer.Option("--image", help="Image to run in, which has the packages: one of rlp image ls.")
]

_AGE = re.compile(r"(\d+(?:\.\d+)?)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_S = 120.0
"""The platform's usual limit of a test's wall time."""
_PYTHON = {"True": True, "False": False, "None": None}


def connect(url: str | None, api_key: str | None) -> Client:
    """A client for the platform that is meant."""
    return Client(url, api_key)


def pairs(texts: list[str], option: str) -> dict[str, Any]:
    """``name:value`` (or ``name=value``) options; values are JSON, or Python's ``True``, ``None``, ``.98``, or text.

    Raises:
        InvalidRequest: one has no name or no value.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition(":") if ":" in text.partition("=")[0] else text.partition("=")
        if not separator or not name or not value:
            raise InvalidRequest(f"{option} takes name:value, not {text!r}", field=option)
        found[name] = _value(value)
    return found


Labels = Annotated[
    list[str] | None, typer.Option("--label", "-l", help="key=value to find the run by; may be given again.")
]
Name = Annotated[str | None, typer.Option("--name", help="A name for the run.")]
Notes = Annotated[str | None, typer.Option("--notes", help="Notes about the run.")]


def labels_of(texts: list[str] | None) -> dict[str, str]:
    """Return the labels that ``--label`` options set.

    Raises:
        InvalidRequest: one is not ``key=value``.
    """
    return {key: value or "" for key, value in wanted_labels(texts, valued=True).items()}


def wanted_labels(texts: list[str] | None, *, valued: bool = False) -> dict[str, str | None]:
    """Return the labels that ``--label`` options ask for: with their values, or None for any value.

    Raises:
        InvalidRequest: one has no key, or is without a value although ``valued``.
    """
    found: dict[str, str | None] = {}
    for text in texts or ():
        key, given, value = text.partition("=")
        if not key or (valued and not given):
            accepted = "key=value" if valued else "key=value, or key for any value"
            raise InvalidRequest(f"--label takes {accepted}; got {text!r}", field="--label")
        found[key] = value if given else None
    return found


def moment_of(text: str | None, option: str) -> datetime | None:
    """Return the time that ``text`` names: a date or time (local, unless it says its zone), or an age such as ``7d``.

    Raises:
        InvalidRequest: it is neither.
    """
    if text is None:
        return None
    if (age := _AGE.fullmatch(text)) is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: float(age[1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        accepted = "a date (2026-01-31), a time (2026-01-31T15:00) or an age (30m, 12h, 7d)"
        raise InvalidRequest(f"{option} takes {accepted}; got {text!r}", field=option) from None


def given(**values: Any) -> dict[str, Any]:
    """Return the options that were given: those that are neither None nor an empty mapping."""
    return {name: value for name, value in values.items() if value is not None and value != {}}


def time_limits(cpu_time_s: float | None, wall_time_s: float | None) -> dict[str, float]:
    """Return the time limits that were given, and the other one where its default would contradict a single one."""
    usual = Limits()
    if wall_time_s is None and cpu_time_s is not None and cpu_time_s > usual.wall_time_s:
        wall_time_s = max(cpu_time_s, min(_LONGEST_S, 3 * cpu_time_s))
    if cpu_time_s is None and wall_time_s is not None and wall_time_s < usual.cpu_time_s:
        cpu_time_s = wall_time_s
    return given(cpu_time_s=cpu_time_s, wall_time_s=wall_time_s)


def _value(text: str) -> Any:
    if text in _PYTHON:
        return _PYTHON[text]
    for read in (json.loads, float):
        with suppress(ValueError):
            value = read(text)
            if not isinstance(value, float) or math.isfinite(value):
                return value
    return text


def server(module: str) -> Any:
    """Return a module of the server, which a client's installation does not have.

    Raises:
        Unavailable: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"the server is not installed here ({error.name!r} is missing). It runs from a checkout of the repository:"
            " make run, or pip install -c requirements.lock -e '.[server,export]'"
        ) from None
