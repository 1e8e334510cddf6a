"""Authentication: API keys, tokens of an identity provider, browser sessions and tickets become principals."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from rlplatform.access.api_keys import ApiKeyService, KeyStore, key_id_of
from rlplatform.access.jwt_tokens import TokenVerifier
from rlplatform.access.principals import Principal
from rlplatform.access.tickets import PREFIX, RESUMABLE_S, TicketClaims, Tickets, principal_of_ticket
from rlplatform.clock import Clock
from rlplatform.errors import NotAllowed, NotAuthenticated, PlatformError
from rlplatform.settings import Settings
from rlplatform.sign_in import sessions
from rlplatform.sign_in.sessions import Sessions
from rlplatform.webhooks.signatures import Signer
from serve_apps.api.rate_limits import RateLimiter

_RENEWAL_S = 2.0
_LOG = logging.getLogger("rlplatform.api")


class Authenticator:
    """Determines the principal of a request from its credentials. Without ``sessions`` there are no browser
    sessions."""

    def __init__(
        self,
        store: KeyStore,
        settings: Settings,
        clock: Clock,
        limiter: RateLimiter,
        sessions: Sessions | None = None,
    ) -> None:
        access = settings.access
        self.keys = ApiKeyService(store, access.pepper, clock, access.key_lease_s)
        self.tickets = Tickets(access.pepper, access.ticket_life_s)
        self.webhooks = Signer(access.pepper)
        self._tokens = TokenVerifier(access.jwt) if access.jwt is not None else None
        self._sessions = sessions
        self._limiter = limiter
        self._clock = clock

    async def bearer(self, text: str) -> Principal:
        """Return the principal of a key, a token or a browser session.

        Raises:
            NotAuthenticated: the credential is not valid.
        """
        if self._sessions is not None and text.startswith(sessions.PREFIX):
            return await self._sessions.authenticate(text)
        if self._tokens is not None and text.count(".") == 2:
            return await self._tokens.authenticate(text)
        return await self.keys.authenticate(text)

    def issue(self, principal: Principal, credential: str, stream: str | None) -> tuple[TicketClaims, str]:
        """Return a ticket for ``principal``, authenticated by ``credential``.

        The ticket expires with that credential.
        """
        now = self._clock.now()
        if self._tokens is not None and credential.count(".") == 2:
            ends_at = self._tokens.ends_at(credential, now + timedelta(seconds=RESUMABLE_S))
            return self.tickets.issue(principal, now, stream, ends_at=ends_at)
        if credential.startswith(sessions.PREFIX):
            return self.tickets.issue(principal, now, stream, session=sessions.session_id_of(credential))
        return self.tickets.issue(principal, now, stream, key=key_id_of(credential))

    async def begin_session(self, principal: Principal) -> str:
        """Begin a browser session, and return its text."""
        assert self._sessions is not None, "the application has sessions"
        return await self._sessions.begin(principal)

    async def end_session(self, text: str) -> None:
        """End a browser session. Idempotent."""
        if self._sessions is not None:
            await self._sessions.end(text)

    async def renew(self, text: str) -> None:
        """Check again a key, a token or a ticket that was accepted before.

        If the check cannot be completed in time, the credential counts as valid.

        Raises:
            NotAuthenticated: the credential, or the key or token behind a ticket, was revoked or has expired.
        """
        try:
            async with asyncio.timeout(_RENEWAL_S):
                if text.startswith(PREFIX):
                    await self._require(self.tickets.read(text, self._clock.now(), used=True))
                else:
                    await self.bearer(text)
        except NotAuthenticated:
            raise
        except (PlatformError, TimeoutError) as error:
            _LOG.warning("an open stream goes on, for its key cannot be looked at again: %s", error or "no answer")

    async def ticket(self, text: str, stream: str | None = None, resumption: str | None = None) -> Principal:
        """Return the principal of a ticket, and mark the ticket as used.

        Args:
            text: The ticket.
            stream: Requested stream; None for a connection for many streams.
            resumption: Value that the server set when the stream was opened with this ticket.

        Raises:
            NotAuthenticated: the ticket is not valid, has expired, was used, or its key was revoked.
            NotAllowed: it is for another stream.
        """
        now = self._clock.now()
        again = resumption is not None and stream is not None and self.tickets.resumes(resumption, text, stream, now)
        claims = self.tickets.read(text, now, used=again)
        if claims.stream is not None and claims.stream != stream:
            raise NotAllowed(f"the ticket is for {claims.stream} alone")
        await self._require(claims)
        if not again:
            await self._limiter.use_once(claims.id)
        return principal_of_ticket(claims)

    async def _require(self, claims: TicketClaims) -> None:
        """Check the credential that the ticket was made with.

        Raises:
            NotAuthenticated: it was revoked or has expired.
        """
        if claims.key is not None:
            await self.keys.require(claims.key)
        if claims.session is not None:
            if self._sessions is None:
                raise NotAuthenticated("the session that the ticket was made with has ended")
            await self._sessions.require(claims.session)
        if claims.ends_at is not None and claims.ends_at <= self._clock.now():
            raise NotAuthenticated("the token that the ticket was made with has expired")

    async def either(self, text: str) -> Principal:
        """Return the principal of a key, a token or a ticket for any stream."""
        return await self.ticket(text) if text.startswith(PREFIX) else await self.bearer(text)
