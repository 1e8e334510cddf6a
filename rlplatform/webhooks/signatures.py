"""Secrets of webhooks, and signatures as specified by Standard Webhooks.

A secret is derived from the deployment's pepper and the webhook's id: the store holds none, and a stolen one signs
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import standardwebhooks
from pydantic import SecretStr

from rlplatform.webhooks.models import Webhook

PREFIX = "whsec_"


class Signer:
    """Makes secrets and signatures."""

    def __init__(self, pepper: SecretStr) -> None:
        self._key = b"webhook:" + pepper.get_secret_value().encode()

    def secret(self, webhook: Webhook) -> str:
        """The text of the present secret."""
        return PREFIX + base64.b64encode(self._secret(webhook, webhook.secret_generation)).decode()

    def headers(self, webhook: Webhook, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
        """The three headers of a message; within a rotation, signed with both secrets."""
        now = now.astimezone(UTC)  # the library takes any time for UTC
        generations = [webhook.secret_generation]
        if webhook.old_secret_until is not None and now < webhook.old_secret_until:
            generations.append(webhook.secret_generation - 1)
        signers = [standardwebhooks.Webhook(self._secret(webhook, generation)) for generation in generations]
        text = body.decode()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(message_id, now, text) for signer in signers),
        }

    def _secret(self, webhook: Webhook, generation: int) -> bytes:
        return hmac.new(self._key, f"{webhook.id}:{generation}".encode(), hashlib.sha256).digest()
