"""Invitations: who can be invited, how long a link is good, and what of it can be read later."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx2
import pytest

from tests.api.conftest import PlatformFactory
from tests.api.test_assignments import Course, course

pytestmark = pytest.mark.anyio


async def invite(it: Course, who: str, **body: Any) -> str:
    answer = await it.staff.post(f"/v1/members/{it.ids[who]}/invitations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["invitation"]


async def accept(it: Course, text: str) -> httpx2.Response:
    async with it.it.client() as stranger:
        del stranger.headers["authorization"]
        return await stranger.post("/v1/invitations:accept", json={"invitation": text})


async def states(it: Course) -> dict[str, str]:
    items = (await it.staff.get("/v1/invitations")).json()["items"]
    return {one["external_id"]: one["state"] for one in items}


async def test_a_new_invitation_ends_the_member_s_earlier_one(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        first, second = await invite(it, "ada"), await invite(it, "ada")
        assert (await accept(it, first)).status_code == 401
        assert (await accept(it, second)).status_code == 201
        assert (await accept(it, second)).status_code == 401


async def test_a_revoked_invitation_cannot_be_accepted(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        text, where = await invite(it, "ada"), f"/v1/members/{it.ids['ada']}/invitations"
        for _ in range(2):
            revoked = await it.staff.delete(where)
            assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
        assert (await accept(it, text)).status_code == 401
        assert (await it.staff.delete(f"/v1/members/{it.ids['bob']}/invitations")).status_code == 404


async def test_an_accepted_invitation_cannot_be_revoked_and_names_its_key(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        made = (await accept(it, await invite(it, "ada"))).json()
        refused = await it.staff.delete(f"/v1/members/{it.ids['ada']}/invitations")
        (info,) = (await it.staff.get("/v1/invitations")).json()["items"]
        assert refused.status_code == 409
        assert info["key_id"] in refused.json()["detail"]
        assert made["api_key"].startswith(f"rlp_{info['key_id'].removeprefix('key_')}_")


async def test_an_invitation_ends_with_the_membership_and_does_not_come_back_with_it(platform: PlatformFactory) -> None:
    async with course(platform, settings={"access": {"pepper": "pepper", "key_lease_s": 0}}) as it:
        text = await invite(it, "ada")
        await it.staff.delete(f"/v1/members/{it.ids['ada']}")
        assert (await accept(it, text)).status_code == 401
        again = {"members": [{"external_id": "s1", "name": "Ada"}]}
        assert (await it.staff.post("/v1/members:import", json=again)).json()["results"][0]["member"][
            "state"
        ] == "active"
        assert (await accept(it, text)).status_code == 401


async def test_either_the_acceptance_or_the_revocation_of_the_same_moment_holds(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        for _ in range(5):
            text = await invite(it, "ada")
            accepted, revoked = await asyncio.gather(
                accept(it, text), it.staff.delete(f"/v1/members/{it.ids['ada']}/invitations")
            )
            assert (accepted.status_code, revoked.status_code) in ((201, 409), (401, 200))


async def test_staff_read_who_has_accepted_and_never_the_text(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        ada, bob = await invite(it, "ada"), await invite(it, "bob", expires_in_s=60)
        assert await states(it) == {"s1": "open", "s2": "open"}
        await it.clock.advance(61)
        assert await states(it) == {"s1": "open", "s2": "expired"}
        key = (await accept(it, ada)).json()["api_key"]
        assert await states(it) == {"s1": "accepted", "s2": "expired"}
        stored = [str(await it.it.store.list_documents(kind)) for kind in ("invitation", "member.invitation")]
        shown = (await it.staff.get("/v1/invitations")).text
        for text in (ada, bob, key):
            assert not [where for where in (*stored, shown) if text in where]


async def test_several_members_are_invited_at_once_or_none(platform: PlatformFactory) -> None:
    async with course(platform) as it:
        unknown = await it.staff.post("/v1/members:invite", json={"members": [it.ids["ada"], "mem_" + "0" * 26]})
        assert (unknown.status_code, unknown.json()["field"]) == (422, "members.1")
        assert await states(it) == {}
        ids = [it.ids["bob"], it.ids["ada"]]
        made = (await it.staff.post("/v1/members:invite", json={"members": ids, "expires_in_s": 60})).json()["items"]
        assert [one["member_id"] for one in made] == ids
        for one in made:
            assert (await accept(it, one["invitation"])).json()["member"]["id"] == one["member_id"]


async def test_the_audit_log_says_who_invited_and_who_accepted(
    platform: PlatformFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rlplatform.audit")
    async with course(platform) as it:
        text = await invite(it, "ada")
        await accept(it, text)
        await accept(it, text)
        lines = [record.getMessage() for record in caplog.records if "invitations" in record.getMessage()]
        assert [line.partition(" [")[0] for line in lines[1:]] == [
            f"POST /v1/invitations:accept by {it.ids['ada']} of school: 201",
            "POST /v1/invitations:accept by nobody of no tenant: 401",
        ]
        assert f"/v1/members/{it.ids['ada']}/invitations by key_" in lines[0]
        assert text not in caplog.text
