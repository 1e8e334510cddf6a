"""Replace secrets in texts that leave the platform for logs and traces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from rlplatform.settings import Settings

HIDDEN = "[secret]"
_LEAST_SECRET = 6  # a shorter one would hide ordinary words
_PATTERNS = (
    re.compile(r"rlp_[0-9a-z]{26}_[A-Za-z0-9_-]{43}"),  # API keys
    re.compile(r"whsec_[A-Za-z0-9+/=_-]{16,}"),  # secrets of webhooks
    re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"),  # tokens and tickets
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user and password of a URL
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
)


class Scrubber:
    """Replaces known secrets, and what looks like one, by ``[secret]``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({text for text in secrets if len(text) >= _LEAST_SECRET}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return text


def secrets_of(settings: Settings) -> list[str]:
    """Return the secrets that this process knows by its settings."""
    password = urlsplit(settings.store.url).password or ""
    return [settings.access.pepper.get_secret_value(), password, unquote(password)]
