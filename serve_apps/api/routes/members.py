"""``/v1/members``: the people of a course. ``/v1/invitations:accept`` turns an invitation into a key."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from rlplatform.assignments.people.membership import keys_of
from rlplatform.assignments.people.models import (
    Invitation,
    InvitationAcceptance,
    InvitationAccepted,
    InvitationRequest,
    Member,
    MemberList,
    Roster,
    RosterResult,
)
from serve_apps.api.dependencies import Caller, CanAdminister, CanRead, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.openapi.document import accepts, problems

router = APIRouter(prefix="/v1", tags=["members"])
_BODY = (400, 401, 403, 408, 413, 415, 422)
_ROW = {"external_id": "s1234567", "name": "Ada Lovelace", "email": "ada@example.com", "section": "A"}


@router.post(
    "/members:import",
    summary="Add people to the course, or change them",
    responses={200: {"model": RosterResult, "description": "The result of each row."}, **problems(*_BODY, 409)},
    openapi_extra=accepts(Roster, {"members": [_ROW], "credentials": "invitations"}),
)
async def import_roster(
    ctx: Ctx, request: Request, caller: CanAdminister, body: Annotated[Roster, Depends(body_of(Roster))]
) -> RosterResult:
    """Add the people of a roster, known by their external ids, or change them. New people get a key or an invitation,
    if asked for; its text is shown this once. The same roster again changes nothing."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return await ctx.course.members.enrol(body, caller.tenant, ctx.access.keys)


@router.get(
    "/members",
    summary="List the members of the course; for staff",
    responses={200: {"model": MemberList, "description": "The members."}, **problems(401, 403)},
)
async def index(ctx: Ctx, caller: CanRead) -> MemberList:
    """Return all members of the caller's course, by their external ids."""
    return MemberList(items=await ctx.course.members.list(caller.tenant))


@router.get(
    "/members/me",
    summary="Show the member that the caller is",
    responses={200: {"model": Member, "description": "The member."}, **problems(401, 403)},
)
async def me(ctx: Ctx, caller: Caller) -> Member:
    """Return the member that the credentials of the request belong to; 403 if they belong to none."""
    return await ctx.course.members.require(caller)


@router.delete(
    "/members/{member_id}",
    summary="Remove a member from the course",
    responses={200: {"model": Member, "description": "The member, removed."}, **problems(401, 403, 404)},
)
async def remove(ctx: Ctx, caller: CanAdminister, member_id: str) -> Member:
    """Remove a member, and revoke the keys that the member got with the roster or an invitation. The grades stay."""
    member = await ctx.course.members.remove(await ctx.course.members.find(member_id, caller.tenant))
    keys = keys_of(member, await ctx.services.store.list_keys(caller.tenant))
    await asyncio.gather(*map(ctx.access.keys.revoke, keys))
    return member


@router.post(
    "/members/{member_id}/invitations",
    summary="Invite a member",
    status_code=201,
    responses={201: {"model": Invitation, "description": "The invitation."}, **problems(*_BODY, 404, 409)},
    openapi_extra=accepts(InvitationRequest, {"expires_in_s": 1209600}),
)
async def invite(
    ctx: Ctx,
    request: Request,
    caller: CanAdminister,
    member_id: str,
    body: Annotated[InvitationRequest, Depends(body_of(InvitationRequest))],
) -> Invitation:
    """Make an invitation, good once, that gives a member a new API key. Its text is shown this once."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    members = ctx.course.members
    return await members.invite(await members.find(member_id, caller.tenant), body.expires_in_s)


@router.post(
    "/invitations:accept",
    summary="Accept an invitation",
    status_code=201,
    responses={
        201: {"model": InvitationAccepted, "description": "The new API key."},
        **problems(*(status for status in _BODY if status != 403), 429),
    },
    openapi_extra=accepts(InvitationAcceptance, {"invitation": "rli_" + "x" * 43}),
)
async def accept(
    ctx: Ctx, body: Annotated[InvitationAcceptance, Depends(body_of(InvitationAcceptance))]
) -> InvitationAccepted:
    """Accept an invitation: return a new API key of its member. Needs no key, and works once."""
    with ctx.limiter.stranger():
        member, key = await ctx.course.members.accept(body.invitation, ctx.access.keys)
    return InvitationAccepted(member=member, api_key=key)
