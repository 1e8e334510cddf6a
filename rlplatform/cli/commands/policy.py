"""``rlp policy``: published policies."""

from __future__ import annotations

import json as jsonlib
import sys
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli.commands.episode import save_video
from rlplatform.cli.formatting import artifacts
from rlplatform.cli.formatting.episodes import evaluation_of_policy
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, kind_of
from rlplatform.policies.models import Actions, PolicyEvaluation

app = typer.Typer(no_args_is_help=True, help="Publish policies of checkpoints, and act with them.")

PolicyId = Annotated[str, typer.Argument(help="pol_…")]


@app.command()
def publish(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="ckpt_…, or train_… for its best checkpoint.")],
    last: Annotated[bool, typer.Option("--last", help="The training's last checkpoint, not its best.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the policy.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Publish the policy of a checkpoint. It stays when the checkpoint is deleted."""
    output = output_of(ctx, json)
    request: dict[str, Any] = {"name": name} if name is not None else {}
    with connect(url, api_key) as client:
        source = full_id(client, source, Kind.TRAINING, Kind.CHECKPOINT)
        if kind_of(source) is Kind.TRAINING:
            request |= {"training_id": source, "which": "last" if last else "best"}
        elif last:
            raise InvalidRequest("--last goes with a training, not with a checkpoint", field="--last")
        else:
            request["checkpoint_id"] = source
        info = client.publish_policy(request)
    output.document(info, info.id)


@app.command("ls")
def index(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List policies, newest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = list(islice(client.policies(page_size=min(limit, 200)), limit))
    output.table(found, [artifacts.policy_row(info) for info in found], "no policies")


@app.command()
def show(ctx: typer.Context, policy_id: PolicyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show a policy: its spaces, where it comes from."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        info = client.policy(full_id(client, policy_id, Kind.POLICY))
    output.document(info, artifacts.policy(info))


@app.command()
def act(
    ctx: typer.Context,
    policy_id: PolicyId,
    observations: Annotated[
        str, typer.Argument(help="JSON: one observation, or a list of them; - reads them from stdin.")
    ] = "-",
    stochastic: Annotated[bool, typer.Option("--stochastic", help="Draw actions, rather than the likeliest.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Say what a policy does. An action for each observation, one a line."""
    output = output_of(ctx, json)
    try:
        value = jsonlib.loads(sys.stdin.read() if observations == "-" else observations)
    except ValueError as error:
        raise InvalidRequest(f"the observations are not JSON: {error}", field="observations") from None
    with connect(url, api_key) as client:
        policy = client.policy(full_id(client, policy_id, Kind.POLICY))
        single = _depth(value) == len(policy.observation_space.shape)
        if not single and not isinstance(value, list):
            raise InvalidRequest("give an observation, or a list of them", field="observations")
        actions = client.act(policy.id, [value] if single else value, deterministic=not stochastic)
    document = Actions(policy_id=policy.id, deterministic=not stochastic, actions=actions)
    output.document(document, "\n".join(jsonlib.dumps(action) for action in actions))


@app.command()
def export(
    ctx: typer.Context,
    policy_id: PolicyId,
    target: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")] = None,
    form: Annotated[Literal["onnx", "tar"], typer.Option("--format", help="A model, or the archive itself.")] = "onnx",
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save a policy as an ONNX model.

    The model was compared with the policy on sampled observations.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        policy_id = full_id(client, policy_id, Kind.POLICY)
        target = target or Path(f"{policy_id}.{form}")
        with output.transfer(target.name) as progress:
            client.download_policy(policy_id, target, form=form, progress=progress)
    output.document({"path": str(target), "size_bytes": target.stat().st_size}, str(target))


@app.command()
def evaluate(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="pol_… or ckpt_…")],
    episodes: Annotated[int, typer.Option(min=1, max=1000, help="Episodes to play.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the environments and of drawn actions.")] = 0,
    stochastic: Annotated[bool, typer.Option("--stochastic", help="Draw actions, rather than the likeliest.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Play episodes with a policy, and show the returns. The first, best, worst and last episode are recorded."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = _play(client, source, episodes, seed, stochastic)
    output.document(found, evaluation_of_policy(found))


@app.command()
def record(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="pol_… or ckpt_…")],
    target: Annotated[Path, typer.Option("--output", "-o", help="MP4 file to write.")],
    episodes: Annotated[int, typer.Option(min=1, max=1000, help="Episodes to play; the best is shown.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the environments and of drawn actions.")] = 0,
    stochastic: Annotated[bool, typer.Option("--stochastic", help="Draw actions, rather than the likeliest.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Play a policy, and save a video of its best episode."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        played = _play(client, source, episodes, seed, stochastic)
        best = next(info for info in played.episodes if "best" in info.roles)
        drawn = save_video(client, best.id, target, output)
    said = f"{target}: {best.id}, return {best.episode_return:g} in {best.length:,} steps"
    output.document({"path": str(target), "episode": best, "video": drawn}, said)


@app.command()
def delete(
    ctx: typer.Context, policy_id: PolicyId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Delete a policy for good. Its checkpoint stays."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        info = client.delete_policy(full_id(client, policy_id, Kind.POLICY))
    output.document(info, f"{info.id}: deleted")


def _play(client: Client, source: str, episodes: int, seed: int, stochastic: bool) -> PolicyEvaluation:
    source = full_id(client, source, Kind.POLICY, Kind.CHECKPOINT)
    request = {"episodes": episodes, "seed": seed, "deterministic": not stochastic}
    return client.evaluate_policy(source, request)


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value:
        value, depth = value[0], depth + 1
    return depth
