"""Documents of LTI: learning platforms (Canvas, Moodle …) that operators register."""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import Field, field_validator

from rlplatform import patterns
from rlplatform.json_models import StrictModel, Text

_HOST = r"^[a-z0-9.-]+(:[0-9]+)?$"


class LtiRegistrationRequest(StrictModel):
    """A learning platform to register for a course, with the values that it shows for an external tool (LTI 1.3)."""

    name: Text = Field(min_length=1, max_length=100)
    """Name for people."""
    tenant: str | None = Field(default=None, pattern=patterns.TENANT)
    """Tenant that launches lead to; null: the caller's own."""
    issuer: str = Field(min_length=1, max_length=300, pattern=r"^https?://[^\s?#]+$")
    """Issuer of the platform's tokens, exactly as the platform shows it."""
    client_id: str = Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")
    """Client id that the platform gave the tool."""
    deployment_ids: list[str] = Field(min_length=1, max_length=100)
    """Ids of the deployments that are accepted."""
    context_ids: list[str] = Field(default_factory=list, max_length=100)
    """Ids of the platform's courses that are accepted; empty: all of the deployments."""
    authorization_url: str = Field(pattern=patterns.TRUSTED_ADDRESS, max_length=500)
    """Authorization (OIDC login) endpoint of the platform."""
    token_url: str = Field(pattern=patterns.TRUSTED_ADDRESS, max_length=500)
    """Token endpoint of the platform, for grades."""
    jwks_url: str = Field(pattern=patterns.TRUSTED_ADDRESS, max_length=500)
    """Address of the platform's public keys."""
    grade_hosts: list[str] = Field(default_factory=list, max_length=20)
    """Further hosts that grades may be sent to. Those of the four addresses are accepted anyway."""
    enrol: bool = True
    """True: learners of the platform who are not on the roster are added to it."""

    @field_validator("grade_hosts")
    @classmethod
    def _hosts(cls, given: list[str]) -> list[str]:
        for host in given:
            if not re.fullmatch(_HOST, host):
                raise ValueError(f"{host!r} is not a host; accepted are names such as lms.example.edu")
        return given


class LtiRegistration(LtiRegistrationRequest):
    """A learning platform that is registered for a course."""

    id: str
    """Id of the registration: `lti_…`."""
    tenant: str
    """Tenant that launches lead to."""
    created_at: datetime
    """Time of registration."""
    created_by: str
    """Id of the principal that registered it."""


class LtiRegistrationList(StrictModel):
    """Learning platforms."""

    items: list[LtiRegistration]
    """The registrations, newest first."""


class LtiTool(StrictModel):
    """Values of this tool, to enter at a learning platform."""

    login_url: str
    """Initiate login URL."""
    launch_url: str
    """Redirect URI, target link and deep linking URL; `?assignment=NAME` leads to an assignment."""
    keys_url: str
    """Address of the tool's public keys."""
