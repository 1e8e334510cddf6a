"""``rlp sandbox`` as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

RLP = str(Path(sys.executable).with_name("rlp"))


def rlp(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("RLP_")}
    return subprocess.run(
        [RLP, "sandbox", *arguments], capture_output=True, text=True, check=False, env=plain | environment
    )


def test_the_images_are_listed_by_digest(docker_pool: DockerPool) -> None:
    listed = rlp("images", "--json")
    images = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [image["name"] for image in images[:2]] == ["python", "python-rl"]
    assert {"numpy", "gymnasium"} <= images[1]["packages"].keys()
    assert images[0]["current"]
    assert images[0]["size_bytes"] > 1 << 20
    algorithm, _, digest = images[0]["digest"].partition(":")
    assert (algorithm, len(digest)) == ("sha256", 64)
    assert f"{algorithm}:{digest[:12]}" in rlp("ls").stdout, "the table shows digests as Docker's does: twelve digits"


def test_what_is_up_to_date_is_not_built_again(docker_pool: DockerPool) -> None:
    built = rlp("build", "--json")
    assert "up to date" in built.stderr
    assert [json.loads(line)["tag"] for line in built.stdout.splitlines()] == [
        "rlp-sandbox-python:latest",
        "rlp-sandbox-python-rl:latest",
    ]
    assert rlp("build", "java").returncode == 2


def test_a_tier_that_is_not_there_fails_the_check(docker_pool: DockerPool, sandbox_state: Path) -> None:
    checked = rlp("check", "--tier", "gvisor", "--json", RLP_SANDBOX__STATE_DIR=str(sandbox_state))
    assert checked.returncode == 1
    assert "RLP_SANDBOX__GVISOR_RUNTIME is not set" in json.loads(checked.stdout.splitlines()[0])["detail"]


def test_without_an_engine_it_says_so() -> None:
    done = rlp("images", RLP_SANDBOX__DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 5
    assert "no Docker engine answers" in done.stderr
