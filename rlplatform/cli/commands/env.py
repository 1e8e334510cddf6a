"""``rlp env``: environments, those of packages and your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.ids import full_id
from rlplatform.cli.local_environment import push as push_local
from rlplatform.cli.local_environment import upload_of, wait_for_report
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, pairs
from rlplatform.cli.output import Output
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.user_environments.models import UserEnvironment

app = typer.Typer(no_args_is_help=True, help="What can be trained, and environments of your own.")

Entry = Annotated[str, typer.Argument(metavar="FILE:CLASS", help="As ./grid.py:GridWorld.")]
Beside = Annotated[
    list[Path] | None, typer.Option("--file", help="A further file; modules that it imports go along by themselves.")
]
Kwargs = Annotated[list[str] | None, typer.Option("--env-kwargs", help="name:value for the class.")]
Image = Annotated[str | None, typer.Option(help="The image to run in; rlp image ls lists them.")]
MemoryMib = Annotated[int | None, typer.Option(help="Memory of each process, in MiB.")]
Environment = Annotated[str, typer.Argument(help="Id of the environment, or its beginning or end.")]


@app.command("ls")
def index(
    ctx: typer.Context,
    search: Annotated[str, typer.Argument(help="Only ids and names that contain this.")] = "",
    mine: Annotated[bool, typer.Option("--uploaded", help="Only uploaded ones, whatever their state.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List the environments of the platform. Others can be added: see RLP_TRAINING__ENVIRONMENT_MODULES."""
    output = output_of(ctx, json)
    wanted = search.lower()
    with connect(url, api_key) as client:
        if mine:
            uploaded = [info for info in client.uploaded_environments() if wanted in f"{info.id} {info.name}".lower()]
            output.table(uploaded, [_row(info) for info in uploaded], "no environments: rlp env push uploads one")
            return
        found = [info for info in client.environments() if wanted in f"{info.id} {info.name or ''}".lower()]
    rows = [
        {
            "ID": info.id,
            "NAME": info.name or "",
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
            "To add your own: rlp env push ./grid.py:GridWorld. To add the environments of a package, install it on "
            "every node and name its module in RLP_TRAINING__ENVIRONMENT_MODULES."
        )


@app.command()
def check(
    ctx: typer.Context,
    entry: Entry,
    file: Beside = None,
    env_kwargs: Kwargs = None,
    image: Image = None,
    memory_mib: MemoryMib = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Check the contract of an environment and keep nothing. Exit status 1: it does not hold."""
    output = output_of(ctx, json)
    upload = _upload(entry, file, env_kwargs, image, memory_mib)
    with connect(url, api_key) as client:
        known = {info.id for info in client.uploaded_environments()}
        found = push_local(client, output, upload)
        if found.id not in known:
            client.delete_environment(found.id)
    _show(output, found)
    raise typer.Exit(exit_codes.DONE if found.state == "ready" else exit_codes.FAILED)


@app.command()
def push(
    ctx: typer.Context,
    entry: Entry,
    file: Beside = None,
    name: Annotated[str | None, typer.Option(help="Name to show.")] = None,
    env_kwargs: Kwargs = None,
    image: Image = None,
    memory_mib: MemoryMib = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Upload an environment, and check its contract. Then: rlp train --env ID."""
    output = output_of(ctx, json)
    upload = _upload(entry, file, env_kwargs, image, memory_mib, name)
    with connect(url, api_key) as client:
        found = push_local(client, output, upload)
    _show(output, found)
    raise typer.Exit(exit_codes.DONE if found.state == "ready" else exit_codes.FAILED)


@app.command()
def show(
    ctx: typer.Context, environment: Environment, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Show an uploaded environment and the report on its contract."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = wait_for_report(client, output, client.environment(full_id(client, environment, Kind.ENVIRONMENT)))
    _show(output, found)


@app.command()
def rm(
    ctx: typer.Context, environment: Environment, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Delete an uploaded environment."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        environment_id = full_id(client, environment, Kind.ENVIRONMENT)
        client.delete_environment(environment_id)
    output.document({"id": environment_id, "deleted": True}, f"{environment_id} is deleted")


def _upload(
    entry: str,
    files: list[Path] | None,
    env_kwargs: list[str] | None,
    image: str | None,
    memory_mib: int | None,
    name: str | None = None,
) -> dict[str, object]:
    config = pairs(env_kwargs or [], "--env-kwargs") or None
    try:
        return upload_of(entry, files or (), config=config, image=image, memory_mib=memory_mib, name=name)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), field="FILE:CLASS") from None


def _show(output: Output, found: UserEnvironment) -> None:
    if found.state == "ready":
        spaces = f"observations {found.observation_space}, actions {found.action_space}"
        output.document(found, f"{found.id}  {found.name}: ready, {spaces}")
        return
    output.document(found, f"{found.id}  {found.name}: {found.state}")
    output.note(found.message or "")


def _row(info: UserEnvironment) -> dict[str, str]:
    return {
        "ID": info.id,
        "NAME": info.name,
        "STATE": info.state,
        "OBSERVATIONS": info.observation_space or "",
        "ACTIONS": info.action_space or "",
        "STEPS/S": f"{info.steps_per_s:,.0f}" if info.steps_per_s else "",
    }
