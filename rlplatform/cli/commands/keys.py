"""``rlp keys``: API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.access.principals import Role, Scope
from rlplatform.cli.formatting import tenants
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of
from rlplatform.clock import SystemClock
from rlplatform.ids import Kind

app = typer.Typer(no_args_is_help=True, help="Make, list, rotate and revoke API keys.")

KeyId = Annotated[str, typer.Argument(help="key_…, or the beginning or end of it.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Purpose of the key.")],
    role: Annotated[Role | None, typer.Option(help="Role of its holder.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Scope to grant, instead of a role; may be given again.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Another tenant; for operators.")] = None,
    expires_in_s: Annotated[
        float | None, typer.Option(help="Lifetime in seconds; without it the key does not expire.")
    ] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Make a key. Its text is shown only now."""
    output = output_of(ctx, json)
    asked = given(name=name, role=role, scopes=scope or None, tenant=tenant, expires_in_s=expires_in_s)
    with connect(url, api_key) as client:
        made = client.create_key(asked)
    output.document(made, made.api_key)


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List keys, oldest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.keys()
    output.table(found, [tenants.key(info, SystemClock().now()) for info in found], "no keys")


@app.command()
def rotate(
    ctx: typer.Context,
    key_id: KeyId,
    overlap_s: Annotated[float, typer.Option(min=0, help="Seconds for which the old key remains valid.")] = 3600.0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Replace a key. The text of the new one is shown only now."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        made = client.rotate_key(full_id(client, key_id, Kind.KEY), overlap_s=overlap_s)
    output.document(made, made.api_key)


@app.command()
def revoke(ctx: typer.Context, key_id: KeyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Make a key invalid at once."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        info = client.revoke_key(full_id(client, key_id, Kind.KEY))
    output.document(info, f"{info.id}: revoked")
