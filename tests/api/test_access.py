"""Access by keys, scopes and tenants."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from rlplatform.access.api_keys import ApiKey, ApiKeyService, KeyStore
from rlplatform.access.principals import Scope
from rlplatform.clock import SystemClock
from rlplatform.errors import NotAuthenticated
from rlplatform.storage import open_store
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.episodes import local_episodes, recording
from rlplatform.testing.files import MemoryFiles
from serve_apps.api.authentication import Authenticator

pytestmark = pytest.mark.anyio
PUBLIC = {"access": {"pepper": "pepper", "public_url": "https://rlp.test"}}
ENVIRONMENT = {"entry": "grid:Grid", "files": [{"path": "grid.py", "content": "class Grid: ..."}]}
KINDS = ("evaluation", "training", "study", "policy", "assignment", "work", "regrade")
OPEN = {"/healthz", "/readyz", "/v1/openapi.json", "/v1/invitations:accept", "/v1/session"}
OPEN |= {"/sign-in", "/sign-in/callback", "/lti/login", "/lti/launch", "/lti/keys"}  # 404 unless they are set up
OPEN |= {"/v1/live"}  # a plain request gets 426


async def test_a_key_is_stored_as_a_hash_and_shown_once(platform) -> None:
    async with platform() as it:
        key, text = await it.keys.create(tenant="school", name="course", scopes=[Scope.READ])
        secret = text[31:]
        assert text.startswith(f"rlp_{key.id.removeprefix('key_')}_")
        assert len(text) == 4 + 26 + 1 + 43
        stored = await it.store.get_key(key.id)
        assert secret not in stored.model_dump_json()
        other = ApiKeyService(
            it.store, type(it.app.state.context.settings.access.pepper)("another pepper"), FakeClock()
        )
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


async def test_expiry_holds_at_once(platform) -> None:
    clock = FakeClock()
    async with platform(clock=clock) as it:
        text = await it.key(expires_at=clock.now() + timedelta(hours=1))
        async with it.client(text) as client:
            assert (await client.get("/v1/trainings")).status_code == 200
            await clock.advance(3600)
            answer = await client.get("/v1/trainings")
            assert (answer.status_code, answer.json()["detail"]) == (401, "the API key has expired")


@pytest.mark.parametrize(
    ("method", "path", "body", "why"),
    [
        ("DELETE", "", None, "the API key has been revoked"),
        ("POST", "/rotate", {"overlap_s": 0}, "the API key has expired"),
    ],
)
async def test_no_replica_accepts_a_key_once_its_end_was_answered(
    platform, method: str, path: str, body: dict[str, Any] | None, why: str
) -> None:
    clock = FakeClock()
    lease = {"access": {"pepper": "pepper", "key_lease_s": 1}}
    async with platform(clock=clock, settings=lease) as it, it.client() as admin:
        key, text = await it.keys.create(tenant="school", name="stolen", scopes=[Scope.READ])
        async with it.client(text) as here, it.replica().client(text) as there, it.replica().client(text) as late:
            for replica in (here, there):
                assert (await replica.get("/v1/trainings")).status_code == 200
            await clock.advance(0.5)
            ending = asyncio.create_task(admin.request(method, f"/v1/keys/{key.id}{path}", json=body))
            await clock.advance(0.4)
            assert not ending.done(), "somebody may still go by what the key was"
            assert (await there.get("/v1/trainings")).status_code == 200
            assert (await late.get("/v1/trainings")).status_code == 401
            await clock.advance(0.6)
            assert (await ending).is_success
            for replica in (here, there, late):
                answer = await replica.get("/v1/trainings")
                assert (answer.status_code, answer.json()["detail"]) == (401, why)


class CountingKeys:
    """A store of keys that counts how often it is read, and answers when told to."""

    def __init__(self, store: KeyStore) -> None:
        self.reads = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self._store = store

    async def put_key(self, key: ApiKey) -> None:
        await self._store.put_key(key)

    async def get_key(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        found = await self._store.get_key(key_id)
        await self.answering.wait()
        return found

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        return await self._store.list_keys(tenant)


async def test_a_key_in_use_is_read_once_a_lease() -> None:
    clock = FakeClock()
    store = CountingKeys(await open_store("memory://", clock=clock))
    ring = ApiKeyService(store, SecretStr("pepper"), clock, lease_s=1.0)
    _, text = await ring.create(tenant="school", name="course", scopes=[Scope.READ])
    for _ in range(10):
        await ring.authenticate(text)
        await clock.advance(0.25)
    assert store.reads == 3
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await ring.authenticate(text[:-43] + "x" * 43)
        with pytest.raises(NotAuthenticated):
            await ring.authenticate("rlp_" + "0" * 26 + text[30:])
    assert store.reads == 5, "what is not there is asked for again"


async def test_a_stream_outlives_a_store_that_does_not_answer(platform) -> None:
    async with platform() as it:
        store = CountingKeys(it.store)
        settings = it.app.state.context.settings
        access = Authenticator(store, settings, SystemClock(), it.app.state.context.limiter)
        key, text = await access.keys.create(tenant="school", name="course", scopes=[Scope.READ])
        await access.renew(text)
        await asyncio.sleep(settings.access.key_lease_s)
        store.answering.clear()
        await access.renew(text)
        store.answering.set()
        await access.keys.revoke(key)
        with pytest.raises(NotAuthenticated):
            await access.renew(text)


async def test_a_lease_counts_from_before_the_store_was_asked() -> None:
    clock = FakeClock()
    store = CountingKeys(await open_store("memory://", clock=clock))
    slow, other = (ApiKeyService(store, SecretStr("pepper"), clock, lease_s=1.0) for _ in range(2))
    key, text = await other.create(tenant="school", name="course", scopes=[Scope.READ])
    store.answering.clear()
    reading = asyncio.create_task(slow.authenticate(text))
    await clock.advance(0.0)
    revoking = asyncio.create_task(other.revoke(key))
    await clock.advance(0.9)
    store.answering.set()
    assert (await reading).tenant == "school"
    await clock.advance(0.1)
    await revoking
    with pytest.raises(NotAuthenticated):
        await slow.authenticate(text)


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


async def test_no_route_gives_away_what_is_another_tenants(platform, evaluation, training, tmp_path: Path) -> None:
    """Every route of the table, with ids of another tenant and with ids of nobody: the answers are the same."""
    checkpoints, episodes = MemoryCheckpoints(), local_episodes(tmp_path / "episodes")
    async with (
        platform(checkpoints=checkpoints, files=MemoryFiles(), episodes=episodes, settings=PUBLIC) as it,
        it.client(await it.key("ours")) as ours,
        it.client(await it.key("theirs", scopes=[Scope.ADMIN])) as theirs,
    ):
        training_id = (await ours.post("/v1/trainings", json=training)).json()["id"]
        folder = tmp_path / "checkpoint"
        folder.mkdir()
        (folder / "weights").write_bytes(b"x")
        study = {"training": training, "sampler": {"kind": "grid"}}
        checkpoint = samples.checkpoint(training_id, 1)
        checkpoints.commit(checkpoint, folder)
        ids = {
            "evaluation_id": (await ours.post("/v1/evaluations", json=evaluation)).json()["id"],
            "training_id": training_id,
            "run_id": training_id,
            "episode_id": episodes.put([recording(training_id)])[0].id,
            "checkpoint_id": checkpoint.id,
            "study_id": (await ours.post("/v1/studies", json=study)).json()["id"],
            "policy_id": (await ours.post("/v1/policies", json={"checkpoint_id": checkpoint.id})).json()["id"],
            "webhook_id": (await ours.post("/v1/webhooks", json={"url": "https://example.com"})).json()["webhook"][
                "id"
            ],
            "environment_id": (await ours.post("/v1/environments", json=ENVIRONMENT)).json()["id"],
            "file_id": (await ours.post("/v1/files", params={"name": "a.txt"}, content=b"ours alone")).json()["id"],
            "key_id": (await it.store.list_keys("ours"))[0].id,
            "registration_id": await a_registration(ours),
            "tenant": "ours",
            **(await an_assignment(ours)),
        }
        nobodys = {name: text[:-1] + ("9" if text[-1] != "9" else "8") for name, text in ids.items()}
        forms = {"form": "onnx", "format": "onnx", "version": "1"}
        before = await stored(it)
        for route in it.app.state.routes:
            named = set(re.findall(r"{(\w+)", route.path))
            assert named <= ids.keys() | forms.keys(), f"{route.path}: an id that this test has none of"
            for method in route.methods if named else ():
                path = re.sub(r"{(\w+)[^}]*}", r"{\1}", route.path)
                bodies = await asyncio.gather(
                    *(theirs.request(method, path.format(**these, **forms), json={}) for these in (ids, nobodys))
                )
                answer, unknown = bodies
                assert answer.status_code == unknown.status_code, (method, route.path)
                assert answer.status_code in (404, 422), (method, route.path, answer.text)
                if method != "HEAD":
                    assert_alike(answer.json(), unknown.json())
        for path, body in (
            ("/v1/tickets", {"stream": "trainings/{training_id}"}),
            ("/v1/tickets", {"stream": "evaluations/{evaluation_id}"}),
            ("/v1/tickets", {"stream": "studies/{study_id}"}),
            ("/v1/policies", {"checkpoint_id": "{checkpoint_id}"}),
            ("/v1/policies", {"training_id": "{training_id}"}),
        ):
            answers = [
                await theirs.post(path, json={name: text.format(**these) for name, text in body.items()})
                for these in (ids, nobodys)
            ]
            assert [answer.status_code for answer in answers] == [404, 404], (path, body)
            assert_alike(*(answer.json() for answer in answers))
        assert await stored(it) == before, "nothing of ours was changed"
        for route in it.app.state.routes:
            if "GET" in route.methods and "{" not in route.path and route.path not in OPEN:
                shown = (await theirs.get(route.path)).text
                assert not [text for text in ids.values() if text != "ours" and text in shown], route.path
        for path in (
            "/v1/evaluations",
            "/v1/trainings",
            "/v1/studies",
            "/v1/policies",
            "/v1/webhooks",
            "/v1/files",
            "/v1/environments:uploaded",
        ):
            assert (await theirs.get(path)).json()["items"] == []
            made = 4 if path == "/v1/evaluations" else 1  # of a submission, of a regrade, of an environment's contract
            assert len((await ours.get(path)).json()["items"]) == made


async def a_registration(ours: Any) -> str:
    """Id of a learning platform of the tenant ``ours``."""
    address = "https://lms.example.edu"
    body = {"name": "LMS", "issuer": address, "client_id": "c", "deployment_ids": ["1"]}
    body |= {"authorization_url": address, "token_url": address, "jwks_url": address}
    made = await ours.post("/v1/lti/registrations", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def an_assignment(ours: Any) -> dict[str, str]:
    """Ids of an assignment, a member, a submission and a regrade of the tenant ``ours``."""
    where = "/v1/assignments/homework"
    body = {"title": "Homework", "tests": [{"id": "t", "stdin": "", "expected_stdout": ""}]}
    assert (await ours.put(where, json=body)).status_code == 201
    mine = (await ours.get("/v1/whoami")).json()["id"]
    roster = {"members": [{"external_id": "s1", "key_id": mine}]}
    member = (await ours.post("/v1/members:import", json=roster)).json()["results"][0]["member"]["id"]
    files = {"files": [{"path": "main.py", "content": ""}]}
    submission = await ours.post(f"{where}/submissions", json=files)
    regrade = await ours.post(f"{where}:regrade", json={})
    return {
        "name": "homework",
        "member_id": member,
        "submission_id": submission.json()["id"],
        "regrade_id": regrade.json()["id"],
    }


def assert_alike(answer: dict[str, Any], unknown: dict[str, Any]) -> None:
    """Compare two problems, except for the id that was asked for and the request's own."""
    for name in ("code", "field", "title"):
        assert answer.get(name) == unknown.get(name)
    assert re.sub(r"\w+_[0-9a-z]{26}", "ID", answer["detail"]) == re.sub(r"\w+_[0-9a-z]{26}", "ID", unknown["detail"])


async def stored(it: Any) -> list[str]:
    """All that the store holds of the tenant ``ours``."""
    runs = [run for kind in KINDS for run in await it.store.find(kind, tenant="ours")]
    kept = [*runs, *await it.store.list_keys("ours")]
    return [model.model_dump_json() for model in kept] + [str(await it.store.list_documents("webhook", owner="ours"))]


async def test_every_route_but_the_open_ones_wants_a_key(platform) -> None:
    async with platform() as it, it.client() as client:
        del client.headers["authorization"]
        for route in it.app.state.routes:
            if route.path not in OPEN:
                for method in route.methods:
                    path = route.path.replace("{", "").replace("}", "")
                    assert (await client.request(method, path)).status_code == 401, route.path
