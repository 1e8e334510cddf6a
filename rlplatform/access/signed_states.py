"""Signed states: what a browser holds in a cookie while it visits an identity provider or a learning platform.

Each purpose has its own key, derived from the deployment's pepper: a state is accepted for its own purpose alone.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Generic, TypeVar

import jwt
from pydantic import BaseModel, SecretStr

from rlplatform.errors import NotAuthenticated

M = TypeVar("M", bound=BaseModel)
_ALGORITHM = "HS256"


class SignedStates(Generic[M]):
    """Signs states of one kind, and reads them for ``life_s`` seconds."""

    def __init__(self, pepper: SecretStr, purpose: str, model: type[M], life_s: float) -> None:
        self._key = hmac.digest(pepper.get_secret_value().encode(), f"state:{purpose}".encode(), "sha256")
        self._purpose = purpose
        self._model = model
        self.life_s = life_s

    def sign(self, state: M, now: datetime) -> str:
        """Return the text of ``state``, signed."""
        ends = now.timestamp() + self.life_s
        said = {"state": state.model_dump(mode="json"), "aud": self._purpose, "ends": ends}
        return jwt.encode(said, self._key, algorithm=_ALGORITHM)

    def read(self, text: str, now: datetime) -> M:
        """Return the state of a signed text.

        Raises:
            NotAuthenticated: it was changed, has another purpose, or has expired.
        """
        try:
            said = jwt.decode(
                text, self._key, algorithms=[_ALGORITHM], audience=self._purpose, options={"require": ["aud"]}
            )
            if now.timestamp() < float(said["ends"]):
                return self._model.model_validate(said["state"])
        except Exception:  # of headers with odd types the library raises more than its own errors
            raise NotAuthenticated("the sign-in is not valid; begin again") from None
        raise NotAuthenticated("the sign-in took too long; begin again")
