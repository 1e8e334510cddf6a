"""``/v1/load``, the clients' calls and ``rlp admin top``: what waits and runs, for operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.client import AsyncClient
from tests.api.command import rlp
from tests.api.conftest import PlatformFactory

pytestmark = pytest.mark.anyio
OPERATOR = [Scope.READ, Scope.OPERATE]


async def test_operators_see_the_work_of_all_tenants(platform: PlatformFactory, evaluation: dict[str, Any]) -> None:
    async with platform() as it:
        for tenant, runs in (("quiet", 1), ("busy", 3)):
            async with it.client(await it.key(tenant=tenant)) as client:
                for _ in range(runs):
                    assert (await client.post("/v1/evaluations", json=evaluation)).status_code == 202
        async with it.client(await it.key(tenant="ops", scopes=OPERATOR)) as operator:
            load = (await operator.get("/v1/load")).json()
        waiting = {one["tenant"]: one["queued_evaluations"] for one in load["tenants"]}
        assert waiting == {"quiet": 1, "busy": 3}
        assert load["sandboxes"][0] | {"slots": 2, "used": 0, "available": True} == load["sandboxes"][0]


async def test_nobody_else_sees_it(platform: PlatformFactory) -> None:
    async with platform() as it, it.client(await it.key(scopes=[Scope.ADMIN])) as instructor:
        refused = await instructor.get("/v1/load")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_top_shows_it_once_as_text_and_as_json(
    platform: PlatformFactory, evaluation: dict[str, Any], tmp_path: Path
) -> None:
    async with platform() as it, it.served() as url:
        async with it.client(await it.key(tenant="busy")) as client:
            assert (await client.post("/v1/evaluations", json=evaluation)).status_code == 202
        key = await it.key(tenant="ops", scopes=OPERATOR)
        where = {"RLP_URL": url, "RLP_API_KEY": key}
        shown = await rlp(tmp_path, "admin", "top", "--once", **where)
        assert shown.code == 0, shown.err
        assert "0 of 2 slots in use, 1 wait" in shown.out
        assert [line.split() for line in shown.out.splitlines() if line.startswith("busy")] == [
            ["busy", "1", "0", "0", "0"]
        ]
        assert "back-up      none is known; make one: rlp admin backup FOLDER" in shown.out
        (line,) = (await rlp(tmp_path, "admin", "top", "--once", "--json", **where)).lines
        async with AsyncClient(url, key) as client:
            found = await client.load()
        assert line["tenants"] == found.model_dump(mode="json")["tenants"]
        refused = await rlp(
            tmp_path, "admin", "top", "--once", RLP_URL=url, RLP_API_KEY=await it.key(scopes=[Scope.ADMIN])
        )
        assert refused.code == 3
        assert "operate" in refused.err
