"""``/v1/images``, the clients' calls and ``rlp image``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rlplatform.client import AsyncClient, Client
from tests.api.command import rlp
from tests.api.conftest import PlatformFactory

pytestmark = pytest.mark.anyio


async def test_images_are_listed_with_packages_and_nodes(platform: PlatformFactory) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.get("/v1/images")
    assert answer.status_code == 200
    assert answer.json()["items"][1] == {
        "name": "python-rl",
        "digest": "sha256:2",
        "size_bytes": 200,
        "packages": {"numpy": "2.0.0"},
        "default": True,
        "nodes": ["node-1", "node-2"],
    }


async def test_a_request_names_its_image(platform: PlatformFactory, evaluation: dict[str, Any]) -> None:
    async with platform() as it, it.client() as client:
        made = await client.post("/v1/evaluations", json=evaluation | {"image": "python-rl"})
        assert made.status_code == 202
        assert (await it.store.get(made.json()["id"])).request.image == "python-rl"
        for bad in ("Torch", "a:latest", "../x", "-a", "", 5):
            refused = await client.post("/v1/evaluations", json=evaluation | {"image": bad})
            assert refused.status_code == 422, bad
            assert refused.json()["field"] == "image"


async def test_both_clients_list_images(platform: PlatformFactory) -> None:
    async with platform() as it, it.served() as url, AsyncClient(url, await it.key()) as client:
        found = await client.images()
        assert [image.name for image in found] == ["python", "python-rl"]
        key = await it.key()

        def use() -> list[Any]:
            with Client(url, key) as blocking:
                return blocking.images()

        assert await asyncio.to_thread(use) == found


async def test_the_command_line_lists_and_shows_images(platform: PlatformFactory, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        where = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        listed = await rlp(tmp_path, "image", "ls", "--json", **where)
        assert [line["name"] for line in listed.lines] == ["python", "python-rl"]
        table = (await rlp(tmp_path, "image", "ls", **where)).out
        assert "numpy 2.0.0" in table
        assert "standard library" in table
        shown = await rlp(tmp_path, "image", "show", "python-rl", **where)
        assert (shown.code, "numpy 2.0.0" in shown.out, "node-1, node-2" in shown.out) == (0, True, True)
        unknown = await rlp(tmp_path, "image", "show", "python-rk", **where)
        assert unknown.code == 2
        assert "did you mean python-rl" in unknown.err
        assert "rlp image build python-rk --requirements FILE" in unknown.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["build", "My_Image", "-r", "r.txt"], "cannot be the name of an image"),
        (["build", "python", "-r", "r.txt"], "comes with the platform"),
        (["build", "mine", "--preload", "numpy"], "--preload goes with --requirements"),
    ],
)
async def test_what_cannot_be_built_is_refused(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    (tmp_path / "r.txt").write_text("numpy\n")
    refused = await rlp(tmp_path, "image", *arguments)
    assert refused.code == 2
    assert complaint in " ".join(refused.err.split())
