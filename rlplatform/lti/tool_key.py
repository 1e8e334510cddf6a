"""Key of the tool: signs what learning platforms verify. It is in the store, encrypted with the deployment's pepper."""

from __future__ import annotations

import asyncio
import base64
import hmac
from typing import Any

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

ALGORITHM = "RS256"
_KEY, _CURRENT = "lti.key", "current"


class _StoredKey(StrictModel):
    kid: str
    encrypted_pem: str


class ToolKey:
    """RSA key of this deployment, made when it is first needed."""

    def __init__(self, store: DocumentStore, pepper: SecretStr) -> None:
        self._store = store
        secret = hmac.digest(pepper.get_secret_value().encode(), b"lti:key", "sha256")
        self._cipher = Fernet(base64.urlsafe_b64encode(secret))
        self._known: tuple[str, rsa.RSAPrivateKey] | None = None

    async def sign(self, claims: dict[str, Any]) -> str:
        """Return a token of ``claims``."""
        kid, key = await self._load()
        return await asyncio.to_thread(jwt.encode, claims, key, ALGORITHM, {"kid": kid})

    async def public(self) -> dict[str, Any]:
        """Return the set of public keys (JWKS, RFC 7517)."""
        kid, key = await self._load()
        jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": kid, "use": "sig", "alg": ALGORITHM}]}

    async def _load(self) -> tuple[str, rsa.RSAPrivateKey]:
        if self._known is None:
            found = await self._store.get_document(_KEY, _CURRENT)
            if found is None:
                made = await asyncio.to_thread(self._make)
                found = await self._store.add_document(Document(_KEY, _CURRENT, "", made.model_dump_json()))
            stored = _StoredKey.model_validate_json(found.record)
            key = load_pem_private_key(self._cipher.decrypt(stored.encrypted_pem.encode()), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self._known = stored.kid, key
        return self._known

    def _make(self) -> _StoredKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        kid = hmac.digest(pem, b"kid", "sha256").hex()[:16]
        return _StoredKey(kid=kid, encrypted_pem=self._cipher.encrypt(pem).decode())
