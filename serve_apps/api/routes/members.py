"""``/v1/members``: the people of a course. ``/v1/invitations:accept`` turns an invitation into a key."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from rlplatform.access.principals import Principal
from rlplatform.assignments.people.membership import keys_of
from rlplatform.assignments.people.models import (
    Invitation,
    InvitationAcceptance,
    InvitationAccepted,
    InvitationInfo,
    InvitationList,
    InvitationRequest,
    InvitationsMade,
    InvitationsRequest,
    Member,
    MemberList,
    Roster,
    RosterFile,
    RosterResult,
)
from rlplatform.assignments.people.roster_table import read_table
from rlplatform.errors import Conflict, InvalidRequest, NotFound
from serve_apps.api.dependencies import Caller, CanAdminister, CanRead, Ctx
from serve_apps.api.http.bodies import beside, body_of, read_bytes
from serve_apps.api.openapi.document import accepts, binary, problems

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
    return await ctx.course.rosters.run(body, caller.tenant, ctx.access.keys, caller.id)


@router.post(
    "/members:read",
    summary="Read a file of people",
    responses={200: {"model": RosterFile, "description": "The people in the file."}, **problems(*_BODY)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A table as text: CSV, or separated by semicolons or tabs. Its first line names the "
            "columns: those of `MemberRequest`, or those of an export of Canvas, Moodle or Gradescope.",
            "content": binary("application/octet-stream"),
        }
    },
)
async def read_roster(request: Request, _: CanAdminister) -> RosterFile:
    """Return the people in a file, to look at before they are imported. Nobody is added. Each line that is wrong is an
    error."""
    body = await read_bytes(request)
    return await beside(len(body), lambda: read_table(body))


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
    """Remove a member, and revoke the invitation and the keys that the member got with the roster or an invitation. The
    grades stay."""
    member = await ctx.course.members.remove(await ctx.course.members.find(member_id, caller.tenant))
    with suppress(NotFound, Conflict):
        await ctx.course.invitations.revoke(member)
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
    member = await ctx.course.members.find(member_id, caller.tenant)
    return await ctx.course.invitations.invite(member, body.expires_in_s, caller.id)


@router.delete(
    "/members/{member_id}/invitations",
    summary="Revoke the invitation of a member",
    responses={
        200: {"model": InvitationInfo, "description": "The invitation, revoked."},
        **problems(401, 403, 404, 409),
    },
)
async def revoke(ctx: Ctx, caller: CanAdminister, member_id: str) -> InvitationInfo:
    """Revoke the invitation of a member: nobody can accept it any more. If it was accepted, revoke its key instead."""
    return await ctx.course.invitations.revoke(await ctx.course.members.find(member_id, caller.tenant))


@router.post(
    "/members:invite",
    summary="Invite several members",
    status_code=201,
    responses={201: {"model": InvitationsMade, "description": "The invitations."}, **problems(*_BODY, 409)},
    openapi_extra=accepts(InvitationsRequest, {"members": ["mem_" + "0" * 26]}),
)
async def invite_all(
    ctx: Ctx,
    request: Request,
    caller: CanAdminister,
    body: Annotated[InvitationsRequest, Depends(body_of(InvitationsRequest))],
) -> InvitationsMade:
    """Make an invitation for each of the members. Their texts are shown this once."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    known = {member.id: member for member in await ctx.course.members.list(caller.tenant)}
    for index, member_id in enumerate(body.members):
        if member_id not in known:
            raise InvalidRequest(f"no member has the id {member_id[:80]!r}", field=f"members.{index}")
    made = [
        await ctx.course.invitations.invite(known[member_id], body.expires_in_s, caller.id)
        for member_id in dict.fromkeys(body.members)
    ]
    return InvitationsMade(items=made)


@router.get(
    "/invitations",
    summary="List the invitations of the course; for staff",
    responses={200: {"model": InvitationList, "description": "The invitations."}, **problems(401, 403)},
)
async def invitations(ctx: Ctx, caller: CanRead) -> InvitationList:
    """Return the newest invitation of each member that was ever invited, with its state and without its text."""
    return InvitationList(items=await ctx.course.invitations.list(caller.tenant))


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
    ctx: Ctx, request: Request, body: Annotated[InvitationAcceptance, Depends(body_of(InvitationAcceptance))]
) -> InvitationAccepted:
    """Accept an invitation: return a new API key of its member. Needs no key, and works once."""
    with ctx.limiter.stranger():
        member, key = await ctx.course.invitations.accept(body.invitation, ctx.access.keys)
    request.scope["state"]["principal"] = Principal(id=member.id, tenant=member.tenant, scopes=frozenset())  # audited
    return InvitationAccepted(member=member, api_key=key)
