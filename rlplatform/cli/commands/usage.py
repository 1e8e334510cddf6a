"""``rlp usage``: what the tenant uses, and what tenants may use."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli.formatting import tenants
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, pairs
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.settings import Quotas

app = typer.Typer(help="What the tenant uses, and what it may use.")


@app.callback(invoke_without_command=True)
def usage(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show the tenant's usage, now and today, and its quotas."""
    if ctx.invoked_subcommand is not None:
        return
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.usage()
    output.document(found, tenants.usage(found))


@app.command()
def quotas(
    ctx: typer.Context,
    tenant: Annotated[str | None, typer.Argument(help="Another tenant; for operators.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", help="name:value, or name:null for no limit; for operators.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="The defaults again; for operators.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show a tenant's quotas, or set some of them.

    The others are unchanged.
    """
    output = output_of(ctx, json)
    if given and reset:
        raise InvalidRequest("give either --set or --reset", field="--reset")
    changes = pairs(given or [], "--set")
    for name in changes:
        if name not in Quotas.model_fields:
            raise UnknownName("quota", name, Quotas.model_fields, field="--set")
    with connect(url, api_key) as client:
        tenant = tenant or client.whoami().tenant
        if reset:
            found = client.reset_quotas(tenant)
        elif changes:
            found = client.set_quotas(tenant, {**client.quotas(tenant).overrides, **changes})
        else:
            found = client.quotas(tenant)
    output.document(found, tenants.quotas(found))
