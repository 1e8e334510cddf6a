"""Launches: a learning platform sends a person, by third-party login (Security Framework 1.0) and a signed message."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from pydantic import SecretStr

from rlplatform.access.principals import Principal
from rlplatform.access.signed_states import SignedStates
from rlplatform.access.signed_tokens import TokenKeys
from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated, NotFound
from rlplatform.json_models import StrictModel
from rlplatform.lti.claims import Launch, launch_of
from rlplatform.lti.models import LtiRegistration
from rlplatform.lti.people import LtiPeople
from rlplatform.lti.registrations import Registrations
from rlplatform.sign_in.models import SignInRefused
from rlplatform.sign_in.openid import verified_claims

_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384")
_LEEWAY_S = 30.0


class LaunchState(StrictModel):
    """State of one launch, which the browser holds in a signed cookie."""

    state: str
    nonce: str
    registration_id: str
    target: str


class Launched(NamedTuple):
    """A person that a platform has sent, and the message."""

    registration: LtiRegistration
    launch: Launch
    principal: Principal
    nonce: str


class Launches:
    """Receives launches of registered platforms. Keeps nothing except the platforms' public keys."""

    def __init__(
        self,
        registrations: Registrations,
        people: LtiPeople,
        pepper: SecretStr,
        launch_url: str,
        clock: Clock,
        life_s: float,
    ) -> None:
        self._registrations = registrations
        self._people = people
        self._states = SignedStates(pepper, "lti", LaunchState, life_s)
        self.life_s = life_s
        self._launch_url = launch_url
        self._clock = clock
        self._keys: dict[str, TokenKeys] = {}

    async def begin(self, asked: Mapping[str, str]) -> tuple[str, str]:
        """Return the signed state for the browser's cookie, and the platform's address to send the browser to.

        Args:
            asked: parameters of the login request.

        Raises:
            SignInRefused: nobody has registered the platform, or a parameter is missing.
        """
        issuer, hint = asked.get("iss", ""), asked.get("login_hint", "")
        if not issuer or not hint or not asked.get("target_link_uri"):
            raise SignInRefused("not_valid", "the login lacks iss, login_hint or target_link_uri")
        try:
            registration = await self._registrations.of(issuer, asked.get("client_id"))
        except NotFound as error:
            raise SignInRefused("not_registered", f"{issuer[:200]}: {error.detail}") from None
        begun = LaunchState(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            registration_id=registration.id,
            target=asked["target_link_uri"][:2000],
        )
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": registration.client_id,
            "redirect_uri": self._launch_url,
            "login_hint": hint,
            "state": begun.state,
            "nonce": begun.nonce,
        }
        if "lti_message_hint" in asked:
            query["lti_message_hint"] = asked["lti_message_hint"]
        joint = "&" if "?" in registration.authorization_url else "?"
        address = f"{registration.authorization_url}{joint}{urlencode(query)}"
        return self._states.sign(begun, self._clock.now()), address

    async def finish(self, state: str, posted: Mapping[str, str]) -> Launched:
        """Return the person that a platform has sent.

        Args:
            state: content of the cookie of :meth:`begin`; empty: there is none.
            posted: form that the platform had the browser post.

        Raises:
            SignInRefused: the launch is not valid, or the person cannot enter.
        """
        try:
            begun = self._states.read(state, self._clock.now())
            registration = await self._registrations.get(begun.registration_id)
        except NotAuthenticated as error:
            raise SignInRefused("begin_again", error.detail) from None
        except NotFound as error:
            raise SignInRefused("not_registered", error.detail) from None
        if not hmac.compare_digest(posted.get("state", "").encode(), begun.state.encode()):
            raise SignInRefused("begin_again", "the state is another one")
        if "error" in posted:
            raise SignInRefused("declined", posted["error"][:100])
        launch = await self._message(registration, posted.get("id_token", ""), begun)
        return Launched(registration, launch, await self._people.principal(registration, launch), begun.nonce)

    async def _message(self, registration: LtiRegistration, token: str, begun: LaunchState) -> Launch:
        keys = self._keys.setdefault(registration.jwks_url, TokenKeys(registration.jwks_url, _ALGORITHMS, _LEEWAY_S))
        claims = await verified_claims(keys, token, registration.issuer, registration.client_id, begun.nonce)
        launch = launch_of(claims)
        if launch.deployment_id not in registration.deployment_ids:
            raise SignInRefused("not_registered", f"deployment {launch.deployment_id[:100]!r}")
        if registration.context_ids and (launch.context is None or launch.context.id not in registration.context_ids):
            raise SignInRefused("not_registered", "the platform's course is not registered")
        if launch.message_type == "LtiResourceLinkRequest" and launch.target != begun.target:
            raise SignInRefused("not_valid", "the message is for another link than its login")
        return launch
