"""``rlp lti``: learning platforms (Canvas, Moodle …) that lead to a course."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of

app = typer.Typer(no_args_is_help=True, help="Learning platforms (LTI 1.3).")


@app.command()
def tool(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show the addresses to enter at the learning platform."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.lti_tool()
    lines = (
        f"initiate login URL  {found.login_url}",
        f"redirect URI        {found.launch_url}",
        f"public keys         {found.keys_url}",
    )
    output.document(found, "\n".join(lines))


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name for people.")],
    issuer: Annotated[str, typer.Option(help="Issuer, or platform id.")],
    client_id: Annotated[str, typer.Option(help="Client id of the tool.")],
    deployment: Annotated[list[str], typer.Option(help="Id of a deployment; may be repeated.")],
    authorization_url: Annotated[str, typer.Option(help="Authentication request URL.")],
    token_url: Annotated[str, typer.Option(help="Access token URL.")],
    jwks_url: Annotated[str, typer.Option(help="Public keyset URL.")],
    tenant: Annotated[str | None, typer.Option(help="Tenant of the course.", show_default="yours")] = None,
    context: Annotated[list[str] | None, typer.Option(help="Id of a course there; may be repeated.")] = None,
    grade_host: Annotated[list[str] | None, typer.Option(help="Further host for grades.")] = None,
    enrol: Annotated[bool, typer.Option(help="Add learners who come to the roster.")] = True,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Register a learning platform, or change it; for operators."""
    output = output_of(ctx, json)
    body = {
        "name": name,
        "tenant": tenant,
        "issuer": issuer,
        "client_id": client_id,
        "deployment_ids": deployment,
        "context_ids": context or [],
        "authorization_url": authorization_url,
        "token_url": token_url,
        "jwks_url": jwks_url,
        "grade_hosts": grade_host or [],
        "enrol": enrol,
    }
    with connect(url, api_key) as client:
        made = client.register_lti(body)
    output.document(made, f"{made.id}: {made.name} leads to the course {made.tenant}")


@app.command("ls")
def list_registrations(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the learning platforms."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.lti_registrations()
    rows = [{"ID": one.id, "NAME": one.name, "TENANT": one.tenant, "ISSUER": one.issuer} for one in found]
    output.table(found, rows, "no learning platform is registered; add one: rlp lti add")


@app.command()
def remove(
    ctx: typer.Context,
    registration: Annotated[str, typer.Argument(help="Id of the registration: lti_….")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Remove a learning platform. Its people stay members."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        removed = client.remove_lti(registration)
    output.document(removed, f"{removed.name} leads here no more")
