"""``rlp usage``."""

from __future__ import annotations

import typer

from rlplatform.cli import words
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of


def usage(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """What the tenant uses, now and today."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.usage()
    output.document(found, words.usage(found))
