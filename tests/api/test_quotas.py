"""Quotas: who sets them, what holds then, what usage shows of them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from rlplatform.access.principals import Role, Scope
from rlplatform.testing.clock import FakeClock
from rlplatform.training.events import TrainingStarting

pytestmark = pytest.mark.anyio


async def test_an_operator_sets_them_for_any_tenant_and_takes_them_back(
    platform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rlplatform.audit")
    settings = {"quotas": {"concurrent_trainings": 4, "env_steps_per_day": 1000}}
    async with (
        platform(settings=settings) as it,
        it.client() as operator,
        it.client(await it.key("college", [Scope.ADMIN])) as admin,
    ):
        path = "/v1/tenants/college/quotas"
        answer = (await operator.put(path, json={"concurrent_trainings": None, "weight": 3})).json()
        assert answer["overrides"] == {"concurrent_trainings": None, "weight": 3}
        held = {"concurrent_trainings": None, "env_steps_per_day": 1000, "weight": 3}
        assert answer["quotas"].items() >= held.items()
        assert (await admin.get(path)).json() == answer
        assert "quotas of college set by key_" in caplog.text
        assert '{"concurrent_trainings":null,"weight":3}' in caplog.text
        again = (await operator.put(path, json={"weight": 2})).json()
        assert again["quotas"]["concurrent_trainings"] == 4, "what is not given is the default"
        assert (await operator.delete(path)).json()["overrides"] == {}
        assert (await admin.get(path)).json()["quotas"]["weight"] == 1


async def test_nobody_else_does(platform) -> None:
    async with platform() as it:
        for role in Role:
            async with it.client(await it.key("college", role.scopes)) as client:
                if role is Role.OPERATOR:
                    continue
                answer = await client.put("/v1/tenants/college/quotas", json={"weight": 9})
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
                answer = await client.delete("/v1/tenants/college/quotas")
                assert answer.status_code == 403
        async with it.client(await it.key("college", [Scope.ADMIN])) as admin:
            for method in ("GET", "PUT", "DELETE"):
                for tenant in ("school", "nobody"):
                    answer = await admin.request(method, f"/v1/tenants/{tenant}/quotas", json={})
                    assert (answer.status_code, answer.json()["detail"]) == (404, "no such tenant")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"concurrent_training": 1}, "concurrent_training"),
        ({"weight": 0}, "weight"),
        ({"env_steps_per_day": -1}, "env_steps_per_day"),
        ({"env_steps_per_day": 1.5}, "env_steps_per_day"),
        ({"sandbox_cpu_s_per_day": "many"}, "sandbox_cpu_s_per_day"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_field(platform, body: dict[str, object], field: str) -> None:
    async with platform() as it, it.client() as operator:
        answer = await operator.put("/v1/tenants/college/quotas", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert (await operator.put("/v1/tenants/No!/quotas", json={})).status_code == 422


async def test_usage_shows_what_is_used_of_each(platform, training) -> None:
    clock = FakeClock(datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    settings = {"quotas": {"env_steps_per_day": 1000}}
    async with platform(settings=settings, clock=clock) as it, it.client() as client:
        await client.post("/v1/trainings", json=training)
        (run,) = await it.store.find("training")
        await it.commands.play(run.stream, TrainingStarting(stream=run.stream, time=clock.now(), epoch=1))
        await it.commands.iterate(run, 1, 2)
        usage = (await client.get("/v1/usage")).json()
        quotas = {row["quota"]: row for row in usage["quotas"]}
        assert quotas["env_steps_per_day"] == {
            "quota": "env_steps_per_day",
            "used": 512.0,
            "limit": 1000.0,
            "resets_at": "2026-03-02T00:00:00Z",
        }
        assert quotas["concurrent_trainings"] == {
            "quota": "concurrent_trainings",
            "used": 1.0,
            "limit": None,
            "resets_at": None,
        }
        await clock.advance(3600)
        usage = (await client.get("/v1/usage")).json()
        assert (usage["since"], usage["env_steps_today"]) == ("2026-03-02T00:00:00Z", 0)
