"""``rlp serve``: the platform itself, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli import output
from rlplatform.cli.options import given, server
from rlplatform.settings import read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.", show_default="RLP_API__HOST")] = None,
    port: Annotated[
        int | None, typer.Option(help="Where to listen.", min=0, max=65535, show_default="RLP_API__PORT")
    ] = None,
) -> None:
    """Run the platform until Ctrl-C. Its address and a key go to .rlp/local.json, where rlp finds them."""
    settings = read_settings(api=given(host=host, port=port))
    raise typer.Exit(server("cluster.bootstrap").serve(settings, output.step))
