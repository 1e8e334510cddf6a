"""``rlp env``: environments."""

from __future__ import annotations

import typer

from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of

app = typer.Typer(no_args_is_help=True, help="What can be trained.")


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the environments of the platform."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.environments()
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
    output.table(found, rows, "no environments")
