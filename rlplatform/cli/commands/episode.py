"""``rlp episode``: recorded episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rlplatform.cli.formatting import episodes
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.episodes.models import VideoInfo
from rlplatform.ids import Kind

app = typer.Typer(no_args_is_help=True, help="List, read and watch recorded episodes.")

EpisodeId = Annotated[str, typer.Argument(help="ep_…")]


@app.command("ls")
def index(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="train_…, pol_… or eval_…")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List the recorded episodes of a training, a policy or an evaluation."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.episodes(full_id(client, source, Kind.TRAINING, Kind.POLICY, Kind.EVALUATION))
    empty = "no episodes; policy evaluations (rlp policy evaluate) and tests of agents record them"
    output.table(found, [episodes.episode_row(info) for info in found], empty)


@app.command()
def show(
    ctx: typer.Context,
    episode_id: EpisodeId,
    observations: Annotated[bool, typer.Option("--observations", help="With the observations.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show an episode, step by step."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        episode = client.episode(full_id(client, episode_id, Kind.EPISODE), observations=observations)
    output.document(episode, episodes.episode(episode))


@app.command()
def video(
    ctx: typer.Context,
    episode_id: EpisodeId,
    target: Annotated[Path | None, typer.Option("--output", "-o", help="MP4 file to write.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save the video of an episode. The first request draws it, which can take a minute or more."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        episode_id = full_id(client, episode_id, Kind.EPISODE)
        target = target or Path(f"{episode_id}.mp4")
        drawn = save_video(client, episode_id, target, output)
    output.document({"path": str(target), "video": drawn}, str(target))


def save_video(client: Client, episode_id: str, target: Path, output: Output) -> VideoInfo | None:
    """Save the video of an episode, note where its replay differs from the recording, and return what is known of
    it."""
    client.download_video(episode_id, target)
    drawn = client.episode(episode_id).video
    if drawn is not None and drawn.difference is not None:
        output.note(f"the replay differs from the recording: {drawn.difference}")
    return drawn
