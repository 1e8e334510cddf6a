"""Import of rosters: people are added to a course or changed, and new ones get credentials."""

from __future__ import annotations

from rlplatform.assignments.people.invitations import LIFE_S, Invitations, KeyIssuer
from rlplatform.assignments.people.membership import Membership, scopes_of
from rlplatform.assignments.people.models import MAX_MEMBERS, Roster, RosterResult, RosterRow
from rlplatform.errors import InvalidRequest


class RosterImport:
    """Imports rosters into courses. Stateless."""

    def __init__(self, members: Membership, invitations: Invitations) -> None:
        self._members = members
        self._invitations = invitations

    async def run(self, roster: Roster, tenant: str, keys: KeyIssuer, by: str) -> RosterResult:
        """Add people to a course, or change them, row by row. The same roster again changes nothing.

        Args:
            by: id of the principal that imports.

        Raises:
            Conflict: a `sub` or key belongs to another member; ``field`` names the row. Earlier rows are done.
            InvalidRequest: the course would have too many members.
        """
        known = {member.external_id for member in await self._members.list(tenant)}
        new = sum(row.external_id not in known for row in roster.members)
        if len(known) + new > MAX_MEMBERS:
            why = f"the course has {len(known)} members, and {new} more were sent; at most {MAX_MEMBERS} are accepted"
            raise InvalidRequest(why, field="members")
        rows = []
        for index, row in enumerate(roster.members):
            member, created = await self._members.enrol(row, tenant, f"members.{index}")
            api_key = invitation = None
            if created and roster.credentials == "keys":
                _, api_key = await keys.create(
                    tenant=tenant,
                    name=(member.name or member.external_id)[:100],
                    scopes=scopes_of(member),
                    owner=member.id,
                )
            elif created and roster.credentials == "invitations":
                invitation = (await self._invitations.invite(member, LIFE_S, by)).invitation
            rows.append(RosterRow(member=member, created=created, api_key=api_key, invitation=invitation))
        return RosterResult(results=rows)
