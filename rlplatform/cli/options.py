"""Options of all commands, and the objects made from them."""

from __future__ import annotations

import importlib
import json
import math
from contextlib import suppress
from typing import Annotated, Any

import typer

from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, Unavailable


def output_of(ctx: typer.Context, lines: bool) -> Output:
    """The output of this invocation, which also tells of errors; ``lines``: as JSON Lines."""
    output: Output = ctx.find_root().obj
    output.lines = lines
    return output


Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, nothing else.")]
Url = Annotated[str | None, typer.Option("--url", help="The platform's address.", show_default="RLP_URL")]
ApiKey = Annotated[str | None, typer.Option("--api-key", help="The API key.", show_default="RLP_API_KEY")]

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
