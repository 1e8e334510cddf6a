"""Tickets for browsers, which cannot send headers with an event stream: short-lived, signed, for reading alone.

A ticket may stand in a URL, which ends up in logs: so it is good once, and for a minute. This module signs and reads
them; that each is used once is for the caller to see to, by its ``id``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotAuthenticated
from rlplatform.ids import Kind, new_id

PREFIX = "rlt_"
_REFUSED = "the ticket is not valid"


class TicketClaims(BaseModel):
    """What a ticket says. ``stream`` None: any stream that the principal sees; ``tenant_wide``: all of the tenant's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: new_id(Kind.KEY))
    principal: str
    tenant: str
    tenant_wide: bool
    stream: str | None = None
    expires_at: AwareDatetime


class Tickets:
    """Signs tickets with the deployment's pepper, and reads them."""

    def __init__(self, pepper: SecretStr, life_s: float) -> None:
        self._secret = b"ticket:" + pepper.get_secret_value().encode()
        self._life = timedelta(seconds=life_s)

    def issue(self, principal: Principal, now: datetime, stream: str | None = None) -> tuple[TicketClaims, str]:
        """A ticket for ``principal``: what it says, and its text."""
        claims = TicketClaims(
            principal=principal.id,
            tenant=principal.tenant,
            tenant_wide=principal.has(Scope.READ),
            stream=stream,
            expires_at=now + self._life,
        )
        body = claims.model_dump_json().encode()
        text = base64.urlsafe_b64encode(self._signature(body) + body).rstrip(b"=").decode()
        return claims, PREFIX + text

    def read(self, text: str, now: datetime) -> TicketClaims:
        """What a ticket says.

        :raises NotAuthenticated: it is none of ours, or has expired.
        """
        coded = text.removeprefix(PREFIX)
        try:
            signed = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
            if not hmac.compare_digest(signed[:32], self._signature(signed[32:])):
                raise NotAuthenticated(_REFUSED)
            claims = TicketClaims.model_validate_json(signed[32:])
        except (ValueError, ValidationError):
            raise NotAuthenticated(_REFUSED) from None
        if claims.expires_at <= now:
            raise NotAuthenticated("the ticket has expired")
        return claims

    def _signature(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()


def reader(claims: TicketClaims) -> Principal:
    """The principal that a ticket stands for: who asked for it, with the same eyes and no hands."""
    scopes = {Scope.READ} if claims.tenant_wide else ()
    return Principal(id=claims.principal, tenant=claims.tenant, scopes=frozenset(scopes))
