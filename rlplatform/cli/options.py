"""What all commands take, and what they get from it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from rlplatform.cli.render import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest


def output_of(ctx: typer.Context, lines: bool) -> Output:
    """The output of this invocation, which also tells of errors; ``lines``: as JSON Lines."""
    output: Output = ctx.find_root().obj
    output.lines = lines
    return output


Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout, nothing else.")]
Url = Annotated[str | None, typer.Option("--url", help="The platform's address.", show_default="RLP_URL")]
ApiKey = Annotated[str | None, typer.Option("--api-key", help="The API key.", show_default="RLP_API_KEY")]


def connect(url: str | None, api_key: str | None) -> Client:
    """A client for the platform that is meant."""
    return Client(url, api_key)


def pairs(texts: list[str], option: str) -> dict[str, Any]:
    """``name:value`` (or ``name=value``) options; values are JSON, or text where they are none.

    :raises InvalidRequest: one has no name or no value.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition(":") if ":" in text.partition("=")[0] else text.partition("=")
        if not separator or not name or not value:
            raise InvalidRequest(f"{option} takes name:value, not {text!r}", field=option)
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
