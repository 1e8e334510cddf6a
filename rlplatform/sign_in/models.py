"""Documents of sign-in: what the page asks before anybody has a key."""

from __future__ import annotations

from typing import Literal

from rlplatform.access.models import WhoAmI
from rlplatform.json_models import StrictModel

Refusal = Literal[
    "begin_again",  # the state of the sign-in is missing, wrong or too old
    "declined",  # the provider refused, or the person left
    "unavailable",  # the provider does not answer
    "not_valid",  # what the provider sent is not valid
    "no_access",  # the account has no role or tenant here
    "not_a_member",  # the account belongs to nobody on the roster
    "removed",  # the person was removed from the course
    "not_registered",  # nobody has registered the learning platform
]


class SignInRefused(Exception):
    """A sign-in failed. ``reason`` is what the page explains; the text is for the log."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Refusal = reason


class SignInProvider(StrictModel):
    """Provider whose accounts can sign in on the page."""

    name: str
    """Name of the provider, for the button."""
    path: str
    """Path to open in the browser, relative to the page; `?to=` is the route of the page to return to."""


class SessionInfo(StrictModel):
    """Session of the browser that asks."""

    provider: SignInProvider | None
    """Provider whose accounts can sign in; null: none."""
    principal: WhoAmI | None
    """Principal that is signed in with the session cookie; null: nobody."""
