"""Calls for the members of a course, and for their invitations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rlplatform.assignments.people.models import (
    Invitation,
    InvitationInfo,
    InvitationList,
    InvitationsMade,
    Member,
    MemberList,
    MemberRequest,
    RosterFile,
    RosterResult,
)
from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads, segment, with_json


class MemberCalls(AsyncTransport):
    """Add people to a course, and invite them."""

    async def read_roster(self, content: bytes) -> RosterFile:
        """Return the people in a CSV file, as :meth:`import_members` takes them. Nobody is added."""
        headers = {"Content-Type": "text/csv"}
        return await self._send(Call("POST", "/v1/members:read", reads(RosterFile), body=content, headers=headers))

    async def import_members(
        self,
        members: Sequence[MemberRequest | Mapping[str, Any]],
        *,
        credentials: Literal["none", "keys", "invitations"] = "none",
    ) -> RosterResult:
        """Add people to the course, known by ``external_id``, or change them. Keys and invitations of new people are
        in the answer, this once."""
        rows = [row.model_dump(exclude_unset=True) if isinstance(row, MemberRequest) else row for row in members]
        roster = {"members": rows, "credentials": credentials}
        return await self._send(with_json("POST", "/v1/members:import", roster, RosterResult, repeatable=False))

    async def members(self) -> list[Member]:
        """Return the members of the course, by their external ids."""
        return (await self._send(Call("GET", "/v1/members", reads(MemberList)))).items

    async def me(self) -> Member:
        """Return the member that the caller is."""
        return await self._send(Call("GET", "/v1/members/me", reads(Member)))

    async def remove_member(self, member_id: str) -> Member:
        """Remove a member and revoke the member's keys. The grades stay."""
        return await self._send(Call("DELETE", f"/v1/members/{segment(member_id)}", reads(Member)))

    async def invite(self, member_id: str, *, expires_in_s: float | None = None) -> Invitation:
        """Make an invitation, good once, that gives a member a new API key."""
        body = {"expires_in_s": expires_in_s} if expires_in_s is not None else {}
        path = f"/v1/members/{segment(member_id)}/invitations"
        return await self._send(with_json("POST", path, body, Invitation, repeatable=False))

    async def invite_all(self, member_ids: Sequence[str], *, expires_in_s: float | None = None) -> list[Invitation]:
        """Make an invitation for each of the members; their earlier ones end."""
        body = {"members": list(member_ids), **({"expires_in_s": expires_in_s} if expires_in_s is not None else {})}
        call = with_json("POST", "/v1/members:invite", body, InvitationsMade, repeatable=False)
        return (await self._send(call)).items

    async def invitations(self) -> list[InvitationInfo]:
        """Return the newest invitation of each member that was ever invited, without its text."""
        return (await self._send(Call("GET", "/v1/invitations", reads(InvitationList)))).items

    async def revoke_invitation(self, member_id: str) -> InvitationInfo:
        """Revoke the invitation of a member.

        Raises:
            Conflict: it was accepted.
        """
        path = f"/v1/members/{segment(member_id)}/invitations"
        return await self._send(Call("DELETE", path, reads(InvitationInfo)))
