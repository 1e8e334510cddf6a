"""Sign-in with an account of an OpenID provider, from the button on the page to a session."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rlplatform.access.principals import Principal
from rlplatform.access.signed_states import SignedStates
from rlplatform.assignments.people.membership import Membership
from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated
from rlplatform.settings import AccessSettings
from rlplatform.sign_in.accounts import Accounts
from rlplatform.sign_in.models import SignInProvider, SignInRefused
from rlplatform.sign_in.openid import OpenIdProvider, SignInState
from rlplatform.sign_in.sessions import Sessions

BEGIN, CALLBACK = "sign-in", "sign-in/callback"
_LIFE_S = 600.0
_ROUTE = re.compile(r"/[A-Za-z0-9/_.~?=&,:%-]{0,500}")


class SignInService:
    """Signs people in with accounts of the configured provider. Keeps nothing but the provider's metadata."""

    def __init__(self, settings: AccessSettings, members: Membership, sessions: Sessions, clock: Clock) -> None:
        assert settings.oidc is not None, "the settings name a provider"
        assert settings.public_url is not None, "the settings need it beside a provider"
        self._clock = clock
        self._sessions = sessions
        self._states = SignedStates(settings.pepper, "openid", SignInState, _LIFE_S)
        self._accounts = Accounts(settings.oidc, members)
        self._provider = OpenIdProvider(settings.oidc, f"{settings.public_url.rstrip('/')}/{CALLBACK}", clock)
        self.life_s = _LIFE_S
        self.described = SignInProvider(name=settings.oidc.name, path=BEGIN)

    async def begin(self, to: str) -> tuple[str, str]:
        """Return the signed state for the browser's cookie, and the provider's address to send the browser to.

        Raises:
            SignInRefused: the provider does not answer.
        """
        begun, address = await self._provider.begin(to if is_route(to) else "/")
        return self._states.sign(begun, self._clock.now()), address

    async def finish(self, state: str, answer: Mapping[str, str]) -> tuple[Principal, str, str]:
        """Return who signed in, the text of a new session, and the route of the page to go to.

        Args:
            state: content of the cookie of :meth:`begin`; empty: there is none.
            answer: parameters with which the provider sent the browser back.

        Raises:
            SignInRefused: the person cannot sign in, and why.
        """
        try:
            begun = self._states.read(state, self._clock.now())
        except NotAuthenticated as error:
            raise SignInRefused("begin_again", error.detail) from None
        principal = await self._accounts.principal(await self._provider.finish(begun, dict(answer)))
        return principal, await self._sessions.begin(principal), begun.to


def is_route(text: str) -> bool:
    """Return True if ``text`` can be a route of the page: ``/assignments/bandit``."""
    return _ROUTE.fullmatch(text) is not None
