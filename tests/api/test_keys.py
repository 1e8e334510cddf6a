"""Keys, roles, tickets, tokens, rate limits, the audit log."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm

from rlplatform.access.principals import Role, Scope
from rlplatform.errors import NotAuthenticated, Unavailable
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.redis_server import installed, redis_server
from serve_apps.api.http import audit_log

pytestmark = pytest.mark.anyio


async def test_a_key_is_made_used_rotated_and_revoked(platform) -> None:
    clock = FakeClock()
    at_once = {"access": {"pepper": "pepper", "key_lease_s": 0}}
    async with platform(clock=clock, settings=at_once) as it, it.client() as admin:
        made = await admin.post("/v1/keys", json={"name": "front end", "role": "learner", "expires_in_s": 7200})
        assert made.status_code == 201
        key, text = made.json()["key"], made.json()["api_key"]
        assert text.startswith(key["prefix"])
        assert key["scopes"] == ["evaluate"]
        async with it.client(text) as client:
            assert (await client.get("/v1/whoami")).json() == {
                "id": key["id"],
                "tenant": "school",
                "scopes": ["evaluate"],
            }
            assert (await client.get("/v1/keys")).json()["scope"] == "admin"
            rotated = (await admin.post(f"/v1/keys/{key['id']}/rotate", json={"overlap_s": 60})).json()
            assert rotated["key"]["scopes"] == key["scopes"]
            assert rotated["key"]["expires_at"] == key["expires_at"]
            await clock.advance(59)
            assert (await client.get("/v1/whoami")).status_code == 200
            await clock.advance(2)
            assert (await client.get("/v1/whoami")).status_code == 401
        async with it.client(rotated["api_key"]) as client:
            assert (await client.get("/v1/whoami")).status_code == 200
            revoked = await admin.delete(f"/v1/keys/{rotated['key']['id']}")
            assert revoked.json()["revoked_at"] is not None
            assert (await client.get("/v1/whoami")).status_code == 401
        again = await admin.post(f"/v1/keys/{rotated['key']['id']}/rotate", json={})
        assert (again.status_code, again.json()["state"]) == (409, "revoked")
        listed = (await admin.get("/v1/keys")).json()["items"]
        assert [item["name"] for item in listed] == ["test", "front end", "front end"]
        assert "hmac" not in json.dumps(listed)


@pytest.mark.parametrize(
    ("maker", "asked", "status"),
    [
        (Role.INSTRUCTOR, {"role": "researcher"}, 201),
        (Role.INSTRUCTOR, {"scopes": ["admin"]}, 201),
        (Role.INSTRUCTOR, {"role": "operator"}, 403),
        (Role.INSTRUCTOR, {"role": "learner", "tenant": "other"}, 403),
        (Role.OPERATOR, {"role": "instructor", "tenant": "other"}, 201),
        (Role.OPERATOR, {"role": "learner", "tenant": "../x"}, 422),
        (Role.OPERATOR, {"role": "learner", "scopes": ["read"]}, 422),
        (Role.OPERATOR, {}, 422),
        (Role.RESEARCHER, {"role": "learner"}, 403),
    ],
)
async def test_nobody_grants_more_than_they_have(platform, maker: Role, asked: dict[str, Any], status: int) -> None:
    async with platform() as it, it.client(await it.key(scopes=maker.scopes)) as client:
        answer = await client.post("/v1/keys", json={"name": "k", **asked})
        assert answer.status_code == status, answer.text


async def test_keys_of_another_tenant_are_not_there_but_for_an_operator(platform) -> None:
    async with platform() as it:
        admin = await it.key("theirs", scopes=[Scope.ADMIN])
        await it.key("ours")
        (ours,) = await it.store.list_keys("ours")
        async with it.client(admin) as client:
            assert [item["tenant"] for item in (await client.get("/v1/keys")).json()["items"]] == ["theirs"]
            for method, path in (("DELETE", f"/v1/keys/{ours.id}"), ("POST", f"/v1/keys/{ours.id}/rotate")):
                assert (await client.request(method, path, json={})).status_code == 404
        async with it.client(await it.key("theirs", scopes=Role.OPERATOR.scopes)) as operator:
            assert (await operator.delete(f"/v1/keys/{ours.id}")).status_code == 200


async def test_an_operators_key_is_ended_by_operators_alone(platform) -> None:
    async with platform() as it:
        operators, _ = await it.keys.create(tenant="school", name="operator", scopes=Role.OPERATOR.scopes)
        async with it.client(await it.key(scopes=Role.INSTRUCTOR.scopes)) as instructor, it.client() as operator:
            for method, path in (("DELETE", ""), ("POST", "/rotate")):
                answer = await instructor.request(method, f"/v1/keys/{operators.id}{path}", json={})
                assert (answer.status_code, answer.json()["scope"]) == (403, "operate"), method
            assert (await operator.delete(f"/v1/keys/{operators.id}")).status_code == 200


async def test_a_learner_sees_their_own_runs_alone(platform, evaluation) -> None:
    async with platform() as it, it.client() as admin:
        ada, ben = [
            (await admin.post("/v1/keys", json={"name": name, "role": "learner"})).json() for name in ("ada", "ben")
        ]
        async with it.client(ada["api_key"]) as client:
            hers = (await client.post("/v1/evaluations", json=evaluation)).json()["id"]
        async with it.client(ben["api_key"]) as client:
            his = [(await client.post("/v1/evaluations", json=evaluation)).json()["id"] for _ in range(2)]
            for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events")):
                assert (await client.request(method, f"/v1/evaluations/{hers}{path}")).status_code == 404
            assert (await client.post("/v1/tickets", json={"stream": f"evaluations/{hers}"})).status_code == 404
            ticket = (await client.post("/v1/tickets", json={})).json()["ticket"]
            assert (await client.get(f"/v1/evaluations/{hers}/events", params={"ticket": ticket})).status_code == 404
            seen: list[str] = []
            url = "/v1/evaluations?limit=1"
            while url:
                answer = await client.get(url)
                seen += [row["id"] for row in answer.json()["items"]]
                url = answer.links.get("next", {}).get("url", "")
            assert seen == his[::-1]
            rotated = (await admin.post(f"/v1/keys/{ben['key']['id']}/rotate", json={})).json()
        async with it.client(rotated["api_key"]) as client:
            assert (await client.get(f"/v1/evaluations/{his[0]}")).status_code == 200
        assert {row["id"] for row in (await admin.get("/v1/evaluations")).json()["items"]} == {hers, *his}


async def test_a_ticket_opens_one_stream_once(platform, training) -> None:
    clock = FakeClock(datetime.now(UTC))
    short = {"api": {"stream_max_life_s": 0.05}}
    async with platform(settings=short, clock=clock) as it, it.client() as client, it.client() as stranger:
        del stranger.headers["authorization"]
        made = (await client.post("/v1/trainings", json=training)).json()
        run = await it.store.get(made["id"])
        await it.commands.succeed(run)

        async def ticket(stream: str | None = None) -> str:
            answer = await client.post("/v1/tickets", json={"stream": stream})
            assert answer.status_code == 201
            return str(answer.json()["ticket"])

        path = f"/v1/{run.stream}/events"
        good = await ticket(run.stream)
        assert "training.succeeded" in (await stranger.get(path, params={"ticket": good})).text
        used = await stranger.get(path, params={"ticket": good})
        assert (used.status_code, used.json()["detail"]) == (401, "the ticket has been used")
        for elsewhere in (f"/v1/trainings/{run.id}", "/v1/trainings", "/v1/whoami"):
            assert (await stranger.get(elsewhere, params={"ticket": await ticket()})).status_code == 401
        other = "trainings/train_" + "0" * 26
        assert (await client.post("/v1/tickets", json={"stream": other})).status_code == 404
        another = (await client.post("/v1/trainings", json=training)).json()["id"]
        wrong = await stranger.get(path, params={"ticket": await ticket(f"trainings/{another}")})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "not_allowed")
        late = await ticket()
        await clock.advance(61)
        assert (await stranger.get(path, params={"ticket": late})).json()["detail"] == "the ticket has expired"


async def test_rates_are_limited_and_told(platform, evaluation) -> None:
    limits = {"api": {"rate_limit": "7/minute", "creation_limit": "2/minute"}}
    async with platform(settings=limits) as it, it.client() as client, it.client() as other:
        first = await client.post("/v1/evaluations", json=evaluation)
        assert first.headers["ratelimit-policy"] == '"requests";q=7;w=60, "creations";q=2;w=60'
        assert first.headers["ratelimit"].startswith('"requests";r=6;t=')
        assert (await client.post("/v1/evaluations:batch", json={"evaluations": [evaluation] * 2})).status_code == 429
        never = await client.post("/v1/evaluations:batch", json={"evaluations": [evaluation] * 3})
        assert (never.status_code, never.json()["retryable"]) == (422, False)
        await client.post("/v1/evaluations", json=evaluation)
        refused = await client.post("/v1/evaluations", json=evaluation)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert '"creations";r=0;t=' + refused.headers["retry-after"] in refused.headers["ratelimit"]
        for _ in range(2):
            assert (await client.get("/v1/trainings")).status_code == 200
        assert (await client.get("/v1/trainings")).status_code == 429
        assert (await other.get("/v1/trainings")).status_code == 200
        assert len(await it.store.find("evaluation")) == 2


async def test_replicas_that_share_a_redis_count_together(platform, evaluation, missing, tmp_path: Path) -> None:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path) as redis:
        shared = {"api": {"rate_limit": "4/minute", "rate_limit_store": redis}}
        async with platform(settings=shared) as one, platform(settings=shared) as two:
            key, text = await one.keys.create(tenant="school", name="test", scopes=[Scope.READ])
            await two.store.put_key(key)
            async with one.client(text) as here, two.client(text) as there:
                ticket = (await here.post("/v1/tickets", json={})).json()["ticket"]
                for replica in (one, two):
                    used = replica.app.state.context.access.ticket(ticket)
                    if replica is one:
                        assert (await used).tenant == "school"
                    else:
                        with pytest.raises(NotAuthenticated, match="used"):
                            await used
                codes = [(await client.get("/v1/trainings")).status_code for client in (there, here, there, here)]
                assert codes == [200, 200, 200, 429]


async def test_ticket_is_good_once_on_all_replicas_of_a_store_on_redis(platform, missing, tmp_path: Path) -> None:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path) as redis:
        async with platform(settings={"store": {"url": redis}}) as one, one.client() as client:
            ticket = (await client.post("/v1/tickets", json={})).json()["ticket"]
            first, second = (each.app.state.context for each in (one, one.replica()))
            assert (await first.access.ticket(ticket)).tenant == "school"
            with pytest.raises(NotAuthenticated, match="used"):
                await second.access.ticket(ticket)
            await second.limiter.close()


async def test_while_the_redis_is_gone_rates_are_open_and_tickets_shut(platform) -> None:
    async with platform(settings={"api": {"rate_limit_store": "redis://127.0.0.1:9/0"}}) as it, it.client() as client:
        assert (await client.get("/v1/trainings")).status_code == 200
        ticket = (await client.post("/v1/tickets", json={})).json()["ticket"]
        with pytest.raises(Unavailable, match="use a key"):
            await it.app.state.context.access.ticket(ticket)


async def test_whatever_changes_something_is_audited(platform, evaluation, tmp_path: Path) -> None:
    log = logging.getLogger("rlplatform.audit")
    level = log.level
    audit_log.keep(tmp_path / "audit.log")
    try:
        async with platform() as it, it.client() as client:
            await client.get("/v1/trainings")
            made = await client.post("/v1/evaluations", json=evaluation)
            await client.delete(made.headers["location"])
            del client.headers["authorization"]
            await client.post("/v1/keys", json={})
            await client.delete("/v1/keys/a%0ADELETE")
            (key,) = await it.store.list_keys()
    finally:
        log.handlers.pop().close()
        log.setLevel(level)
    audited = (tmp_path / "audit.log").read_text().splitlines()
    assert [line.partition(" ")[2].rpartition(" [")[0] for line in audited] == [
        f"POST /v1/evaluations by {key.id} of school: 202 {made.headers['location']}",
        f"DELETE {made.headers['location']} by {key.id} of school: 202",
        "POST /v1/keys by nobody of no tenant: 401",
        "DELETE /v1/keys/a%0ADELETE by nobody of no tenant: 401",
    ]


PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider() -> Iterator[str]:
    """An identity provider's published keys, on a loopback port."""
    published = RSAAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True) | {"kid": "k1", "use": "sig", "alg": "RS256"}

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"keys": [published]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()
        thread.join()


def token(key: Any = PRIVATE, algorithm: str = "RS256", kid: str = "k1", **changes: Any) -> str:
    claims = {
        "iss": "https://login.test",
        "aud": "rlp",
        "sub": "ada",
        "tenant": "school",
        "scope": "read evaluate openid operate",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def trusting(url: str) -> dict[str, Any]:
    provider = {"issuer": "https://login.test", "audience": "rlp", "jwks_url": url}
    return {"access": {"pepper": "pepper", "jwt": provider}}


async def test_tokens_of_the_identity_provider(platform, provider: str) -> None:
    async with platform(settings=trusting(provider)) as it:
        async with it.client(token()) as client:
            assert (await client.get("/v1/whoami")).json() == {
                "id": "jwt:ada",
                "tenant": "school",
                "scopes": ["evaluate", "read"],
            }
        async with it.client() as client:
            assert (await client.get("/v1/whoami")).status_code == 200
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        wrong = [
            token(stranger),
            token(kid="k2"),
            token(iss="https://evil.test"),
            token(aud="other"),
            token(exp=datetime.now(UTC) - timedelta(minutes=5)),
            token(exp=None),
            token(sub=None),
            token(tenant=None),
            token(tenant=["school"]),
            token(tenant=""),
            token(tenant="../School"),
            token(tenant="school\n"),
            token(sub=""),
            token("shared secret of thirty-two bytes!", "HS256"),
            jwt.encode({"sub": "ada", "tenant": "school"}, None, algorithm="none", headers={"kid": "k1"}),
            "a.b.c",
            base64.urlsafe_b64encode(b"[" * 3000).decode() + ".b.c",
        ]
        for text in wrong:
            async with it.client(text) as client:
                assert (await client.get("/v1/whoami")).status_code == 401
        async with it.client(token(scope=["read"])) as client:
            assert (await client.get("/v1/whoami")).json()["scopes"] == ["read"]


async def test_a_ticket_is_no_token_and_a_token_is_no_ticket(platform, provider: str, training) -> None:
    async with platform(settings=trusting(provider)) as it, it.client(token()) as ada, it.client() as stranger:
        ticket = (await ada.post("/v1/tickets", json={})).json()["ticket"]
        for text in (ticket, ticket.removeprefix("rlt_")):
            async with it.client(text) as client:
                assert (await client.get("/v1/whoami")).status_code == 401
        async with it.client() as admin:
            run = (await admin.post("/v1/trainings", json=training)).json()["id"]
        del stranger.headers["authorization"]
        for text in (token(), "rlt_" + token(), ticket.removeprefix("rlt_")):
            refused = await stranger.get(f"/v1/trainings/{run}/events", params={"ticket": text})
            assert (refused.status_code, refused.json()["detail"]) == (401, "the ticket is not valid")


ODD: list[Any] = [
    *([], {}, [[]], [["read"]], [{"read": 1}], {"read": True}, [None], [1, "read"], 0, -1, 1.5, True, "", "x" * 10_000),
    *(
        10**400,
        1e308,
        [10**400],
        "1e999",
        ["rlp", ["rlp"]],
        {"a": {"b": ["c"]}},
        "\x00",
        "\ud83e\udd80",
        ["read"] * 5000,
    ),
]


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "tenant", "scope", "exp", "nbf", "iat", "jti", "other"])
async def test_no_claim_of_an_odd_type_breaks_anything(platform, provider: str, claim: str) -> None:
    async with platform(settings=trusting(provider)) as it, it.client() as client:
        for value in ODD:
            header = {"Authorization": f"Bearer {signed(claim, value)}"}
            answer = await client.get("/v1/whoami", headers=header)
            assert answer.status_code in (200, 401), (claim, str(value)[:80], answer.text[:300])
            assert len(answer.content) < 5000
            assert (await client.get("/v1/keys", headers=header)).status_code in (401, 403), (claim, str(value)[:80])


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN", "1e999", "[" * 5000 + "]" * 5000])
async def test_nor_does_a_claim_that_is_no_json(platform, provider: str, value: str) -> None:
    async with platform(settings=trusting(provider)) as it, it.client() as client:
        for claim in ("exp", "nbf", "iat", "scope", "sub"):
            header = {"Authorization": f"Bearer {signed(claim, 12345678901, instead=value)}"}
            assert (await client.get("/v1/whoami", headers=header)).status_code in (200, 401), claim


@pytest.mark.parametrize(
    "header", [{"kid": []}, {"kid": {}}, {"kid": 1}, {"kid": None}, {}, {"kid": "k1", "crit": ["x"]}]
)
async def test_nor_does_an_odd_header(platform, provider: str, header: dict[str, Any]) -> None:
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"} | header).encode(), token().split(".")[1].encode()]
    head = base64.urlsafe_b64encode(parts[0]).rstrip(b"=")
    signature = base64.urlsafe_b64encode(sign(head + b"." + parts[1])).rstrip(b"=")
    text = b".".join([head, parts[1], signature]).decode()
    async with platform(settings=trusting(provider)) as it, it.client(text) as client:
        assert (await client.get("/v1/whoami")).status_code == 401


def sign(message: bytes) -> bytes:
    return PRIVATE.sign(message, padding.PKCS1v15(), hashes.SHA256())


def signed(claim: str, value: Any, instead: str | None = None) -> str:
    """A token with a good signature, and ``value`` as ``claim``; ``instead``: of its JSON."""
    claims = {"iss": "https://login.test", "aud": "rlp", "sub": "ada", "tenant": "school", "scope": "read"}
    text = json.dumps(claims | {"exp": int(time.time()) + 300} | {claim: value})
    if instead is not None:
        text = text.replace(json.dumps(value), instead)
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k1"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
    signature = base64.urlsafe_b64encode(sign(head + b"." + body)).rstrip(b"=")
    return b".".join([head, body, signature]).decode()


async def test_an_expired_key_is_not_rotated(platform) -> None:
    clock = FakeClock()
    async with platform(clock=clock) as it, it.client() as client:
        key, _ = await it.keys.create(
            tenant="school", name="old", scopes=[Scope.READ], expires_at=clock.now() + timedelta(hours=1)
        )
        await clock.advance(3600)
        answer = await client.post(f"/v1/keys/{key.id}/rotate", json={})
        assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "conflict", "expired")
        assert "make a new one" in answer.json()["detail"]
        assert len([each for each in await it.store.list_keys("school") if each.name == "old"]) == 1


async def test_a_provider_that_does_not_answer_is_503_for_tokens_alone(platform) -> None:
    async with platform(settings=trusting("http://127.0.0.1:9/jwks")) as it:
        async with it.client(token()) as client:
            assert (await client.get("/v1/whoami")).status_code == 503
        async with it.client() as client:
            assert (await client.get("/v1/whoami")).status_code == 200


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200 OK\r\n\r\n<h1>Maintenance</h1>", b""])
async def test_nor_does_one_that_answers_something_else_break_anything(platform, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
        async with platform(settings=trusting(url)) as it, it.client(token()) as client:
            assert (await client.get("/v1/whoami")).status_code == 503


async def test_without_a_provider_a_token_is_nothing(platform) -> None:
    async with platform() as it, it.client(token()) as client:
        assert (await client.get("/v1/whoami")).status_code == 401


@pytest.mark.parametrize("how", ["revoked", "rotated", "expired"])
async def test_a_ticket_ends_with_its_key(platform, training, how: str) -> None:
    clock = FakeClock()
    at_once = {"access": {"pepper": "pepper", "key_lease_s": 0, "ticket_life_s": 600}}
    async with platform(clock=clock, settings=at_once) as it, it.client() as admin:
        run = await it.store.get((await admin.post("/v1/trainings", json=training)).json()["id"])
        key, text = await it.keys.create(
            tenant="school", name="front end", scopes=[Scope.READ], expires_at=clock.now() + timedelta(seconds=300)
        )
        async with it.client(text) as client:
            tickets = [(await client.post("/v1/tickets", json={})).json()["ticket"] for _ in range(2)]
        access = it.app.state.context.access
        await access.ticket(tickets[0], run.stream)
        await access.renew(tickets[0])
        if how == "revoked":
            assert (await admin.delete(f"/v1/keys/{key.id}")).status_code == 200
        elif how == "rotated":
            assert (await admin.post(f"/v1/keys/{key.id}/rotate", json={"overlap_s": 0})).status_code == 201
        else:
            await clock.advance(300)
        with pytest.raises(NotAuthenticated, match=r"the API key has (expired|been revoked)"):
            await access.renew(tickets[0])
        with pytest.raises(NotAuthenticated, match=r"the API key has (expired|been revoked)"):
            await access.ticket(tickets[1], run.stream)
        with pytest.raises(NotAuthenticated):
            await access.ticket(tickets[1])


async def test_a_ticket_ends_with_its_token(platform, provider: str) -> None:
    clock = FakeClock(datetime.now(UTC))
    settings = trusting(provider)
    settings["access"]["ticket_life_s"] = 600
    async with platform(clock=clock, settings=settings) as it:
        async with it.client(token(exp=datetime.now(UTC) + timedelta(seconds=100))) as client:
            ticket = (await client.post("/v1/tickets", json={})).json()
        access = it.app.state.context.access
        await access.ticket(ticket["ticket"])
        await access.renew(ticket["ticket"])
        await clock.advance(101)
        with pytest.raises(NotAuthenticated):
            await access.renew(ticket["ticket"])
        async with it.client(token(exp=10**15)) as client:
            assert (await client.post("/v1/tickets", json={})).status_code == 201


async def test_a_browser_comes_again_with_the_ticket_that_it_has_used(platform, training) -> None:
    clock = FakeClock()
    async with platform(clock=clock) as it, it.client() as client:
        run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        other = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        for each in (run, other):
            await it.commands.succeed(each)
        ticket = (await client.post("/v1/tickets", json={})).json()["ticket"]
        path, elsewhere = (f"/v1/{each.stream}/events?ticket={ticket}" for each in (run, other))
        del client.headers["authorization"]
        first = await client.get(path)
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("rlp_stream=")
        for part in ("HttpOnly", "SameSite=Strict", f"Path=/v1/{run.stream}/events", "Max-Age=86400"):
            assert part in cookie
        assert "Secure" not in cookie
        value = cookie.partition("=")[2].partition(";")[0]
        client.cookies.clear()

        async def again(target: str, last: str | None, given: str | None) -> tuple[int, str | None]:
            headers = {"Last-Event-ID": last} if last else {}
            if given:
                headers["Cookie"] = f"rlp_stream={given}"
            answer = await client.get(target, headers=headers)
            client.cookies.clear()
            return answer.status_code, answer.headers.get("set-cookie")

        assert (await again(path, "1", value))[0] == 200
        assert (await again(path, "1", value))[1] is not None, "it may come again and again"
        assert await again(path, "1", None) == (401, None), "of whoever has the link alone, it is used up"
        assert await again(path, None, value) == (401, None)
        assert await again(elsewhere, "1", value) == (401, None)
        assert await again(path, "1", value[:-2] + ("AA" if value[-2:] != "AA" else "BB")) == (401, None)
        assert await again(path, "1", ticket) == (401, None)
        assert await again(f"/v1/{run.stream}/events?ticket={value}", "1", value) == (401, None)
        await clock.advance(3600)
        assert (await again(path, "1", value))[0] == 200, "the ticket itself has long expired"
        await clock.advance(86_400)
        assert await again(path, "1", value) == (401, None)
        async with it.client() as fresh:
            ticket = (await fresh.post("/v1/tickets", json={})).json()["ticket"]
            behind_tls = await client.get(
                f"/v1/{run.stream}/events?ticket={ticket}", headers={"X-Forwarded-Proto": "https"}
            )
            assert "Secure" in behind_tls.headers["set-cookie"]
            direct = await fresh.get(f"/v1/{run.stream}/events")
            assert "set-cookie" not in direct.headers


async def test_a_browser_that_comes_again_is_refused_once_the_key_is_revoked(platform, training) -> None:
    at_once = {"access": {"pepper": "pepper", "key_lease_s": 0}}
    async with platform(settings=at_once) as it, it.client() as admin:
        run = await it.store.get((await admin.post("/v1/trainings", json=training)).json()["id"])
        await it.commands.succeed(run)
        key, text = await it.keys.create(tenant="school", name="front end", scopes=[Scope.READ])
        async with it.client(text) as client:
            ticket = (await client.post("/v1/tickets", json={"stream": run.stream})).json()["ticket"]
            del client.headers["authorization"]
            path = f"/v1/{run.stream}/events?ticket={ticket}"
            assert (await client.get(path)).status_code == 200
            assert (await client.get(path, headers={"Last-Event-ID": "1"})).status_code == 200
            await it.keys.revoke(key)
            refused = await client.get(path, headers={"Last-Event-ID": "1"})
            assert (refused.status_code, refused.json()["detail"]) == (401, "the API key has been revoked")


async def test_one_ticket_for_two_at_once(platform, training) -> None:
    async with platform() as it, it.client() as client:
        run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        await it.commands.succeed(run)
        ticket = (await client.post("/v1/tickets", json={})).json()["ticket"]
        del client.headers["authorization"]
        path = f"/v1/{run.stream}/events?ticket={ticket}"
        answers = await asyncio.gather(*(client.get(path) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
