"""``rlp image``: what submissions can run in. ``build`` and ``rm`` act on this machine; no platform needs to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rlplatform import patterns
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, server
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.sandbox.models import Flavour, how_to_build
from rlplatform.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Manage the images that submissions run in.")

_BUILD_TIMEOUT_S = 600

Name = Annotated[str, typer.Argument(help="Name of the image, as requests give it.")]


@app.command("ls")
def index(ctx: typer.Context, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the images of the platform. A request names one in `image`, as rlp evaluate --image does."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.images()
    output.table(found, [_row(image) for image in found], "no node has an image: build them with rlp sandbox build")


@app.command()
def show(ctx: typer.Context, name: Name, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show an image and the versions of its packages."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        known = client.images()
    found = [image for image in known if image.name == name]
    if not found:
        raise UnknownName("image", name, {image.name for image in known}, field="name", hint=how_to_build(name))
    for image in found:
        lines = [f"{title.lower():10}{text}" for title, text in _row(image).items() if title != "PACKAGES"]
        lines += [f"{'nodes':10}{', '.join(image.nodes)}", f"{'digest':10}{image.digest}", "packages"]
        lines += [f"  {package} {version}" for package, version in image.packages.items()] or ["  none"]
        output.document(image, "\n".join(lines))


@app.command()
def build(
    ctx: typer.Context,
    name: Name,
    requirements: Annotated[
        Path | None,
        typer.Option(
            "--requirements",
            "-r",
            help="File in pip's format; without it, the packages that the image has.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    preload: Annotated[
        str | None,
        typer.Option(
            help="Modules to import before any submission, by commas; without it, those of the file's packages."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Build an image on this node. Wheels are fetched here, outside of any sandbox. It serves once the self-check has
    passed in it.
    """
    output = output_of(ctx, json)
    _check_name(name)
    if preload is not None and requirements is None:
        raise InvalidRequest("--preload goes with --requirements", field="--preload")
    modules = None if preload is None else [module for module in preload.replace(",", " ").split() if module]
    images, acceptance = server("rlplatform.sandbox.images.builder"), server("rlplatform.sandbox.acceptance")
    settings = read_settings().sandbox
    with _engine(settings) as engine:
        images.build_candidate(engine, name, requirements, modules, output.note)
        acceptance.accept(engine, name, settings, output.note)
        found = images.describe(engine, name)
    output.document(found, f"{found.name} {found.digest}: a platform of this machine serves it within 10 s")


@app.command()
def rm(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names of images.")],
    json: Json = False,
) -> None:
    """Remove images from this node. Evaluations that wait for one then fail; what runs in one ends as usual."""
    output = output_of(ctx, json)
    images = server("rlplatform.sandbox.images.builder")
    with _engine(read_settings().sandbox) as engine:
        for name in names:
            images.remove(engine, name)
            output.document({"name": name, "removed": True}, f"{name}: removed")


def _check_name(name: str) -> None:
    if not re.fullmatch(patterns.IMAGE, name):
        raise InvalidRequest(
            f"{name!r} cannot be the name of an image; accepted are {patterns.ACCEPTED[patterns.IMAGE]}", field="name"
        )
    if name in {flavour.value for flavour in Flavour}:
        raise InvalidRequest(f"{name!r} comes with the platform: rlp sandbox build {name} builds it", field="name")


@contextmanager
def _engine(settings: Any) -> Iterator[Any]:
    engine = server("rlplatform.sandbox.docker_engine").Engine(settings.docker_host, timeout_s=_BUILD_TIMEOUT_S)
    with closing(engine):
        yield engine


def _row(image: Any) -> dict[str, str]:
    packages = [f"{name} {version}" for name, version in image.packages.items()]
    few = ", ".join(packages[:4]) + (f", and {len(packages) - 4} more" if len(packages) > 4 else "")
    return {
        "NAME": image.name,
        "DEFAULT": "yes" if image.default else "",
        "DIGEST": image.digest[:19],
        "SIZE": f"{image.size_bytes / 1e6:.0f} MB",
        "NODES": str(len(image.nodes)),
        "PACKAGES": few or "standard library",
    }
