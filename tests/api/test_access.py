"""Who may do what: keys, scopes, tenants."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rlplatform.access.keys import KeyRing
from rlplatform.access.principals import Scope
from rlplatform.errors import NotAuthenticated
from rlplatform.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
OPEN = {"/healthz", "/readyz", "/v1/openapi.json"}


async def test_a_key_is_stored_as_a_hash_and_shown_once(platform) -> None:
    async with platform() as it:
        key, text = await it.keys.mint(tenant="school", name="course", scopes=[Scope.READ])
        secret = text[31:]
        assert text.startswith(f"rlp_{key.id.removeprefix('key_')}_")
        assert len(text) == 4 + 26 + 1 + 43
        stored = await it.store.get_key(key.id)
        assert secret not in stored.model_dump_json()
        other = KeyRing(it.store, type(it.app.state.context.settings.access.pepper)("another pepper"), FakeClock())
        with pytest.raises(NotAuthenticated):
            await other.authenticate(text)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer rlp_", "Bearer rlp_é", "Bearer " + "x" * 5000, "Bearer a b"],
)
async def test_what_is_no_key_is_401(platform, header: str | None) -> None:
    async with platform() as it, it.client() as client:
        del client.headers["authorization"]
        headers = {"Authorization": header.encode()} if header is not None else {}
        answer = await client.get("/v1/trainings", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_one_changed_character_is_another_key(platform) -> None:
    async with platform() as it:
        text = await it.key()
        for position in (5, 31, len(text) - 1):
            changed = text[:position] + ("0" if text[position] != "0" else "1") + text[position + 1 :]
            with pytest.raises(NotAuthenticated):
                await it.keys.authenticate(changed)


async def test_expiry_and_revocation_hold_at_once(platform) -> None:
    clock = FakeClock()
    async with platform(clock=clock) as it:
        text = await it.key(expires_at=clock.now() + timedelta(hours=1))
        async with it.client(text) as client:
            assert (await client.get("/v1/trainings")).status_code == 200
            await clock.advance(3600)
            answer = await client.get("/v1/trainings")
            assert (answer.status_code, answer.json()["detail"]) == (401, "the API key has expired")
        text = await it.key()
        async with it.client(text) as client:
            assert (await client.get("/v1/trainings")).status_code == 200
            for key in await it.store.list_keys():
                await it.keys.revoke(key)
            answer = await client.get("/v1/trainings")
            assert (answer.status_code, answer.json()["detail"]) == (401, "the API key has been revoked")


async def test_scopes(platform, evaluation, training) -> None:
    async with platform() as it:
        async with it.client(await it.key(scopes=[Scope.READ])) as reader:
            assert (await reader.get("/v1/trainings")).status_code == 200
            refused = await reader.post("/v1/evaluations", json=evaluation)
            assert (refused.status_code, refused.json()["scope"]) == (403, "evaluate")
            assert (await reader.post("/v1/trainings", json=training)).json()["scope"] == "train"
        async with it.client(await it.key(scopes=[Scope.EVALUATE])) as learner:
            assert (await learner.post("/v1/evaluations", json=evaluation)).status_code == 202
            assert (await learner.get("/v1/evaluations")).status_code == 200
            assert (await learner.post("/v1/trainings", json=training)).json()["scope"] == "train"
        async with it.client(await it.key(scopes=[Scope.ADMIN])) as admin:
            assert (await admin.post("/v1/trainings", json=training)).status_code == 202


async def test_no_route_shows_another_tenants_runs(platform, evaluation, training) -> None:
    admin = {"scopes": [Scope.ADMIN]}
    async with (
        platform() as it,
        it.client(await it.key("ours")) as ours,
        it.client(await it.key("theirs", **admin)) as theirs,
    ):
        ids = {
            "evaluation_id": (await ours.post("/v1/evaluations", json=evaluation)).json()["id"],
            "training_id": (await ours.post("/v1/trainings", json=training)).json()["id"],
            "checkpoint_id": "ckpt_" + "0" * 26,
            "key_id": (await it.store.list_keys("ours"))[0].id,
        }
        tried = 0
        for route in it.app.state.routes:
            if "{" not in route.path:
                continue
            for method in route.methods:
                answer = await theirs.request(method, route.path.format(**ids), json={})
                unknown = await theirs.request(
                    method, route.path.format(**{name: text[:-1] + "9" for name, text in ids.items()}), json={}
                )
                assert answer.status_code == unknown.status_code
                assert answer.status_code in (404, 503), (method, route.path)
                assert answer.json()["detail"] == unknown.json()["detail"]
                tried += 1
        assert tried >= 9
        for path in ("/v1/evaluations", "/v1/trainings"):
            assert (await theirs.get(path)).json()["items"] == []
            assert len((await ours.get(path)).json()["items"]) == 1


async def test_every_route_but_the_open_ones_wants_a_key(platform) -> None:
    async with platform() as it, it.client() as client:
        del client.headers["authorization"]
        for route in it.app.state.routes:
            if route.path not in OPEN:
                for method in route.methods:
                    path = route.path.replace("{", "").replace("}", "")
                    assert (await client.request(method, path)).status_code == 401, route.path
