"""Sign-in with an account of an OpenID provider: who gets in, with which rights, and which attacks do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rlplatform.access.principals import Scope
from rlplatform.clock import Clock
from rlplatform.sign_in.sessions import MAX_SESSIONS
from rlplatform.testing.clock import FakeClock
from tests.api.conftest import Platform, PlatformFactory
from tests.openid_provider import CLIENT, SECRET, KeyPair, OpenIdProviderStub, openid_provider

pytestmark = pytest.mark.anyio
PAGE = "https://rlp.test"
CALLBACK = f"{PAGE}/sign-in/callback"
HEADER = {"RLP-Session": "1"}
COOKIE = "__Host-rlp_session"


class Browser:
    """A browser of its own, which follows the way to the provider and back."""

    def __init__(self, it: Platform) -> None:
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(it.app), base_url=PAGE)

    async def begin(self, to: str = "/assignments/double") -> str:
        """Press the button; return the address at the provider."""
        answer = await self.client.get("/sign-in", params={"to": to})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def provider(self, address: str) -> str:
        """Sign in at the provider; return the address that it sends the browser back to."""
        async with httpx2.AsyncClient() as outside:
            return (await outside.get(address)).headers["location"]

    async def back(self, address: str) -> httpx2.Response:
        """Come back from the provider."""
        return await self.client.get(address)

    async def sign_in(self, to: str = "/assignments/double") -> httpx2.Response:
        return await self.back(await self.provider(await self.begin(to)))

    async def whoami(self) -> httpx2.Response:
        return await self.client.get("/v1/whoami", headers=HEADER)


@asynccontextmanager
async def signing_in(
    platform: PlatformFactory, clock: Clock | None = None, **oidc: Any
) -> AsyncIterator[tuple[Platform, OpenIdProviderStub]]:
    async with openid_provider() as provider:
        provider.redirect_uris = {CALLBACK}
        configured = {
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "tenant": "school",
            "members_only": False,
            **oidc,
        }
        access = {"pepper": "pepper", "public_url": PAGE, "oidc": configured}
        async with platform(settings={"access": access}, clock=clock) as it:
            yield it, provider


async def enrol(it: Platform, **row: Any) -> dict[str, Any]:
    async with it.client() as staff:
        answer = await staff.post("/v1/members:import", json={"members": [{"external_id": "s1", **row}]})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"][0]["member"]


def refusal(answer: httpx2.Response) -> str | None:
    """Return the reason for which a sign-in was refused; None: it was not."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{PAGE}/#"), "it leads to the page, whatever was asked"
    refused = location.removeprefix(f"{PAGE}/#").startswith("refused=")
    assert refused == (COOKIE not in answer.headers.get("set-cookie", "")), "a session comes with a sign-in alone"
    return location.partition("refused=")[2] or None


async def test_account_signs_in_and_returns_to_where_the_person_was(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        browser = Browser(it)
        address = await browser.begin("/assignments/double")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]) == (
            "code",
            "S256",
            CALLBACK,
        )
        answer = await browser.back(await browser.provider(address))
        assert answer.headers["location"] == f"{PAGE}/#signed-in=1&/assignments/double"
        cookie = next(text for text in answer.headers.get_list("set-cookie") if text.startswith(COOKIE))
        for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie
        found = (await browser.whoami()).json()
        assert found == {"id": "jwt:ada", "tenant": "school", "scopes": ["evaluate"]}
        assert not provider.refused


async def test_page_learns_the_provider_and_who_is_signed_in_without_a_key(platform: PlatformFactory) -> None:
    async with signing_in(platform, name="Example University") as (it, _):
        browser = Browser(it)
        told = (await browser.client.get("/v1/session", headers=HEADER)).json()
        assert told == {"provider": {"name": "Example University", "path": "sign-in"}, "principal": None}
        await browser.sign_in()
        told = (await browser.client.get("/v1/session", headers=HEADER)).json()
        assert told["principal"]["id"] == "jwt:ada"
    async with platform() as it:
        assert (await Browser(it).client.get("/v1/session")).json() == {"provider": None, "principal": None}
        assert (await Browser(it).client.get("/sign-in")).status_code == 404


async def test_cookie_alone_authenticates_nothing(platform: PlatformFactory) -> None:
    async with signing_in(platform, default_role="instructor") as (it, _):
        browser = Browser(it)
        await browser.sign_in()
        body = {"name": "stolen", "role": "learner"}
        forged = [
            {},
            {"RLP-Session": "1", "Sec-Fetch-Site": "cross-site"},
            {"RLP-Session": "1", "Sec-Fetch-Site": "same-site"},
        ]
        for headers in forged:
            assert (await browser.client.post("/v1/keys", json=body, headers=headers)).status_code == 401, headers
            assert (await browser.client.get("/v1/session", headers=headers)).json()["principal"] is None
            assert (await browser.client.delete("/v1/session", headers=headers)).status_code == 401
        own = HEADER | {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.client.post("/v1/keys", json=body, headers=own)).status_code == 201
        preflight = await browser.client.options("/v1/keys", headers={"Origin": "https://evil.test"})
        assert not [name for name in preflight.headers if name.startswith("access-control")]


async def test_sign_out_ends_the_session_also_for_who_copied_the_cookie(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, _):
        browser, thief = Browser(it), Browser(it)
        await browser.sign_in()
        stolen = browser.client.cookies[COOKIE]
        thief.client.headers["cookie"] = f"{COOKIE}={stolen}"
        assert (await thief.whoami()).status_code == 200
        assert (await browser.client.delete("/v1/session", headers=HEADER)).status_code == 204
        assert COOKIE not in browser.client.cookies
        assert (await thief.whoami()).status_code == 401
        assert (await browser.whoami()).status_code == 401


async def test_session_expires(platform: PlatformFactory) -> None:
    clock = FakeClock()
    async with signing_in(platform, clock=clock) as (it, _):
        browser = Browser(it)
        await browser.sign_in()
        session = browser.client.cookies[COOKIE]
        browser.client.headers["cookie"] = f"{COOKIE}={session}"
        await clock.advance(12 * 3600 - 1)
        assert (await browser.whoami()).status_code == 200
        await clock.advance(1)
        assert (await browser.whoami()).status_code == 401
        assert await it.store.list_documents("session") == []


async def test_store_has_no_text_of_a_session_and_few_of_them(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, _):
        first = Browser(it)
        await first.sign_in()
        for _ in range(MAX_SESSIONS):
            await (browser := Browser(it)).sign_in()
        stored = await it.store.list_documents("session")
        assert len(stored) == MAX_SESSIONS
        secret = browser.client.cookies[COOKIE].rpartition("_")[2]
        assert secret not in str(stored)
        assert (await first.whoami()).status_code == 401
        assert (await browser.whoami()).status_code == 200


async def test_session_follows_runs_live_with_a_ticket_until_it_ends(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, _):
        browser = Browser(it)
        await browser.sign_in()
        made = await browser.client.post("/v1/tickets", json={}, headers=HEADER)
        assert made.status_code == 201, made.text
        access = it.app.state.context.access
        ticket = made.json()["ticket"]
        assert (await access.ticket(ticket)).id == "jwt:ada"
        await access.renew(ticket)
        await browser.client.delete("/v1/session", headers=HEADER)
        with pytest.raises(Exception, match="session has ended"):
            await access.renew(ticket)


# -- people ------------------------------------------------------------------------------------------------------------


async def test_person_of_the_roster_is_that_member_however_they_sign_in(platform: PlatformFactory) -> None:
    async with signing_in(platform, members_only=True) as (it, _):
        member = await enrol(it, sub="ada")
        browser = Browser(it)
        await browser.sign_in()
        assert (await browser.whoami()).json()["id"] == member["id"]
        assert (await browser.client.get("/v1/members/me", headers=HEADER)).json()["id"] == member["id"]
        async with it.client() as staff:
            await staff.delete(f"/v1/members/{member['id']}")
        assert (await browser.whoami()).status_code == 401, "removal ends the session"
        assert refusal(await browser.sign_in()) == "not_a_member"


@pytest.mark.parametrize(
    ("claim", "row", "person", "expected"),
    [
        ("student_number", {}, {"student_number": "s1"}, None),
        ("student_number", {}, {"student_number": "s2"}, "not_a_member"),
        ("student_number", {}, {"student_number": ["s1"]}, "not_a_member"),
        ("email", {"email": "Ada@example.com"}, {"email": "ada@example.com", "email_verified": True}, None),
        ("email", {"email": "ada@example.com"}, {"email": "ada@example.com"}, "not_a_member"),
        (
            "email",
            {"email": "ada@example.com"},
            {"email": "ada@example.com", "email_verified": "true"},
            "not_a_member",
        ),
        ("email", {}, {"email": "", "email_verified": True}, "not_a_member"),
        (None, {"email": "ada@example.com"}, {"email": "ada@example.com", "email_verified": True}, "not_a_member"),
    ],
)
async def test_claims_find_the_person_on_the_roster(
    platform: PlatformFactory, claim: str | None, row: dict[str, str], person: dict[str, Any], expected: str | None
) -> None:
    async with signing_in(platform, members_only=True, member_claim=claim) as (it, provider):
        member = await enrol(it, **row)
        provider.person = {"sub": "ada", **person}
        browser = Browser(it)
        assert refusal(await browser.sign_in()) == expected
        if expected is None:
            assert (await browser.whoami()).json()["id"] == member["id"]
            provider.person = {"sub": "ada"}
            assert refusal(await browser.sign_in()) is None, "the subject is known from now on"


async def test_email_that_two_people_of_the_roster_have_finds_neither(platform: PlatformFactory) -> None:
    async with signing_in(platform, members_only=True, member_claim="email") as (it, provider):
        await enrol(it, email="ada@example.com")
        await enrol(it, external_id="s2", email="ada@example.com")
        provider.person = {"sub": "ada", "email": "ada@example.com", "email_verified": True}
        assert refusal(await Browser(it).sign_in()) == "not_a_member"


async def test_removed_member_cannot_come_back_through_a_claim(platform: PlatformFactory) -> None:
    async with signing_in(platform, member_claim="student_number") as (it, provider):
        member = await enrol(it)
        async with it.client() as staff:
            await staff.delete(f"/v1/members/{member['id']}")
        provider.person = {"sub": "ada", "student_number": "s1"}
        assert refusal(await Browser(it).sign_in()) == "removed"


@pytest.mark.parametrize(
    ("person", "scopes"),
    [
        ({"roles": ["student"]}, ["evaluate"]),
        ({"roles": "faculty"}, ["admin"]),
        ({"roles": ["faculty", "student"]}, ["admin", "evaluate"]),
        ({"roles": ["operator", "admin"]}, None),
        ({"roles": {"faculty": True}}, None),
        ({}, None),
    ],
)
async def test_claims_give_roles_and_only_those_of_the_settings(
    platform: PlatformFactory, person: dict[str, Any], scopes: list[str] | None
) -> None:
    roles = {"student": "learner", "faculty": "instructor"}
    async with signing_in(platform, roles=roles, default_role=None) as (it, provider):
        provider.person = {"sub": "ada", **person}
        browser = Browser(it)
        assert refusal(await browser.sign_in()) == (None if scopes else "no_access")
        if scopes:
            assert (await browser.whoami()).json()["scopes"] == scopes


async def test_roles_can_lie_deeper_in_the_claims(platform: PlatformFactory) -> None:
    more = {"role_claim": "realm_access.roles", "roles": {"staff": "instructor"}, "default_role": None}
    async with signing_in(platform, **more) as (it, provider):
        provider.person = {"sub": "ada", "realm_access": {"roles": ["staff"]}}
        assert refusal(await Browser(it).sign_in()) is None


@pytest.mark.parametrize(
    ("claim", "expected"),
    [("physics", None), ("Not A Tenant", "no_access"), (None, "no_access"), (["physics"], "no_access")],
)
async def test_claim_names_the_tenant(platform: PlatformFactory, claim: Any, expected: str | None) -> None:
    async with signing_in(platform, tenant=None, tenant_claim="department") as (it, provider):
        provider.person = {"sub": "ada", "department": claim}
        browser = Browser(it)
        assert refusal(await browser.sign_in()) == expected
        if expected is None:
            assert (await browser.whoami()).json()["tenant"] == "physics"


# -- attacks -----------------------------------------------------------------------------------------------------------


async def test_answer_to_another_browsers_sign_in_is_refused(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        attacker, victim = Browser(it), Browser(it)
        link = await attacker.provider(await attacker.begin())
        assert refusal(await victim.back(link)) == "begin_again"
        await victim.begin()
        assert refusal(await victim.back(link)) == "begin_again"
        assert (await victim.whoami()).status_code == 401
        assert provider.codes, "the code was not even sent to the provider"


async def test_replayed_answer_is_refused(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        browser = Browser(it)
        link = await browser.provider(await browser.begin())
        state = browser.client.cookies["__Host-rlp_sign_in"]
        assert refusal(await browser.back(link)) is None
        assert refusal(await browser.back(link)) == "begin_again", "the state was taken away"
        browser.client.cookies.set("__Host-rlp_sign_in", state)
        assert refusal(await browser.back(link)) == "not_valid"
        assert provider.refused == ["invalid_grant"]


async def test_code_of_another_sign_in_is_refused_for_its_challenge(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        attacker, victim = Browser(it), Browser(it)
        stolen = parse_qs(urlsplit(await attacker.provider(await attacker.begin())).query)["code"][0]
        own = urlsplit(await victim.provider(await victim.begin()))
        state = parse_qs(own.query)["state"][0]
        injected = f"{CALLBACK}?code={stolen}&state={state}&iss={provider.issuer}"
        assert refusal(await victim.back(injected)) == "not_valid"
        assert provider.refused == ["invalid_grant"]


async def test_sign_in_that_takes_too_long_is_refused(platform: PlatformFactory) -> None:
    clock = FakeClock()
    async with signing_in(platform, clock=clock) as (it, _):
        browser = Browser(it)
        link = await browser.provider(await browser.begin())
        state = browser.client.cookies["__Host-rlp_sign_in"]
        await clock.advance(600)
        browser.client.cookies.clear()
        browser.client.cookies.set("__Host-rlp_sign_in", state)
        assert refusal(await browser.back(link)) == "begin_again"


@pytest.mark.parametrize("state", ["", "x", "a.b.c", "é"])
async def test_state_that_the_platform_did_not_sign_is_refused(platform: PlatformFactory, state: str) -> None:
    async with signing_in(platform) as (it, _):
        browser = Browser(it)
        link = await browser.provider(await browser.begin())
        forged = jwt.encode({"aud": "openid", "ends": time.time() + 60, "state": {}}, "k" * 32, algorithm="HS256")
        for text in (state, forged):
            answer = await Browser(it).client.get(link, headers={"Cookie": f"__Host-rlp_sign_in={text}".encode()})
            assert refusal(answer) == "begin_again"


@pytest.mark.parametrize("given", [None, "https://evil.test"])
async def test_answer_of_another_issuer_is_refused(platform: PlatformFactory, given: str | None) -> None:
    async with signing_in(platform) as (it, _):
        browser = Browser(it)
        parts = parse_qs(urlsplit(await browser.provider(await browser.begin())).query)
        more = f"&iss={given}" if given is not None else ""
        link = f"{CALLBACK}?code={parts['code'][0]}&state={parts['state'][0]}{more}"
        assert refusal(await browser.back(link)) == "not_valid"


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "first"})


SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "wrong issuer": lambda claims: claims.update(iss="https://evil.test"),
    "wrong audience": lambda claims: claims.update(aud="another client"),
    "no audience": lambda claims: claims.pop("aud"),
    "several audiences, no party": lambda claims: claims.update(aud=[CLIENT, "another"]),
    "another party": lambda claims: claims.update(azp="another"),
    "expired": lambda claims: claims.update(exp=int(time.time()) - 60),
    "no expiry": lambda claims: claims.pop("exp"),
    "from the future": lambda claims: claims.update(nbf=int(time.time()) + 600),
    "wrong nonce": lambda claims: claims.update(nonce="another"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "nonce of another type": lambda claims: claims.update(nonce=["x"]),
    "no subject": lambda claims: claims.pop("sub"),
    "no time of issue": lambda claims: claims.pop("iat"),
    "algorithm none": unsigned,
    "another key": lambda claims: KeyPair("other").sign(claims, kid="first"),
    "unknown key id": lambda claims: KeyPair("other").sign(claims),
    "no token": lambda claims: "x",
}


@pytest.mark.parametrize("attack", SPOILT)
async def test_spoilt_id_token_signs_nobody_in(platform: PlatformFactory, attack: str) -> None:
    async with signing_in(platform) as (it, provider):

        def spoil(claims: dict[str, Any]) -> str | None:
            made = SPOILT[attack](claims)
            return made if isinstance(made, str) and made.count(".") == 2 else ("x" if attack == "no token" else None)

        provider.spoil = spoil
        browser = Browser(it)
        assert refusal(await browser.sign_in()) == "not_valid"
        assert (await browser.whoami()).status_code == 401


async def test_public_key_as_a_shared_secret_signs_nobody_in(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        public = provider.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

        def confused(claims: dict[str, Any]) -> str:
            head = {"alg": "HS256", "typ": "JWT", "kid": "first"}
            parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
            mac = hmac.new(public, b".".join(parts), hashlib.sha256).digest()
            return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()

        provider.spoil = confused
        assert refusal(await Browser(it).sign_in()) == "not_valid"


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.test",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/#key=rlp_x",
        "@evil.test",
        "",
        "/" + "a" * 600,
    ],
)
async def test_way_back_leads_nowhere_but_to_the_page(platform: PlatformFactory, to: str) -> None:
    async with signing_in(platform) as (it, _):
        answer = await Browser(it).sign_in(to)
        location = answer.headers["location"]
        parts = urlsplit(location)
        assert (parts.scheme, parts.netloc, parts.path) == ("https", "rlp.test", "/")
        assert parts.fragment in ("signed-in=1&/", "signed-in=1&//evil.test"), "a route of the page"


async def test_host_of_the_request_does_not_choose_the_way_back(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, _):
        answer = await Browser(it).client.get(
            "/sign-in", headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"}
        )
        asked = parse_qs(urlsplit(answer.headers["location"]).query)
        assert asked["redirect_uri"] == [CALLBACK]


async def test_person_who_declines_is_told_so(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, provider):
        provider.person = {}
        assert refusal(await Browser(it).sign_in()) == "declined"


@pytest.mark.parametrize("metadata", [{"issuer": "https://evil.test"}, {"token_endpoint": "http://evil.test/token"}])
async def test_metadata_of_another_issuer_or_without_tls_are_not_used(
    platform: PlatformFactory, metadata: dict[str, str]
) -> None:
    async with signing_in(platform) as (it, provider):
        provider.metadata = metadata
        answer = await Browser(it).client.get("/sign-in")
        assert refusal(answer) in ("not_valid", "unavailable")


async def test_provider_that_is_away_is_told_of(platform: PlatformFactory) -> None:
    async with signing_in(platform, issuer="http://127.0.0.1:9") as (it, _):
        assert refusal(await Browser(it).client.get("/sign-in")) == "unavailable"


async def test_key_in_the_header_goes_before_the_cookie(platform: PlatformFactory) -> None:
    async with signing_in(platform) as (it, _):
        browser = Browser(it)
        await browser.sign_in()
        key = await it.key("other", scopes=[Scope.READ])
        headers = HEADER | {"Authorization": f"Bearer {key}"}
        assert (await browser.client.get("/v1/whoami", headers=headers)).json()["tenant"] == "other"
