"""Signatures of webhooks, verified with Standard Webhooks' own package as a receiver does."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest
import standardwebhooks
from pydantic import SecretStr
from standardwebhooks import WebhookVerificationError

from rlplatform.webhooks.models import Webhook
from rlplatform.webhooks.signatures import Signer

BODY = '{"name": "größe 漢字"}'.encode()
HOOK = Webhook(
    id="hook_1",
    tenant="school",
    url="https://example.com",
    events=["evaluation.finished"],
    created_by="key_1",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def signer() -> Signer:
    return Signer(SecretStr("pepper"))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))], ids=str)
def test_a_receiver_verifies_a_message_whatever_the_time_zone_of_the_server(signer: Signer, zone: timezone) -> None:
    headers = dict(signer.headers(HOOK, "msg_1", BODY, datetime.now(zone)))
    receiver = standardwebhooks.Webhook(signer.secret(HOOK))
    assert receiver.verify(BODY, headers) == {"name": "größe 漢字"}
    for changed, sent in ((BODY + b" ", headers), (BODY, headers | {"webhook-id": "msg_2"})):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(changed, sent)


def test_within_a_rotation_a_receiver_may_have_either_secret(signer: Signer) -> None:
    now = datetime.now(UTC)
    old = standardwebhooks.Webhook(signer.secret(HOOK))
    rotated = HOOK.model_copy(update={"secret_generation": 2, "old_secret_until": now + timedelta(seconds=60)})
    new = standardwebhooks.Webhook(signer.secret(rotated))
    within = dict(signer.headers(rotated, "msg_1", BODY, now))
    for receiver in (old, new):
        receiver.verify(BODY, within)
    after = dict(signer.headers(rotated, "msg_1", BODY, now + timedelta(seconds=60)))
    new.verify(BODY, after)
    with pytest.raises(WebhookVerificationError):
        old.verify(BODY, after)


def test_secrets_and_signatures_are_those_that_receivers_have_always_known(signer: Signer) -> None:
    secret = hmac.digest(b"webhook:pepper", b"hook_1:1", hashlib.sha256)
    assert signer.secret(HOOK) == "whsec_" + base64.b64encode(secret).decode()
    signature = base64.b64encode(hmac.digest(secret, b"msg_1.1767225600." + BODY, hashlib.sha256)).decode()
    assert signer.headers(HOOK, "msg_1", BODY, datetime(2026, 1, 1, 0, 0, 0, 999_999, UTC)) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1767225600",
        "webhook-signature": f"v1,{signature}",
    }
