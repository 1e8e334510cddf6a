"""Tickets for browsers, which cannot send headers with an event stream: short-lived, signed and read-only.

Tickets and resumptions are JWTs, each kind with its own key derived from the deployment's pepper. An identity
provider's token is never accepted as a ticket, nor the reverse: key, algorithm, issuer and audience differ.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import jwt
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotAuthenticated
from rlplatform.ids import Kind, new_id

PREFIX = "rlt_"
RESUMABLE_S = 86_400.0
_REFUSED = "the ticket is not valid"
_ALGORITHM = "HS256"
_ISSUER = "rlplatform"
C = TypeVar("C", bound=BaseModel)


class _Purpose(StrEnum):
    TICKET = "ticket"
    RESUMPTION = "resumption"


class TicketClaims(BaseModel):
    """Claims of a ticket.

    ``stream`` None allows any stream that the principal may see, and ``tenant_wide`` all of the tenant's. The ticket
    becomes invalid with the API key ``key`` or the browser session ``session``, or at ``ends_at``, the expiry of the
    token, that it was made with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: new_id(Kind.KEY))
    principal: str
    tenant: str
    tenant_wide: bool
    stream: str | None = None
    key: str | None = None
    session: str | None = None
    ends_at: AwareDatetime | None = None
    expires_at: AwareDatetime


class Resumption(BaseModel):
    """Permission of ``principal`` to open ``stream`` again with a used ticket."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: str
    stream: str
    expires_at: AwareDatetime


class Tickets:
    """Signs tickets and resumptions with keys derived from the deployment's pepper, and reads them."""

    def __init__(self, pepper: SecretStr, life_s: float) -> None:
        secret = pepper.get_secret_value().encode()
        self._keys = {purpose: hmac.digest(secret, f"jwt:{purpose}".encode(), "sha256") for purpose in _Purpose}
        self._life = timedelta(seconds=life_s)

    def issue(
        self,
        principal: Principal,
        now: datetime,
        stream: str | None = None,
        *,
        key: str | None = None,
        session: str | None = None,
        ends_at: datetime | None = None,
    ) -> tuple[TicketClaims, str]:
        """Return the claims and the text of a new ticket for ``principal``.

        Args:
            principal: Owner of the ticket.
            now: Current time.
            stream: Stream that it is for; None for any.
            key: Id of the API key that it was made with.
            session: Id of the browser session that it was made with.
            ends_at: Expiry of the token that it was made with.
        """
        claims = TicketClaims(
            principal=principal.id,
            tenant=principal.tenant,
            tenant_wide=principal.has(Scope.READ),
            stream=stream,
            key=key,
            session=session,
            ends_at=ends_at,
            expires_at=min(now + self._life, ends_at or now + self._life),
        )
        return claims, PREFIX + self._signed(_Purpose.TICKET, claims)

    def read(self, text: str, now: datetime, *, used: bool = False) -> TicketClaims:
        """Return the claims of a ticket.

        Args:
            text: The ticket.
            now: Current time.
            used: True if the ticket has opened a connection before, and may have expired since.

        Raises:
            NotAuthenticated: its signature is not valid, or it has expired.
        """
        if not text.startswith(PREFIX):
            raise NotAuthenticated(_REFUSED)
        claims = self._read(_Purpose.TICKET, text.removeprefix(PREFIX), TicketClaims)
        if claims.expires_at <= now and not used:
            raise NotAuthenticated("the ticket has expired")
        return claims

    def resumption(self, principal: Principal, stream: str, now: datetime) -> str:
        """Return a text with which ``principal`` can open ``stream`` again for :data:`RESUMABLE_S` seconds."""
        ends = now + timedelta(seconds=RESUMABLE_S)
        return self._signed(_Purpose.RESUMPTION, Resumption(principal=principal.id, stream=stream, expires_at=ends))

    def resumes(self, resumption: str, ticket: str, stream: str, now: datetime) -> bool:
        """True if ``resumption`` lets the holder of ``ticket`` open ``stream`` again."""
        try:
            found = self._read(_Purpose.RESUMPTION, resumption, Resumption)
            claims = self.read(ticket, now, used=True)
        except NotAuthenticated:
            return False
        return (found.principal, found.stream) == (claims.principal, stream) and now < found.expires_at

    def _signed(self, purpose: _Purpose, claims: BaseModel) -> str:
        said = claims.model_dump(mode="json") | {"iss": _ISSUER, "aud": purpose.value}
        return jwt.encode(said, self._keys[purpose], algorithm=_ALGORITHM)

    def _read(self, purpose: _Purpose, text: str, model: type[C]) -> C:
        try:
            said = jwt.decode(
                text,
                self._keys[purpose],
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=purpose.value,
                options={"require": ["iss", "aud"]},
            )
            return model.model_validate({name: value for name, value in said.items() if name not in ("iss", "aud")})
        except Exception:  # of headers with odd types the library raises more than its own errors
            raise NotAuthenticated(_REFUSED) from None


def principal_of_ticket(claims: TicketClaims) -> Principal:
    """Return the principal of a ticket: it may read what the ticket's owner may read, and change nothing."""
    scopes = {Scope.READ} if claims.tenant_wide else ()
    return Principal(id=claims.principal, tenant=claims.tenant, scopes=frozenset(scopes))
