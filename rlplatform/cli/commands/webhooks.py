"""``rlp webhooks``: manage webhooks for finished runs."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli.formatting import tenants
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of
from rlplatform.ids import Kind

app = typer.Typer(no_args_is_help=True, help="Manage webhooks for finished runs.")

WebhookId = Annotated[str, typer.Argument(help="hook_…, or the beginning or end of it.")]
Events = Annotated[list[str] | None, typer.Option("--event", help="Only events of this type; may be given again.")]


@app.command()
def create(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="Where to send: https://…")],
    event: Events = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    include_hidden: Annotated[
        bool, typer.Option("--include-hidden", help="Send the results of hidden tests in full.")
    ] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Make a webhook. Its secret is shown this once."""
    output = output_of(ctx, json)
    asked = {"url": address, "events": event, "description": description, "include_hidden": include_hidden}
    with connect(url, api_key) as client:
        made = client.create_webhook({key: value for key, value in asked.items() if value})
    output.document(made, f"{made.webhook.id}\n{made.secret}")


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List webhooks, newest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.webhooks()
    output.table(found, [tenants.webhook(webhook) for webhook in found], "no webhooks")


@app.command()
def update(
    ctx: typer.Context,
    webhook_id: WebhookId,
    address: Annotated[str | None, typer.Option(help="Send elsewhere.")] = None,
    event: Events = None,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Start or stop it.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Change a webhook, or start one again that was disabled."""
    output = output_of(ctx, json)
    asked = given(url=address, events=event, enabled=enable)
    with connect(url, api_key) as client:
        webhook = client.change_webhook(full_id(client, webhook_id, Kind.WEBHOOK), asked)
    output.document(webhook, f"{webhook.id}: {'enabled' if webhook.enabled else 'disabled'}")


@app.command()
def rotate(
    ctx: typer.Context,
    webhook_id: WebhookId,
    overlap_s: Annotated[float, typer.Option(min=0, help="How long to sign with the old secret, too.")] = 86_400.0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Make a new secret, which is shown this once."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        made = client.rotate_webhook(full_id(client, webhook_id, Kind.WEBHOOK), overlap_s=overlap_s)
    output.document(made, made.secret)


@app.command("test")
def send_test(
    ctx: typer.Context, webhook_id: WebhookId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Send a message of type webhook.test. `rlp webhooks log` says what came of it."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        delivery = client.test_webhook(full_id(client, webhook_id, Kind.WEBHOOK))
    output.document(delivery, f"{delivery.id}: on its way; rlp webhooks log {webhook_id}")


@app.command()
def log(
    ctx: typer.Context,
    webhook_id: WebhookId,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List the deliveries of a webhook, newest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.deliveries(full_id(client, webhook_id, Kind.WEBHOOK), limit=limit)
    output.table(found, [tenants.delivery(delivery) for delivery in found], "nothing was sent yet")


@app.command()
def delete(
    ctx: typer.Context, webhook_id: WebhookId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Delete a webhook and its log."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        webhook = client.delete_webhook(full_id(client, webhook_id, Kind.WEBHOOK))
    output.document(webhook, f"{webhook.id}: deleted")
