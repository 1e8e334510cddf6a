"""``rlp serve``: the platform itself, on this machine."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from rlplatform.cli import render
from rlplatform.errors import Unavailable
from rlplatform.settings import read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.", show_default="RLP_API__HOST")] = None,
    port: Annotated[
        int | None, typer.Option(help="Where to listen.", min=0, max=65535, show_default="RLP_API__PORT")
    ] = None,
) -> None:
    """Run the platform until Ctrl-C. Its address and a key go to .rlp/local.json, where rlp finds them."""
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = read_settings(api=given)
    raise typer.Exit(server("cluster.bootstrap").serve(settings, render.step))


def server(module: str) -> Any:
    """Return a module of the server, which a client's installation does not have.

    :raises Unavailable: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"the server is not installed here ({error.name!r} is missing). It runs from a checkout of the repository:"
            " make run, or pip install -c requirements.lock -e '.[server,export]'"
        ) from None
