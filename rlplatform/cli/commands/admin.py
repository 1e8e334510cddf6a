"""``rlp admin``: the operator's view, draining of nodes, back-up and restore.

Back-up and restore run where the platform's settings and storage are.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.formatting.load import screen
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, server
from rlplatform.client.connection import find_local_file
from rlplatform.clock import SystemClock
from rlplatform.errors import Conflict, Unavailable
from rlplatform.settings import Settings, read_settings

app = typer.Typer(no_args_is_help=True, help="Watch the platform, empty nodes, back up and restore.")


@app.command()
def top(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Show the load once, and leave.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=0.2, metavar="SECONDS")] = 2.0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show what waits and runs, by tenant and node, until Ctrl-C. Needs a key with the scope `operate`."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client, output.screen() as show:
        while True:
            load = client.load()
            show(load, screen(load))
            if once:
                return
            time.sleep(interval)


@app.command()
def drain(
    ctx: typer.Context,
    node: Annotated[str, typer.Argument(help="Id of the node, its beginning, or its address: rlp admin top.")],
    within: Annotated[
        float, typer.Option("--within", min=1, metavar="SECONDS", help="Time after which it ends.")
    ] = 600,
    json: Json = False,
) -> None:
    """Empty a node, so that it can be stopped. Run it on a node of the cluster.

    Nothing new is placed there. Trainings save a checkpoint and continue on other nodes,
    evaluations end, replicas of the API move. Ray ends the node when the time has passed.
    """
    output = output_of(ctx, json)
    address = _settings().cluster.address or "auto"
    operate = server("cluster.operate")
    try:
        operate.join(address)
    except ConnectionError as error:
        raise Unavailable(f"no cluster to join from here: {error}") from None
    found = asyncio.run(operate.drain_node(node, within))
    text = f"node {found.node} ({found.address}): nothing of the platform is left there; stop it, or Ray does"
    output.document(found, text)


@app.command()
def backup(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="New folder for the back-up. It will hold secrets.", file_okay=False)],
    json: Json = False,
) -> None:
    """Back up everything while the platform runs.

    A back-up holds the store, checkpoints, policies, episodes, files and the pepper. Every stream
    is checked. Exit status 1: a checkpoint was damaged, and is not in the back-up.
    """
    output = output_of(ctx, json)
    folder = folder.absolute()
    settings = _settings()
    made = asyncio.run(server("rlplatform.storage.backups").back_up(settings, folder, SystemClock()))
    server("rlplatform.storage.measures").note_backup(settings, made.created_at)
    output.document(made, f"{folder}: {_contents(made)}; all streams are complete")
    for checkpoint in made.damaged_checkpoints:
        output.note(f"{checkpoint} is damaged, and is not in the back-up")
    if not made.pepper:
        output.note("no pepper was found: keep the one of RLP_ACCESS__PEPPER, without which no API key is valid")
    raise typer.Exit(exit_codes.FAILED if made.damaged_checkpoints else exit_codes.DONE)


@app.command()
def restore(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of a back-up.", file_okay=False)],
    json: Json = False,
) -> None:
    """Restore a back-up where there is no store yet.

    Each stream is compared with the back-up. Stop the platform first. Trainings
    continue with the next start, from their newest checkpoint.
    """
    output = output_of(ctx, json)
    folder = folder.absolute()
    settings = _settings()
    if server("cluster.doctor.network").platform_answers(settings):
        raise Conflict(f"a platform answers at port {settings.api.port}: stop it first, then restore again")
    restored = asyncio.run(server("rlplatform.storage.backups").restore(settings, folder, SystemClock()))
    output.document(restored, f"restored {_contents(restored)}; each stream is as in the back-up")


def _settings() -> Settings:
    """Read the settings; in a folder below the one that a platform was started in, those of that platform."""
    if (local := find_local_file(Path.cwd())) is not None:
        os.chdir(local.parent.parent)  # paths in settings are relative to where the platform was started
    return read_settings()


def _contents(manifest: object) -> str:
    counts = {name: getattr(manifest, name) for name in ("runs", "events", "checkpoints", "files")}
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())
