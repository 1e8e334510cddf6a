"""``rlp sandbox``: the sandbox of this machine. No platform needs to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.options import Json, output_of, server
from rlplatform.sandbox.models import Flavour, Tier
from rlplatform.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Build, list and check the sandbox of this machine.")

_BUILD_TIMEOUT_S = 600


@app.command()
def build(
    ctx: typer.Context,
    flavours: Annotated[
        list[Flavour] | None, typer.Argument(help="Which images.", show_default="python and python-rl")
    ] = None,
    json: Json = False,
) -> None:
    """Build the images that are not up to date. The engine keeps the base: only the first build needs a network."""
    output = output_of(ctx, json)
    images = _images()
    with _engine() as engine:
        for flavour in flavours or server("rlplatform.sandbox.images.flavours").USUAL:
            images.build(engine, flavour, output.note)
            found = images.describe(engine, flavour.value)
            output.document(found, f"{found.tag} {found.digest}")


@app.command("images")
def index(ctx: typer.Context, json: Json = False) -> None:
    """List the images of this machine: digest, size, age. Results name the digest of the image they come from."""
    output = output_of(ctx, json)
    images = _images()
    with _engine() as engine:
        found = images.describe_all(engine)
    output.table(found, [_row(image) for image in found], "no images")


app.command("ls", hidden=True)(index)


@app.command()
def check(
    ctx: typer.Context,
    tier: Annotated[
        list[Tier] | None, typer.Option(help="Which tiers.", show_default="all that are configured")
    ] = None,
    json: Json = False,
) -> None:
    """Run hostile programs and a good one in real sandboxes. Exit status 1: one did not end as it must."""
    output = output_of(ctx, json)
    settings = read_settings().sandbox
    tiers = tier or [Tier.SINGLE_USE, Tier.JAIL, *([Tier.GVISOR] if settings.gvisor_runtime else [])]
    pools, selfcheck = server("rlplatform.sandbox.pool.docker_pool"), server("rlplatform.sandbox.self_check")
    alone = settings.model_copy(update={"warm": 1, "slots": 1})
    sound = True
    with closing(pools.DockerPool(alone, f"check-{os.getpid()}")) as pool:
        for each in tiers:
            for result in selfcheck.run_selfcheck(pool, each):
                sound &= result.ok
                text = f"{'✓' if result.ok else '✗'} {each.value}: {result.name}"
                output.document(
                    {"tier": each.value, "name": result.name, "ok": result.ok, "detail": result.detail},
                    f"{text}: {result.detail}" if result.detail else text,
                )
    raise typer.Exit(exit_codes.DONE if sound else exit_codes.FAILED)


def _images() -> Any:
    return server("rlplatform.sandbox.images.builder")


@contextmanager
def _engine() -> Iterator[Any]:
    engine = server("rlplatform.sandbox.docker_engine").Engine(
        read_settings().sandbox.docker_host, timeout_s=_BUILD_TIMEOUT_S
    )
    with closing(engine):
        yield engine


def _row(image: Any) -> dict[str, str]:
    built = "current" if image.current else "of another version"
    return {
        "NAME": image.name,
        "IMAGE": image.tag,
        "DIGEST": image.digest[:19] if image.digest else "-",
        "SIZE": f"{image.size_bytes / 1e6:.0f} MB" if image.size_bytes else "-",
        "BUILT": image.built_at[:19].replace("T", " ") if image.built_at else "-",
        "STATE": built if image.digest else "not built",
    }
