"""LTI 1.3: launches from a learning platform, links for its course, grades back to it, and attacks on all three."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest

from rlplatform.access.principals import Scope
from rlplatform.evaluation.models import Verdict
from rlplatform.lti.gradebook import Gradebook
from rlplatform.lti.passback import GradePassback
from rlplatform.lti.tool_key import ToolKey
from tests.api.conftest import PlatformFactory
from tests.api.test_assignments import BODY, Course, course
from tests.lti_platform import CLIENT, COURSE, LINKS, LTI, ROLE, LtiPlatformStub, lti_platform
from tests.openid_provider import KeyPair

pytestmark = pytest.mark.anyio
PAGE = "https://rlp.test"
TARGET = f"{PAGE}/lti/launch?assignment=double"
HEADER = {"RLP-Session": "1"}
STATE = "__Host-rlp_lti"


class Classroom:
    """A course with an assignment, and a learning platform that is registered for it."""

    def __init__(self, it: Course, lms: LtiPlatformStub) -> None:
        self.it = it
        self.lms = lms

    def browser(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.it.it.app), base_url=PAGE)

    async def begin(self, browser: httpx2.AsyncClient, person: str = "ada", target: str = TARGET) -> dict[str, str]:
        """Follow a link at the platform; return what the tool asks the platform then."""
        answer = await browser.post("/lti/login", data=self.lms.login(target, person))
        assert answer.status_code == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def launch(
        self, browser: httpx2.AsyncClient, message: dict[str, Any] | None = None, person: str = "ada", **headers: str
    ) -> httpx2.Response:
        """Follow a link at the platform to where it leads."""
        asked = await self.begin(browser, person)
        form = self.lms.authorize(asked, message or self.lms.link(TARGET))
        return await browser.post("/lti/launch", data=form, headers=headers)


@asynccontextmanager
async def classroom(platform: PlatformFactory, **registration: Any) -> AsyncIterator[Classroom]:
    access = {"pepper": "pepper", "public_url": PAGE}
    async with lti_platform(PAGE) as lms, course(platform, settings={"access": access}) as it:
        lms.now = lambda: it.clock.now().timestamp()
        lms.tool_keys = it.it.app.state.context.lti.key.public
        await it.publish()
        async with it.it.client(await it.it.key(scopes=[Scope.OPERATE, Scope.ADMIN])) as operator:
            made = await operator.post("/v1/lti/registrations", json=lms.registration(**registration))
            assert made.status_code == 201, made.text
        yield Classroom(it, lms)


def refusal(answer: httpx2.Response) -> str | None:
    """Return the reason for which a launch was refused; None: it was not."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{PAGE}/#")
    refused = answer.headers["location"].partition("#refused=")[2] or None
    assert (refused is None) == ("rlp_session" in answer.headers.get("set-cookie", ""))
    return refused


async def test_learner_arrives_at_the_assignment_and_is_on_the_roster(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        message = it.lms.link(TARGET, name="Grace Hopper", email="grace@example.com")
        answer = await it.launch(browser, message, person="grace")
        assert answer.headers["location"] == f"{PAGE}/#signed-in=1&/assignments/double"
        me = (await browser.get("/v1/members/me", headers=HEADER)).json()
        assert (me["external_id"], me["name"], me["email"], me["role"]) == (
            "lti:grace",
            "Grace Hopper",
            "grace@example.com",
            "learner",
        )
        shown = (await browser.get("/v1/assignments/double", headers=HEADER)).json()
        assert (shown["title"], shown["staff"]) == ("Double", None)
        await it.launch(again := it.browser(), message, person="grace")
        assert (await again.get("/v1/members/me", headers=HEADER)).json()["id"] == me["id"]


async def test_person_of_the_roster_is_found_by_the_institutions_id_and_never_by_email(
    platform: PlatformFactory,
) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        await it.launch(browser, it.lms.link(TARGET, **{f"{LTI}lis": {"person_sourcedid": "s1"}}))
        assert (await browser.get("/v1/members/me", headers=HEADER)).json()["id"] == it.it.ids["ada"]
        await it.launch(other := it.browser(), it.lms.link(TARGET, email="ada@example.com"), person="mallory")
        assert (await other.get("/v1/members/me", headers=HEADER)).json()["external_id"] == "lti:mallory"


async def test_id_at_the_platform_is_no_id_of_the_roster(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        await it.launch(browser := it.browser(), person="s1")
        assert (await browser.get("/v1/members/me", headers=HEADER)).json()["id"] != it.it.ids["ada"]


@pytest.mark.parametrize(
    ("roles", "scopes"),
    [
        ([f"{ROLE}Instructor"], ["evaluate", "read"]),
        ([f"{ROLE[:-1]}/Instructor#TeachingAssistant"], ["evaluate", "read"]),
        ([f"{ROLE}Learner"], ["evaluate"]),
        (["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"], None),
        (["http://purl.imsglobal.org/vocab/lis/v2/system/person#SysAdmin", "Instructor"], None),
        ([], None),
    ],
)
async def test_role_in_the_platforms_course_decides(
    platform: PlatformFactory, roles: list[str], scopes: list[str] | None
) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        answer = await it.launch(browser, it.lms.link(TARGET, **{f"{LTI}roles": roles}))
        assert refusal(answer) == (None if scopes else "no_access")
        if scopes:
            assert (await browser.get("/v1/whoami", headers=HEADER)).json()["scopes"] == scopes


async def test_roster_can_be_closed_and_removal_holds(platform: PlatformFactory) -> None:
    async with classroom(platform, enrol=False) as it:
        assert refusal(await it.launch(it.browser())) == "not_a_member"
    async with classroom(platform) as it:
        await it.launch(browser := it.browser())
        me = (await browser.get("/v1/members/me", headers=HEADER)).json()["id"]
        await it.it.staff.delete(f"/v1/members/{me}")
        assert refusal(await it.launch(it.browser())) == "removed"
        assert (await browser.get("/v1/whoami", headers=HEADER)).status_code == 401


async def test_inside_another_page_a_launch_says_what_to_set(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        answer = await it.launch(it.browser(), **{"Sec-Fetch-Dest": "iframe"})
        assert (answer.status_code, "new window" in answer.text) == (200, True)
        assert "rlp_session" not in answer.headers.get("set-cookie", "")


# -- attacks -----------------------------------------------------------------------------------------------------------


async def test_launch_that_this_browser_did_not_begin_is_refused(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        attacker, victim = it.browser(), it.browser()
        form = it.lms.authorize(await it.begin(attacker, "mallory"), it.lms.link(TARGET))
        assert refusal(await victim.post("/lti/launch", data=form)) == "begin_again"
        await it.begin(victim)
        assert refusal(await victim.post("/lti/launch", data=form)) == "begin_again"


async def test_launch_works_once(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        form = it.lms.authorize(await it.begin(browser), it.lms.link(TARGET))
        state = browser.cookies[STATE]
        assert refusal(await browser.post("/lti/launch", data=form)) is None
        assert refusal(await browser.post("/lti/launch", data=form)) == "begin_again"
        thief = it.browser()
        thief.cookies.set(STATE, state)
        assert refusal(await thief.post("/lti/launch", data=form)) == "begin_again"


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "wrong issuer": (lambda claims: claims.update(iss="https://evil.test"), "not_valid"),
    "wrong audience": (lambda claims: claims.update(aud="another tool"), "not_valid"),
    "several audiences, no party": (lambda claims: claims.update(aud=[CLIENT, "x"]), "not_valid"),
    "another party": (lambda claims: claims.update(azp="x"), "not_valid"),
    "expired": (lambda claims: claims.update(exp=int(time.time()) - 60), "not_valid"),
    "wrong nonce": (lambda claims: claims.update(nonce="x"), "not_valid"),
    "no subject": (lambda claims: claims.pop("sub"), "not_valid"),
    "wrong version": (lambda claims: claims.update({f"{LTI}version": "1.1"}), "not_valid"),
    "unknown message": (lambda claims: claims.update({f"{LTI}message_type": "LtiSubmissionReview"}), "not_valid"),
    "no resource link": (lambda claims: claims.pop(f"{LTI}resource_link"), "not_valid"),
    "another target": (lambda claims: claims.update({f"{LTI}target_link_uri": "https://evil.test"}), "not_valid"),
    "unknown deployment": (lambda claims: claims.update({f"{LTI}deployment_id": "x"}), "not_registered"),
    "no deployment": (lambda claims: claims.pop(f"{LTI}deployment_id"), "not_valid"),
    "another course": (lambda claims: claims.update({f"{LTI}context": {"id": "x"}}), "not_registered"),
    "no course": (lambda claims: claims.pop(f"{LTI}context"), "not_registered"),
    "algorithm none": (lambda claims: jwt.encode(claims, None, "none", {"kid": "platform"}), "not_valid"),
    "another key": (lambda claims: KeyPair("other").sign(claims, kid="platform"), "not_valid"),
    "shared secret": (lambda claims: jwt.encode(claims, "k" * 32, "HS256", {"kid": "platform"}), "not_valid"),
}


async def test_spoilt_messages_let_nobody_in(platform: PlatformFactory) -> None:
    async with classroom(platform, context_ids=[COURSE]) as it:
        assert refusal(await it.launch(it.browser())) is None, "the message as it should be"
        for attack, (change, expected) in SPOILT.items():

            def spoil(claims: dict[str, Any], change: Callable[[dict[str, Any]], Any] = change) -> str | None:
                made = change(claims)
                return made if isinstance(made, str) and made.startswith("eyJ") else None

            it.lms.spoil = spoil
            assert refusal(await it.launch(it.browser())) == expected, attack


async def test_unknown_platforms_and_broken_logins_are_refused(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        asked = it.lms.login(TARGET, "ada")
        for change in ({"iss": "https://evil.test"}, {"client_id": "another"}):
            assert refusal(await it.browser().post("/lti/login", data=asked | change)) == "not_registered"
        for name in ("iss", "login_hint", "target_link_uri"):
            less = {key: value for key, value in asked.items() if key != name}
            assert refusal(await it.browser().get("/lti/login", params=less)) == "not_valid"
        assert (await it.browser().get("/lti/login", params=asked)).headers["location"].startswith(it.lms.issuer)
        assert (await it.browser().post("/lti/launch", content=b"x" * 70_000)).status_code == 413


async def test_target_of_another_place_leads_to_the_page(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        for target in ("https://evil.test/", "https://evil.test/?assignment=//evil.test", f"{TARGET}-none"):
            browser = it.browser()
            form = it.lms.authorize(await it.begin(browser, target=target), it.lms.link(target))
            answer = await browser.post("/lti/launch", data=form)
            assert answer.headers["location"] == f"{PAGE}/#signed-in=1&/assignments"


async def test_operators_register_and_a_client_leads_to_one_tenant(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        body = it.lms.registration()
        assert (await it.it.staff.post("/v1/lti/registrations", json=body)).status_code == 403
        async with it.it.it.client(await it.it.it.key("other")) as operator:
            taken = await operator.post("/v1/lti/registrations", json=body | {"tenant": "other"})
            assert taken.status_code == 409
            for name in ("authorization_url", "token_url", "jwks_url"):
                plain = await operator.post("/v1/lti/registrations", json=body | {name: "http://169.254.169.254/x"})
                assert (plain.status_code, plain.json()["field"]) == (422, name)
        (listed,) = (await it.it.staff.get("/v1/lti/registrations")).json()["items"]
        assert (listed["issuer"], listed["tenant"]) == (it.lms.issuer, "school")
        assert (await it.it.staff.get("/v1/lti/tool")).json()["launch_url"] == f"{PAGE}/lti/launch"
        assert (await it.it.staff.delete(f"/v1/lti/registrations/{listed['id']}")).status_code == 200
        assert refusal(await it.browser().post("/lti/login", data=it.lms.login(TARGET, "ada"))) == "not_registered"


# -- links and grades --------------------------------------------------------------------------------------------------


def deep_linking(it: Classroom, role: str = "Instructor", **settings: Any) -> dict[str, Any]:
    return {
        f"{LTI}message_type": "LtiDeepLinkingRequest",
        f"{LTI}roles": [ROLE + role],
        f"{LINKS}deep_linking_settings": {
            "deep_link_return_url": "https://lms.test/return?a=1&b=<script>",
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["window"],
            "data": "kept",
            **settings,
        },
    }


async def test_teacher_chooses_an_assignment_and_the_platform_gets_a_signed_link(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        answer = await it.launch(it.browser(), deep_linking(it))
        assert answer.status_code == 200, answer.text
        assert "<script" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action https://lms.test;" in policy
        token = unescape(re.findall(r'name="JWT" value="([^"]+)"', answer.text)[0])
        claims = await it.lms.read(token, it.lms.issuer)
        (item,) = claims[f"{LINKS}content_items"]
        assert (claims["iss"], claims[f"{LTI}message_type"], claims[f"{LINKS}data"]) == (
            CLIENT,
            "LtiDeepLinkingResponse",
            "kept",
        )
        assert (item["url"], item["title"], item["lineItem"]["scoreMaximum"]) == (TARGET, "Double", 4)


async def test_learners_choose_no_links_and_answers_go_to_https_alone(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        assert refusal(await it.launch(it.browser(), deep_linking(it, "Learner"))) == "no_access"
        for settings in ({"deep_link_return_url": "javascript:alert(1)"}, {"accept_types": ["html"]}):
            assert refusal(await it.launch(it.browser(), deep_linking(it, **settings))) == "not_valid"


def passback_of(it: Classroom) -> GradePassback:
    context = it.it.it.app.state.context
    key = ToolKey(it.it.it.store, context.settings.access.pepper)
    return GradePassback(it.it.it.store, Gradebook(key, it.it.clock), it.it.clock)


async def submitted(it: Classroom, browser: httpx2.AsyncClient, *verdicts: Verdict, source: str = "x = 1") -> None:
    """Submit, and have it judged."""
    body = {"files": [{"path": "main.py", "content": source}]}
    made = await browser.post("/v1/assignments/double/submissions", json=body, headers=HEADER)
    assert made.status_code == 202, made.text
    await it.it.judge(made.json(), *verdicts)


async def test_grade_goes_back_to_the_column_once_and_again_when_it_changes(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        await it.launch(browser, it.lms.link(TARGET, column="c1"))
        passback = passback_of(it)
        assert await passback.round() == 0, "nothing is graded yet"
        await submitted(it, browser, Verdict.ACCEPTED, Verdict.WRONG_ANSWER)
        assert [await passback.round() for _ in range(2)] == [1, 0]
        assert await passback_of(it).round() == 0, "also another process knows what was sent"
        (score,) = it.lms.scores
        assert (score["column"], score["userId"], score["scoreGiven"], score["scoreMaximum"]) == ("c1", "ada", 1, 4)
        assert score["gradingProgress"] == "FullyGraded"
        me = (await browser.get("/v1/members/me", headers=HEADER)).json()["id"]
        adjusted = {"points": 2, "reason": "a good idea"}
        assert (await it.it.staff.put(f"/v1/assignments/double/adjustments/{me}", json=adjusted)).status_code == 200
        assert await passback.round() == 1
        assert it.lms.scores[-1]["scoreGiven"] == 3
        assert it.lms.scores[-1]["timestamp"] >= score["timestamp"]
        assert len(it.lms.grants) == 1, "a token is used until it expires"


async def test_column_is_made_where_the_platform_named_none(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        await it.launch(browser)
        await submitted(it, browser, Verdict.ACCEPTED, Verdict.ACCEPTED)
        passback = passback_of(it)
        assert [await passback.round(), await passback.round()] == [1, 0]
        ((name, column),) = it.lms.columns.items()
        assert (column["label"], column["scoreMaximum"], column["resourceLinkId"]) == ("Double", 4, "link-1")
        assert (it.lms.scores[0]["column"], it.lms.scores[0]["scoreGiven"]) == (name, 4)


async def test_grades_wait_for_a_platform_that_is_away(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        await it.launch(browser, it.lms.link(TARGET, column="c1"))
        await submitted(it, browser, Verdict.ACCEPTED, Verdict.ACCEPTED)
        passback = passback_of(it)
        it.lms.away = True
        assert await passback.round() == 0
        it.lms.away = False
        assert await passback.round() == 0, "not at once"
        await it.it.clock.advance(61)
        assert await passback.round() == 1


async def test_grades_of_teachers_and_of_other_links_are_not_sent(platform: PlatformFactory) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        message = it.lms.link(TARGET, "Instructor", column="c1", **{f"{LTI}lis": {"person_sourcedid": "s1"}})
        await it.launch(browser, message)
        await submitted(it, browser, Verdict.ACCEPTED, Verdict.ACCEPTED)
        assert await passback_of(it).round() == 0
        assert it.lms.scores == []


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/latest", "https://evil.test/items/1", "file:///etc/passwd"]
)
async def test_grades_and_tokens_go_to_the_registrations_hosts_alone(platform: PlatformFactory, address: str) -> None:
    async with classroom(platform) as it:
        browser = it.browser()
        message = it.lms.link(TARGET)
        message["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"] = address
        await it.launch(browser, message)
        await submitted(it, browser, Verdict.ACCEPTED, Verdict.ACCEPTED)
        assert await passback_of(it).round() == 0
        assert it.lms.grants == [], "not even a token was asked for"


async def test_key_of_the_tool_is_one_for_all_processes_and_not_readable_in_the_store(
    platform: PlatformFactory,
) -> None:
    async with classroom(platform) as it:
        context = it.it.it.app.state.context
        again = ToolKey(it.it.it.store, context.settings.access.pepper)
        assert await again.public() == await context.lti.key.public()
        stored = await it.it.it.store.get_document("lti.key", "current")
        assert "PRIVATE" not in stored.record
        public = (await it.browser().get("/lti/keys")).json()["keys"][0]
        assert {"d", "p", "q"}.isdisjoint(public)


def test_body_of_these_tests_has_four_points() -> None:
    assert sum(test.get("points", 1) for test in BODY["tests"]) == 4
