"""Claims of LTI messages (LTI 1.3 core, Deep Linking 2.0, Assignment and Grade Services 2.0)."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlplatform.sign_in.models import SignInRefused

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
GRADES = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
_STAFF = ("Instructor", "Administrator", "TeachingAssistant")
_ADDRESS = Field(default=None, max_length=2000)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ResourceLink(_Part):
    """The link in the platform's course that was followed."""

    id: str = Field(min_length=1, max_length=255)
    title: str = Field(default="", max_length=500)


class Context(_Part):
    """The platform's course."""

    id: str = Field(max_length=255)


class Lis(_Part):
    """Ids of the person in the institution's own system."""

    person_sourcedid: str | None = Field(default=None, max_length=128)


class GradeEndpoint(_Part):
    """Addresses and permissions for grades."""

    scope: tuple[str, ...] = ()
    lineitem: str | None = _ADDRESS
    lineitems: str | None = _ADDRESS


class DeepLinkSettings(_Part):
    """Answers that the platform accepts to its request for links."""

    deep_link_return_url: str = Field(max_length=2000)
    accept_types: tuple[str, ...]
    data: str | None = None


class Launch(_Part):
    """An LTI message whose token is valid."""

    sub: str = Field(pattern=r"^[\x20-\x7e]{1,255}$")
    name: str = Field(default="", max_length=1000)
    email: str = Field(default="", max_length=1000)
    message_type: Literal["LtiResourceLinkRequest", "LtiDeepLinkingRequest"] = Field(alias=f"{LTI}message_type")
    version: Literal["1.3.0"] = Field(alias=f"{LTI}version")
    deployment_id: str = Field(alias=f"{LTI}deployment_id")
    target: str = Field(default="", alias=f"{LTI}target_link_uri")
    roles: tuple[str, ...] = Field(alias=f"{LTI}roles")
    context: Context | None = Field(default=None, alias=f"{LTI}context")
    resource_link: ResourceLink | None = Field(default=None, alias=f"{LTI}resource_link")
    custom: dict[str, Any] = Field(default_factory=dict, alias=f"{LTI}custom")
    lis: Lis = Field(default=Lis(), alias=f"{LTI}lis")
    grades: GradeEndpoint | None = Field(default=None, alias=GRADES)
    deep_linking: DeepLinkSettings | None = Field(default=None, alias=f"{DEEP_LINKING}deep_linking_settings")

    @property
    def is_staff(self) -> bool:
        """True if the person teaches the platform's course. Roles of the institution do not count."""
        for role in self.roles:
            place, _, name = role.rpartition("#")
            if (place == _MEMBERSHIP or place.startswith(f"{_MEMBERSHIP}/")) and name in _STAFF:
                return True
        return False

    @property
    def is_learner(self) -> bool:
        """True if the person learns in the platform's course."""
        return f"{_MEMBERSHIP}#Learner" in self.roles

    @property
    def assignment(self) -> str | None:
        """Name of the assignment that the link leads to; None if it names none."""
        named = self.custom.get("assignment")
        if isinstance(named, str) and named:
            return named
        return next(iter(parse_qs(urlsplit(self.target).query).get("assignment", [])), None)


def launch_of(claims: dict[str, Any]) -> Launch:
    """Return the message of verified claims.

    Raises:
        SignInRefused: it is not a message of LTI 1.3, or lacks what its kind must have.
    """
    try:
        launch = Launch.model_validate(claims)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise SignInRefused("not_valid", f"{place}: {first['msg']}"[:300]) from None
    needed = launch.resource_link if launch.message_type == "LtiResourceLinkRequest" else launch.deep_linking
    if needed is None:
        raise SignInRefused("not_valid", f"the {launch.message_type} lacks its own claim")
    return launch
