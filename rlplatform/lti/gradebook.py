"""Gradebook of a learning platform: columns and scores (Assignment and Grade Services 2.0)."""

from __future__ import annotations

import secrets
import ssl
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from rlplatform import patterns
from rlplatform.clock import Clock
from rlplatform.errors import Unavailable
from rlplatform.lti.claims import LINE_ITEM, SCORE
from rlplatform.lti.models import LtiRegistration
from rlplatform.lti.tool_key import ToolKey

_TIMEOUT_S = 10.0
_ASSERTION_S = 60
_EARLY_S = 30.0
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Column(NamedTuple):
    """A column to make."""

    label: str
    maximum: float
    resource_link_id: str


class Score(NamedTuple):
    """A grade to send. ``points`` None: nothing is graded yet."""

    user_id: str
    points: float | None
    maximum: float
    at: datetime


class Gradebook:
    """Sends grades to platforms. Access tokens are kept until shortly before they expire."""

    def __init__(self, key: ToolKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._tls = ssl.create_default_context()
        self._tokens: dict[str, tuple[str, float]] = {}

    async def make_column(self, registration: LtiRegistration, lineitems: str, column: Column) -> str:
        """Make a column, and return its address.

        Raises:
            Unavailable: the platform does not answer, or refuses.
        """
        body = {
            "label": column.label[:200],
            "scoreMaximum": column.maximum,
            "resourceLinkId": column.resource_link_id,
            "resourceId": column.resource_link_id,
        }
        media_type = "application/vnd.ims.lis.v2.lineitem+json"
        response = await self._post(registration, lineitems, media_type, body)
        try:
            address = response.json()["id"]
        except (ValueError, KeyError, TypeError):
            address = None
        if not isinstance(address, str):
            raise Unavailable("the platform made a column and did not name it")
        return address

    async def send(self, registration: LtiRegistration, lineitem: str, score: Score) -> None:
        """Send a grade to a column.

        Raises:
            Unavailable: the platform does not answer, or refuses.
        """
        graded = score.points is not None
        body: dict[str, Any] = {
            "userId": score.user_id,
            "timestamp": score.at.isoformat(timespec="milliseconds"),
            "activityProgress": "Submitted",
            "gradingProgress": "FullyGraded" if graded else "Pending",
        }
        if graded:
            body |= {"scoreGiven": score.points, "scoreMaximum": score.maximum}
        parts = urlsplit(lineitem)
        address = parts._replace(path=f"{parts.path.rstrip('/')}/scores").geturl()
        await self._post(registration, address, "application/vnd.ims.lis.v1.score+json", body)

    async def _post(
        self, registration: LtiRegistration, address: str, media_type: str, body: dict[str, Any]
    ) -> httpx2.Response:
        check_address(registration, address)
        headers = {"Authorization": f"Bearer {await self._token(registration)}", "Content-Type": media_type}
        try:
            async with self._client() as client:
                response = await client.post(address, json=body, headers=headers)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{urlsplit(address).netloc}: {type(error).__name__}") from None
        if response.status_code == 401:
            self._tokens.pop(registration.id, None)
        if not response.is_success:
            raise Unavailable(f"{urlsplit(address).netloc} answered {response.status_code}")
        return response

    async def _token(self, registration: LtiRegistration) -> str:
        """Return an access token (RFC 6749, 4.4, with a signed assertion: RFC 7523)."""
        known = self._tokens.get(registration.id)
        if known is not None and self._clock.monotonic() < known[1]:
            return known[0]
        now = int(self._clock.now().timestamp())
        assertion = await self._key.sign(
            {
                "iss": registration.client_id,
                "sub": registration.client_id,
                "aud": registration.token_url,
                "iat": now,
                "exp": now + _ASSERTION_S,
                "jti": secrets.token_urlsafe(16),
            }
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _JWT_BEARER,
            "client_assertion": assertion,
            "scope": f"{SCORE} {LINE_ITEM}",
        }
        try:
            async with self._client() as client:
                response = await client.post(registration.token_url, data=form)
            document = response.json() if response.is_success else {}
        except (httpx2.HTTPError, ValueError) as error:
            raise Unavailable(f"token endpoint: {type(error).__name__}") from None
        token, life_s = document.get("access_token"), document.get("expires_in", 3600)
        if not isinstance(token, str) or not isinstance(life_s, int | float):
            raise Unavailable(f"token endpoint answered {response.status_code}, and no token")
        self._tokens[registration.id] = token, self._clock.monotonic() + life_s - _EARLY_S
        return token

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(verify=self._tls, timeout=_TIMEOUT_S, follow_redirects=False)


def check_address(registration: LtiRegistration, address: str) -> None:
    """Check that grades may be sent to an address, which a launch or a platform's answer named.

    Raises:
        Unavailable: it is no address of the registration's hosts.
    """
    named = (registration.issuer, registration.authorization_url, registration.token_url, registration.jwks_url)
    hosts = {*registration.grade_hosts, *(urlsplit(url).netloc for url in named)}
    if not patterns.is_trusted(address) or urlsplit(address).netloc not in hosts:
        raise Unavailable(f"{address[:200]!r} is none of the registration's hosts; add it to grade_hosts")
