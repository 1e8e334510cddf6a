"""``rlp env``: environments."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of

app = typer.Typer(no_args_is_help=True, help="What can be trained.")


@app.command("ls")
def index(
    ctx: typer.Context,
    search: Annotated[str, typer.Argument(help="Only ids that contain this.")] = "",
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List the environments of the platform. Others can be added: see RLP_TRAINING__ENVIRONMENT_MODULES."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = [info for info in client.environments() if search.lower() in info.id.lower()]
    rows = [
        {
            "ID": info.id,
            "OBSERVATIONS": info.observation_space,
            "ACTIONS": info.action_space,
            "PRESET": "tuned" if info.preset else "",
            "BACKEND": info.backend,
        }
        for info in found
    ]
    output.table(found, rows, f"no environment has {search!r} in its id" if search else "no environments")
    if not json:
        output.note(
            "To add the environments of a package, install it on every node and name its module in "
            "RLP_TRAINING__ENVIRONMENT_MODULES."
        )
