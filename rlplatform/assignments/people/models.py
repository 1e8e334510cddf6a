"""Members of a course: people of a tenant, and the API keys and tokens that they sign in with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator

from rlplatform.json_models import StrictModel, Text

MAX_MEMBERS = 5000
MAX_ROWS = 1000
MemberRole = Literal["learner", "staff"]
InvitationState = Literal["open", "accepted", "expired", "revoked"]
_SUBJECT = r"^[\x20-\x7e]{1,255}$"


class MemberRequest(StrictModel):
    """A row of a roster: a person of the course, known by `external_id`."""

    external_id: Text = Field(min_length=1, max_length=128)
    """Id of the person in your own lists, for example the student number; unique in the course."""
    name: Text = Field(default="", max_length=200)
    """Name of the person."""
    email: Text = Field(default="", max_length=254)
    """Email address of the person."""
    role: MemberRole = "learner"
    """`learner` is graded; `staff` may try assignments and is not."""
    section: Text = Field(default="", max_length=100)
    """Part of the course, for example a tutorial group."""
    sub: str | None = Field(default=None, pattern=_SUBJECT)
    """Subject (`sub`) of the person's tokens of the identity provider; null: none."""
    key_id: str | None = Field(default=None, pattern=r"^key_[0-9a-z]{26}$")
    """Id of an API key that the person has already; null: none."""

    @field_validator("external_id")
    @classmethod
    def _printable(cls, given: str) -> str:
        if not given.isprintable() or given != given.strip():
            raise ValueError("must be printable, without spaces at its ends")
        return given


class Roster(StrictModel):
    """People to add to a course, or to change. Other members stay unchanged."""

    members: list[MemberRequest] = Field(min_length=1, max_length=MAX_ROWS, fail_fast=True)
    """One row for each person."""
    credentials: Literal["none", "keys", "invitations"] = "none"
    """Credentials of each new person: an API key, an invitation, or none."""

    @field_validator("members")
    @classmethod
    def _once(cls, given: list[MemberRequest]) -> list[MemberRequest]:
        for name in ("external_id", "sub", "key_id"):
            seen: set[str] = set()
            for row in given:
                if (value := getattr(row, name)) is not None and value in seen:
                    raise ValueError(f"the {name} {value!r} is there twice; it must be unique")
                if value is not None:
                    seen.add(value)
        return given


class RosterFile(StrictModel):
    """People read from a file, as `POST /v1/members:import` takes them, at most 1,000 at a time."""

    members: list[MemberRequest]
    """The people, in the order of the file."""
    unused: list[str]
    """Columns of the file that nothing was read from."""


class Member(StrictModel):
    """A person of a course."""

    id: str
    """Id of the member: `mem_…`."""
    tenant: str
    """Tenant that the member belongs to."""
    external_id: str
    """Id of the person in the course's own lists."""
    name: str
    """Name of the person."""
    email: str
    """Email address of the person."""
    role: MemberRole
    """`learner` is graded, `staff` is not."""
    section: str
    """Part of the course."""
    state: Literal["active", "removed"] = "active"
    """`removed` members cannot submit any more; their grades stay."""
    created_at: datetime
    """Time when the member was added."""


class MemberList(StrictModel):
    """Members of a course."""

    items: list[Member]
    """The members, by their external ids."""


class RosterRow(StrictModel):
    """Result of one row of a roster."""

    member: Member
    """The member as it is now."""
    created: bool
    """True if the member is new."""
    api_key: str | None = None
    """Text of the member's new API key, shown this once; null: none was made."""
    invitation: str | None = None
    """Text of the member's invitation, shown this once; null: none was made."""


class RosterResult(StrictModel):
    """Results of a roster."""

    results: list[RosterRow]
    """One result for each row, in the order of the request."""


class InvitationRequest(StrictModel):
    """An invitation to make for a member."""

    expires_in_s: float = Field(default=14 * 86_400, gt=0, le=366 * 86_400)
    """Time for which it can be accepted, in seconds."""


class Invitation(StrictModel):
    """An invitation, good once: it gives its member a new API key. It replaces the member's earlier invitation."""

    invitation: str
    """Text of the invitation, shown this once. The link to send is the address of the page, `#invite=` and the
    text."""
    member_id: str
    """Id of the member that it is for."""
    expires_at: datetime
    """Time of expiry."""


class InvitationsRequest(InvitationRequest):
    """Invitations to make for several members at once."""

    members: list[str] = Field(min_length=1, max_length=MAX_ROWS, fail_fast=True)
    """Ids of the members."""


class InvitationsMade(StrictModel):
    """Invitations that were made."""

    items: list[Invitation]
    """One for each member, in the order of the request."""


class InvitationInfo(StrictModel):
    """The newest invitation of a member, without its text."""

    member_id: str
    """Id of the member that it is for."""
    external_id: str
    """Id of that person in the course's own lists."""
    state: InvitationState
    """`open` while it can be accepted; `accepted`, `expired` or `revoked`."""
    created_at: datetime
    """Time when it was made."""
    created_by: str
    """Id of the principal that made it."""
    expires_at: datetime
    """Time of expiry."""
    accepted_at: datetime | None = None
    """Time when it was accepted; null: it was not."""
    revoked_at: datetime | None = None
    """Time when staff revoked it; null: they did not."""
    key_id: str | None = None
    """Id of the API key that came of it; null: none."""


class InvitationList(StrictModel):
    """Invitations of a course."""

    items: list[InvitationInfo]
    """The newest invitation of each member that was ever invited, by external ids."""


class InvitationAcceptance(StrictModel):
    """An invitation to accept."""

    invitation: str = Field(pattern=r"^rli_[A-Za-z0-9_-]{43}$")
    """Text of the invitation."""


class InvitationAccepted(StrictModel):
    """The API key that came of an invitation."""

    member: Member
    """The member that the key belongs to."""
    api_key: str
    """Text of the key, shown this once."""


def sorted_members(members: Sequence[Member]) -> list[Member]:
    """Return ``members`` by their external ids."""
    return sorted(members, key=lambda member: (member.external_id, member.id))
