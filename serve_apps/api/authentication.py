"""From credentials to a principal: API keys, tokens of an identity provider, and tickets where they are accepted."""

from __future__ import annotations

import asyncio
import logging

from rlplatform.access.keys import KeyRing
from rlplatform.access.principals import Principal
from rlplatform.access.tickets import PREFIX, Tickets, reader
from rlplatform.access.tokens import TokenVerifier
from rlplatform.errors import NotAllowed, NotAuthenticated, PlatformError
from rlplatform.ports import Clock, KeyStore
from rlplatform.settings import Settings
from rlplatform.webhooks.signatures import Signer
from serve_apps.api.limits import RateLimiter

_RENEWAL_S = 2.0
_LOG = logging.getLogger("rlplatform.api")


class Authenticator:
    """Tells who asks."""

    def __init__(self, store: KeyStore, settings: Settings, clock: Clock, limiter: RateLimiter) -> None:
        access = settings.access
        self.keys = KeyRing(store, access.pepper, clock, access.key_lease_s)
        self.tickets = Tickets(access.pepper, access.ticket_life_s)
        self.webhooks = Signer(access.pepper)
        self._tokens = TokenVerifier(access.jwt) if access.jwt is not None else None
        self._limiter = limiter
        self._clock = clock

    async def bearer(self, text: str) -> Principal:
        """The principal of an ``Authorization`` header.

        :raises NotAuthenticated: nobody we know.
        """
        if self._tokens is not None and text.count(".") == 2:
            return await self._tokens.authenticate(text)
        return await self.keys.authenticate(text)

    async def renew(self, text: str) -> None:
        """Look again at a key or token that has been accepted. A ticket holds for the connection that it opened.

        :raises NotAuthenticated: it has been revoked, or has expired. Whoever does not answer soon is taken to agree.
        """
        if text.startswith(PREFIX):
            return
        try:
            async with asyncio.timeout(_RENEWAL_S):
                await self.bearer(text)
        except NotAuthenticated:
            raise
        except (PlatformError, TimeoutError) as error:
            _LOG.warning("an open stream goes on, for its key cannot be looked at again: %s", error or "no answer")

    async def ticket(self, text: str, stream: str | None = None) -> Principal:
        """The principal of a ticket, which is used up by this.

        :param stream: what is asked for; None: a connection for many streams.
        :raises NotAuthenticated: it is not valid, has expired, or has been used.
        :raises NotAllowed: it is for another stream.
        """
        claims = self.tickets.read(text, self._clock.now())
        if claims.stream is not None and claims.stream != stream:
            raise NotAllowed(f"the ticket is for {claims.stream} alone")
        await self._limiter.use_once(claims.id)
        return reader(claims)

    async def either(self, text: str) -> Principal:
        """The principal of a key, a token or a ticket for any stream."""
        return await self.ticket(text) if text.startswith(PREFIX) else await self.bearer(text)
