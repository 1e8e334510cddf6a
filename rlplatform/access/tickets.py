"""Tickets for browsers, which cannot send headers with an event stream: short-lived, signed, for reading alone.

A ticket may stand in a URL, which ends up in logs. So it opens one connection, within a minute, and ends with the key
or token that it was made with. An opened stream comes with a resumption, in a cookie that no log shows: with the cookie
and the same ticket, an interrupted stream is opened again. This module signs and reads both. The caller checks, by the
ticket's ``id``, that it opens one connection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotAuthenticated
from rlplatform.ids import Kind, new_id

PREFIX = "rlt_"
RESUMABLE_S = 86_400.0
_REFUSED = "the ticket is not valid"
C = TypeVar("C", bound=BaseModel)


class TicketClaims(BaseModel):
    """Claims of a ticket.

    ``stream`` None: any stream that the principal sees; ``tenant_wide``: all of the tenant's. ``key`` and ``ends_at``:
    the API key, or the end of the token, that the ticket was made with and ends with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: new_id(Kind.KEY))
    principal: str
    tenant: str
    tenant_wide: bool
    stream: str | None = None
    key: str | None = None
    ends_at: AwareDatetime | None = None
    expires_at: AwareDatetime


class Resumption(BaseModel):
    """Lets ``principal`` open ``stream`` again with a ticket that is used up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: str
    stream: str
    expires_at: AwareDatetime


class Tickets:
    """Signs tickets and resumptions with the deployment's pepper, and reads them."""

    def __init__(self, pepper: SecretStr, life_s: float) -> None:
        self._pepper = pepper.get_secret_value().encode()
        self._life = timedelta(seconds=life_s)

    def issue(
        self,
        principal: Principal,
        now: datetime,
        stream: str | None = None,
        *,
        key: str | None = None,
        ends_at: datetime | None = None,
    ) -> tuple[TicketClaims, str]:
        """Return a ticket for ``principal``: what it says, and its text.

        Args:
            key: id of the API key that it was made with.
            ends_at: end of the token that it was made with.
        """
        claims = TicketClaims(
            principal=principal.id,
            tenant=principal.tenant,
            tenant_wide=principal.has(Scope.READ),
            stream=stream,
            key=key,
            ends_at=ends_at,
            expires_at=min(now + self._life, ends_at or now + self._life),
        )
        return claims, PREFIX + self._signed(b"ticket:", claims)

    def read(self, text: str, now: datetime, *, used: bool = False) -> TicketClaims:
        """Return what a ticket says.

        Args:
            used: it has opened a connection, and may have expired since.

        Raises:
            NotAuthenticated: it is none of ours, or has expired.
        """
        claims = self._read(b"ticket:", text.removeprefix(PREFIX), TicketClaims)
        if claims.expires_at <= now and not used:
            raise NotAuthenticated("the ticket has expired")
        return claims

    def resumption(self, principal: Principal, stream: str, now: datetime) -> str:
        """Return what lets ``principal`` open ``stream`` again, for :data:`RESUMABLE_S`."""
        ends = now + timedelta(seconds=RESUMABLE_S)
        return self._signed(b"resumption:", Resumption(principal=principal.id, stream=stream, expires_at=ends))

    def resumes(self, resumption: str, ticket: str, stream: str, now: datetime) -> bool:
        """True if ``resumption`` lets the holder of ``ticket`` open ``stream`` again."""
        try:
            found = self._read(b"resumption:", resumption, Resumption)
            claims = self.read(ticket, now, used=True)
        except NotAuthenticated:
            return False
        return (found.principal, found.stream) == (claims.principal, stream) and now < found.expires_at

    def _signed(self, purpose: bytes, claims: BaseModel) -> str:
        body = claims.model_dump_json().encode()
        return base64.urlsafe_b64encode(self._signature(purpose, body) + body).rstrip(b"=").decode()

    def _read(self, purpose: bytes, coded: str, model: type[C]) -> C:
        try:
            signed = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
            if not hmac.compare_digest(signed[:32], self._signature(purpose, signed[32:])):
                raise NotAuthenticated(_REFUSED)
            return model.model_validate_json(signed[32:])
        except (ValueError, ValidationError):
            raise NotAuthenticated(_REFUSED) from None

    def _signature(self, purpose: bytes, body: bytes) -> bytes:
        return hmac.new(purpose + self._pepper, body, hashlib.sha256).digest()


def reader(claims: TicketClaims) -> Principal:
    """The principal that a ticket stands for: who asked for it, with the same eyes and no hands."""
    scopes = {Scope.READ} if claims.tenant_wide else ()
    return Principal(id=claims.principal, tenant=claims.tenant, scopes=frozenset(scopes))
