"""``rlp doctor``: this machine, and the platform that is running."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, server
from rlplatform.cli.output import Output
from rlplatform.client.connection import find_local_file
from rlplatform.errors import NotAuthenticated, PlatformError
from rlplatform.settings import read_settings

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


def doctor(
    ctx: typer.Context,
    remote: Annotated[bool, typer.Option("--remote", help="Only the platform, not this machine.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Check this machine and the running platform. Exit status 1: something has failed.

    In a folder below the one that the platform was started in, the platform's own state is checked.
    """
    output = output_of(ctx, json)
    sound = True
    if not remote:
        if (local := find_local_file(Path.cwd())) is not None:
            os.chdir(local.parent.parent)  # paths in settings are relative to where the platform was started
        settings = read_settings()
        for check in server("cluster.doctor").run_checks(settings):
            _tell(output, check.name, check.status, check.meaning, check.advice)
            sound &= check.status != "fail"
    sound &= _platform(output, url, api_key, required=remote or url is not None)
    raise typer.Exit(exit_codes.DONE if sound else exit_codes.FAILED)


def _platform(output: Output, url: str | None, api_key: str | None, *, required: bool) -> bool:
    try:
        with connect(url, api_key) as client:
            readiness = client.ready()
            _tell(output, "platform", "ok", f"{client.url} answers", "")
    except PlatformError as error:
        if required and isinstance(error, NotAuthenticated):
            raise
        _tell(output, "platform", "fail" if required else "warn", str(error), "start it with `rlp serve`")
        return not required
    for found in readiness.dependencies:
        meaning = found.detail or ("answers" if found.ok else "does not answer")
        _tell(output, f"platform: {found.name}", "ok" if found.ok else "fail", meaning, "")
    return readiness.status == "ready"


def _tell(output: Output, name: str, status: str, meaning: str, advice: str) -> None:
    text = f"{_MARKS[status]} {name}: {meaning}" if meaning else f"{_MARKS[status]} {name}"
    if advice and status != "ok":
        text += f"\n    {advice}"
    output.document({"name": name, "status": status, "meaning": meaning, "advice": advice}, text)
