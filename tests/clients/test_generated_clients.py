"""Clients that others' generators make of the OpenAPI document: whole programs on them, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from serve_apps.api.__main__ import TARGET
from tests.api.described import Description, Watched
from tests.conftest import Missing
from tests.e2e.local import serving

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]
HERE = Path(__file__).parent
TYPESCRIPT = HERE / "typescript"
WORK = {
    "checkpoints_download",
    "checkpoints_index",
    "evaluations_cancel",
    "evaluations_index",
    "evaluations_submit",
    "events_of_evaluation",
    "events_of_training",
    "policies_act",
    "policies_download",
    "policies_publish",
    "trainings_metrics",
    "trainings_show",
    "trainings_start",
}
DOCUMENT: dict[str, Any] = json.loads(TARGET.read_text(encoding="utf-8"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def run(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the generator formats with ruff
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def drive(command: Callable[[str, str], list[str]], environment: Mapping[str, str]) -> set[tuple[str, int]]:
    """Run a program against a server whose every answer is held against the document; the operations that answered."""
    watched: list[Watched] = []

    def around(app: Any) -> Watched:
        watched.append(Watched(app, Description(DOCUMENT)))
        return watched[0]

    async with serving(around=around) as local:
        program = await asyncio.create_subprocess_exec(
            *command(local.url, local.key), env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            output, _ = await program.communicate()
        finally:
            if program.returncode is None:
                program.kill()
                await program.wait()
    assert program.returncode == 0, output.decode()
    assert watched[0].faults == []
    return watched[0].answered


async def test_a_program_on_openapi_fetch_with_the_types_of_openapi_typescript(missing: Missing) -> None:
    if not (TYPESCRIPT / "node_modules").is_dir():
        missing(f"the packages of {TYPESCRIPT} are not installed: run npm install --no-save there")
    tools = TYPESCRIPT / "node_modules" / ".bin"
    run([str(tools / "openapi-typescript"), str(TARGET), "--output", "schema.d.ts"], TYPESCRIPT)
    run([str(tools / "tsc"), "--project", "."], TYPESCRIPT)
    answered = await drive(lambda url, key: ["node", str(TYPESCRIPT / "built" / "program.js"), url, key], os.environ)
    assert ("checkpoints_download", 206) in answered
    assert {operation for operation, status in answered if status < 300} >= WORK


async def test_a_program_on_the_client_of_openapi_python_client(tmp_path: Path) -> None:
    package = tmp_path / "rlp_api"
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    config = tmp_path / "config.json"  # it knows no type of videos and archives
    binary = dict.fromkeys(("video/mp4", "application/zip", "application/x-tar"), "application/octet-stream")
    config.write_text(json.dumps({"content_type_overrides": binary}))
    command = [generator, "generate", "--path", str(TARGET), "--meta", "none", "--output-path", str(package)]
    said = run([*command, "--config", str(config)], tmp_path)
    assert "warning" not in said.lower(), said
    answered = await drive(
        lambda url, key: [sys.executable, str(HERE / "program.py"), url, key],
        {**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert {operation for operation, status in answered if status < 300} >= WORK
